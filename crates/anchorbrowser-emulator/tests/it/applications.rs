//! Applications, their authentication flows and tokens.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Api, Reply};

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

async fn application(api: &Api, body: Value) -> String {
    api.post("/v1/applications", body).await.ok().text("/id")
}

fn names(reply: &Reply, list: &str) -> Vec<String> {
    reply
        .at(list)
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn there_is_one_application_for_a_host() {
    let api = Api::start().await;
    let made = api
        .post(
            "/v1/applications",
            json!({ "source": "https://App.example.com/login", "name": "Shop" }),
        )
        .await;
    assert_eq!(
        (made.status, made.text("/name"), made.at("/description")),
        (201, "Shop".to_owned(), Value::Null)
    );
    let id = made.text("/id");
    let again = api
        .post(
            "/v1/applications",
            json!({ "source": "http://app.example.com", "description": "a" }),
        )
        .await
        .ok();
    assert_eq!(
        (
            again.text("/id"),
            again.text("/name"),
            again.text("/description")
        ),
        (id.clone(), "Shop".into(), "a".into())
    );
    let port = application(&api, json!({ "source": "https://app.example.com:8443/" })).await;
    assert_ne!(port, id);
    assert_eq!(
        api.get(&format!("/v1/applications/{port}"))
            .await
            .ok()
            .text("/name"),
        "app.example.com:8443"
    );
    assert_eq!(
        names(&api.get("/v1/applications").await.ok(), "/applications").len(),
        2
    );
    assert_eq!(
        names(
            &api.get("/v1/applications?search=sHO").await.ok(),
            "/applications"
        ),
        ["Shop"]
    );
    assert_eq!(
        api.get("/v1/applications?search=none")
            .await
            .ok()
            .count("/applications"),
        0
    );
    for source in ["ftp://example.com/", "mailto:a@example.com", "no url"] {
        let text = api
            .post("/v1/applications", json!({ "source": source }))
            .await
            .refused(400);
        assert!(text.contains("body.source"), "{text}");
    }
}

#[tokio::test]
async fn identities_and_flows_go_with_their_application() {
    let api = Api::start().await;
    let id = application(&api, json!({ "source": "https://a.example.com" })).await;
    let at = format!("/v1/applications/{id}");
    let identity = api
        .post(
            "/v1/identities",
            json!({ "source": "https://a.example.com/x" }),
        )
        .await
        .ok()
        .text("/id");
    api.post(
        &format!("{at}/auth-flows"),
        json!({ "name": "f", "methods": ["authenticator"] }),
    )
    .await
    .ok();
    let found = api.get(&at).await.ok();
    assert_eq!(
        (found.at("/identity_count"), found.at("/auth_methods")),
        (json!(1), json!(["authenticator"]))
    );
    assert_eq!(
        api.get("/v1/applications").await.ok().at("/applications/0"),
        found.json
    );
    assert_eq!(api.delete(&at).await.ok().at("/success"), true);
    for path in [
        at.clone(),
        format!("{at}/identities"),
        format!("{at}/auth-flows"),
        format!("/v1/identities/{identity}"),
    ] {
        api.get(&path).await.refused(404);
    }
    api.delete(&at).await.refused(404);
    api.post(
        &format!("{at}/tokens"),
        json!({ "callbackUrl": "https://example.com" }),
    )
    .await
    .refused(404);
    api.post(
        &format!("{at}/auth-flows"),
        json!({ "name": "f", "methods": ["custom"] }),
    )
    .await
    .refused(404);
}

#[tokio::test]
async fn identities_are_found_by_name_and_metadata() {
    let api = Api::start().await;
    let application = application(&api, json!({ "source": "https://a.example.com" })).await;
    api.post(
        "/v1/identities",
        json!({ "source": "https://b.example.com", "name": "elsewhere" }),
    )
    .await
    .ok();
    for (name, metadata) in [
        ("Ann", json!({ "team": "a", "level": 1 })),
        ("Bob", json!({ "team": "b" })),
        ("Anton", json!({ "team": "a" })),
    ] {
        let body = json!({ "source": "https://a.example.com", "name": name, "metadata": metadata });
        api.post("/v1/identities", body).await.ok();
    }
    let cases: [(&str, &[&str]); 7] = [
        ("", &["Ann", "Bob", "Anton"]),
        ("search=an", &["Ann", "Anton"]),
        ("metadata=%7B%22team%22:%22a%22%7D", &["Ann", "Anton"]),
        ("metadata=%7B%22team%22:%22a%22,%22level%22:1%7D", &["Ann"]),
        ("metadata=%7B%22level%22:%221%22%7D", &[]),
        ("metadata[team]=b", &["Bob"]),
        ("search=ton&metadata=%7B%7D", &["Anton"]),
    ];
    for (query, wanted) in cases {
        let found = api
            .get(&format!(
                "/v1/applications/{application}/identities?{query}"
            ))
            .await
            .ok();
        assert_eq!(names(&found, "/identities"), wanted, "{query}");
    }
    for metadata in ["team", "[1]"] {
        let path = format!("/v1/applications/{application}/identities?metadata={metadata}");
        assert!(api.get(&path).await.refused(400).contains("query metadata"));
    }
}

#[tokio::test]
async fn one_flow_at_most_is_recommended() {
    let api = Api::start().await;
    let id = application(&api, json!({ "source": "https://a.example.com" })).await;
    let other = application(&api, json!({ "source": "https://b.example.com" })).await;
    let at = format!("/v1/applications/{id}/auth-flows");
    let first = json!({ "name": "one", "methods": ["username_password"], "is_recommended": true });
    let first = api.post(&at, first).await.ok();
    let fields = json!([{ "name": "branch" }]);
    let second = json!({ "name": "two", "methods": ["custom", "username_password"], "is_recommended": true, "custom_fields": fields });
    let second = api.post(&at, second).await.ok();
    let elsewhere = json!({ "name": "three", "methods": ["custom"], "is_recommended": true });
    api.post(&format!("/v1/applications/{other}/auth-flows"), elsewhere)
        .await
        .ok();
    let recommended = async || {
        let flows = api.get(&at).await.ok().at("/auth_flows");
        flows
            .as_array()
            .unwrap()
            .iter()
            .map(|flow| flow["is_recommended"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(recommended().await, [false, true]);
    assert_eq!(second.at("/custom_fields"), fields);
    let path = format!("{at}/{}", first.text("/id"));
    let changed = api
        .patch(&path, json!({ "is_recommended": true, "description": "d" }))
        .await
        .ok();
    assert_eq!(
        (changed.text("/name"), changed.text("/description")),
        ("one".to_owned(), "d".to_owned())
    );
    assert_eq!(recommended().await, [true, false]);
    let methods = api
        .get(&format!("/v1/applications/{id}"))
        .await
        .ok()
        .at("/auth_methods");
    assert_eq!(methods, json!(["username_password", "custom"]));
    let foreign = format!("/v1/applications/{other}/auth-flows/{}", first.text("/id"));
    for path in [foreign, format!("{at}/{UNKNOWN}")] {
        api.patch(&path, json!({})).await.refused(404);
        api.delete(&path).await.refused(404);
    }
    assert_eq!(api.delete(&path).await.ok().at("/success"), true);
    assert_eq!(recommended().await, [false]);
    for body in [
        json!({ "name": "f", "methods": [] }),
        json!({ "name": "f", "methods": ["sms"] }),
        json!({ "methods": ["custom"] }),
    ] {
        api.post(&at, body).await.refused(400);
    }
}

#[tokio::test]
async fn an_identity_is_linked_to_the_flow_of_its_credentials() {
    let api = Api::start().await;
    let id = application(&api, json!({ "source": "https://a.example.com" })).await;
    let flows = [
        json!(["username_password"]),
        json!(["username_password", "authenticator"]),
    ];
    for (name, methods) in ["plain", "with code"].into_iter().zip(flows) {
        api.post(
            &format!("/v1/applications/{id}/auth-flows"),
            json!({ "name": name, "methods": methods }),
        )
        .await
        .ok();
    }
    let password = json!({ "type": "username_password", "username": "u", "password": "p" });
    let code = json!({ "type": "authenticator", "secret": "s" });
    for credentials in [
        json!([]),
        json!([password]),
        json!([code, password]),
        json!([code]),
    ] {
        let body = json!({ "source": "https://a.example.com", "credentials": credentials });
        api.post("/v1/identities", body).await.ok();
    }
    let found = api
        .get(&format!("/v1/applications/{id}/identities"))
        .await
        .ok()
        .at("/identities");
    let linked: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["auth_flow"].clone())
        .collect();
    assert_eq!(
        linked,
        [Value::Null, json!("plain"), json!("with code"), Value::Null]
    );
}

#[tokio::test]
async fn a_token_is_answered_once_with_its_digest() {
    let api = Api::start().await;
    let id = application(&api, json!({ "source": "https://a.example.com" })).await;
    let path = format!("/v1/applications/{id}/tokens");
    let made = api
        .post(&path, json!({ "callbackUrl": "https://example.com/back" }))
        .await;
    assert_eq!(
        (made.status, made.text("/expiresAt")),
        (201, "2026-01-01T01:00:00.000Z".to_owned())
    );
    let digest: [u8; 32] = Sha256::digest(made.text("/token")).into();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(made.text("/tokenHash"), digits);
    let again = api
        .post(&path, json!({ "callbackUrl": "https://example.com/back" }))
        .await
        .ok();
    assert_ne!(again.text("/token"), made.text("/token"));
    for url in [
        "http://example.com/back",
        "https:",
        "javascript:alert(1)",
        "nothing",
    ] {
        let text = api
            .post(&path, json!({ "callbackUrl": url }))
            .await
            .refused(400);
        assert!(text.contains("callbackUrl"), "{text}");
    }
}
