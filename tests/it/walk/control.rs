//! Hands on a session: mouse, keyboard, clipboard, pages, files.

use anchorbrowser_api::multipart::FilePart;
use anchorbrowser_api::types;

use super::{Walk, bytes, file, ok};

pub(super) async fn walk(walk: &Walk) {
    let id = walk.session().await;
    pages(walk, &id).await;
    mouse(walk, &id).await;
    keyboard(walk, &id).await;
    files(walk, &id).await;
    ok(walk.client.delete_session().session_id(&id).send()).await;
}

/// Pages are opened and seen; what is no page is downloaded.
async fn pages(walk: &Walk, id: &str) {
    let client = &walk.client;
    let goto = async |url: &str| {
        let body = types::NavigateRequestSchema::new(url);
        let gone = ok(client.goto().session_id(id).body(body).send()).await;
        assert_eq!(gone.status.as_deref(), Some("success"));
    };
    let screenshot = || bytes(client.get_session_screenshot().session_id(id).send());
    let before = screenshot().await;
    goto("https://example.com/prices").await;
    let after = screenshot().await;
    assert!(after.starts_with(b"\x89PNG") && after != before);

    goto("https://example.com/prices.csv").await;
    let downloads = ok(client.get_session_downloads().session_id(id).send()).await;
    let downloads = downloads.data.unwrap();
    assert_eq!(downloads.count, Some(1));
    let found = &downloads.items[0];
    assert_eq!(found.original_file_name.as_deref(), Some("prices.csv"));
    let content = file(found.file_link.as_deref()).await;
    assert_eq!(found.size, Some(content.len() as i64));
}

async fn mouse(walk: &Walk, id: &str) {
    let client = &walk.client;
    let at = types::MouseClickRequestSchema::new(10, 20);
    let click = types::MouseSingleClickRequestSchema {
        selector: Some("#buy".to_owned()),
        ..Default::default()
    };
    let to = types::CoordinatesRequestSchema::new(30, 40);
    let drag = types::DragDropRequestSchema::new(10, 20, 30, 40);
    let scroll = types::ScrollRequestSchema::new(10, 20, 300);
    let double = client.mouse_double_click().body(at.clone());
    let statuses = [
        ok(client.mouse_click().session_id(id).body(click).send())
            .await
            .status,
        ok(double.session_id(id).send()).await.status,
        ok(client.mouse_down().session_id(id).body(at.clone()).send())
            .await
            .status,
        ok(client.mouse_move().session_id(id).body(to).send())
            .await
            .status,
        ok(client.mouse_up().session_id(id).body(at).send())
            .await
            .status,
        ok(client.drag_and_drop().session_id(id).body(drag).send())
            .await
            .status,
        ok(client.scroll().session_id(id).body(scroll).send())
            .await
            .status,
    ];
    for status in statuses {
        assert_eq!(status.as_deref(), Some("success"));
    }
}

/// What is typed can be copied; what is on the clipboard can be pasted.
async fn keyboard(walk: &Walk, id: &str) {
    let client = &walk.client;
    let typed = types::TypeTextRequestSchema::new("typed");
    ok(client.keyboard_type().session_id(id).body(typed).send()).await;
    let copied = ok(client.copy().session_id(id).send()).await;
    assert_eq!(copied.text.as_deref(), Some("typed"));

    let text = types::ClipboardRequestSchema::new("zwölf\n");
    ok(client.set_clipboard().session_id(id).body(text).send()).await;
    let keys = vec!["Control".to_owned(), "v".to_owned()];
    let keys = types::KeyboardShortcutRequestSchema::new(keys);
    ok(client.keyboard_shortcut().session_id(id).body(keys).send()).await;
    let copied = ok(client.copy().session_id(id).send()).await;
    assert_eq!(copied.text.as_deref(), Some("zwölf\n"));

    let pasted = types::PasteRequestSchema::new("pasted");
    ok(client.paste().session_id(id).body(pasted).send()).await;
    let found = ok(client.get_clipboard().session_id(id).send()).await;
    assert_eq!(found.data.unwrap().text.as_deref(), Some("zwölf\n"));
}

/// Files for the page, and for the agent.
async fn files(walk: &Walk, id: &str) {
    let client = &walk.client;
    let file = FilePart::bytes("photo.png", b"\x89PNG".as_slice());
    let form = types::UploadSessionFileForm::new(file);
    let sent = ok(client
        .upload_session_file()
        .session_id(id)
        .body(form)
        .send())
    .await;
    let sent = sent.data.unwrap();
    assert_eq!(sent.status.as_deref(), Some("success"));
    assert!(sent.message.unwrap().ends_with("/photo.png"));

    let file = FilePart::bytes("list.csv", b"a,b\n".as_slice());
    let form = types::UploadAgentFilesForm::new(file);
    ok(client.upload_agent_files().session_id(id).body(form).send()).await;
    let list = ok(client.list_agent_files().session_id(id).send()).await;
    let files = list.data.unwrap().files;
    assert_eq!(files.len(), 1, "the page's file is not the agent's");
    assert_eq!(files[0].name.as_deref(), Some("list.csv"));
    assert_eq!(files[0].size, Some(4));
}
