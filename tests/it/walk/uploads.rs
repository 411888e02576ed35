//! Extensions and certificates.

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::types;

use super::{Walk, done, gone, ok};

pub(super) async fn walk(walk: &Walk) {
    extension(walk).await;
    certificate(walk).await;
}

async fn extension(walk: &Walk) {
    let client = &walk.client;
    let archive = FilePart::bytes("blocker.zip", b"PK\x03\x04 and so on".as_slice());
    let form = types::UploadExtensionForm::new("blocker".to_owned(), archive);
    let made = ok(client.upload_extension().body(form).send()).await;
    let id = made.data.unwrap().id.unwrap();
    let list = ok(client.list_extensions().send()).await.data;
    assert_eq!((list.len(), list[0].id.as_ref()), (1, Some(&id)));
    match ok(client.get_extension().id(&id).send()).await {
        types::GetExtensionResponse::ExtensionResponseSchema(found) => {
            assert_eq!(found.name.as_deref(), Some("blocker"));
            assert_eq!(found.manifest.unwrap().manifest_version, Some(3));
        }
        other => panic!("{other:?}"),
    }

    let browser = types::BrowserConfig {
        extensions: Some(vec![id.clone()]),
        ..Default::default()
    };
    walk.browser(browser).await;
    let deleted = ok(client.delete_extension().id(&id).send()).await;
    done(&deleted.data.unwrap());
    gone(client.get_extension().id(&id).send()).await;
}

async fn certificate(walk: &Walk) {
    let client = &walk.client;
    let file = FilePart::bytes("ca.pem", b"-----BEGIN CERTIFICATE-----".as_slice());
    let form = types::CreateCertificateForm {
        description: Some("of the office".to_owned()),
        ..types::CreateCertificateForm::new("office-ca".to_owned(), file)
    };
    let made = ok(client.create_certificate().body(form).send()).await;
    let made = made.data.unwrap();
    assert_eq!(made.description.as_deref(), Some("of the office"));
    let list = ok(client.list_certificates().send()).await.data;
    assert_eq!((list.len(), &list[0].id), (1, &made.id));
    done(&ok(client.delete_certificate().name("office-ca").send()).await);
    gone(client.delete_certificate().name("office-ca").send()).await;
}
