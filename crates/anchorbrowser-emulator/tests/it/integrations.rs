//! Integrations: their life, and that their credentials stay inside.

use serde_json::{Value, json};

use crate::support::Api;

const CANARY: &str = "canary-ops-token-77";

fn request(name: &str, token: &str) -> Value {
    let credentials = json!({ "type": "serviceAccount", "data": { "serviceAccount": token } });
    json!({ "name": name, "type": "1PASSWORD", "credentials": credentials })
}

#[tokio::test]
async fn an_integration_comes_and_goes_without_showing_its_credentials() {
    let api = Api::start().await;
    let made = api
        .post("/v1/integrations", request("vault", CANARY))
        .await
        .ok();
    let id = made.text("/data/integration/id");
    assert_eq!(made.text("/data/integration/type"), "1PASSWORD");
    let listed = api.get("/v1/integrations").await.ok();
    assert_eq!(
        listed.at("/data/integrations"),
        json!([made.at("/data/integration")])
    );
    let used = json!({ "id": id, "type": "1PASSWORD", "configuration": { "load_mode": "all" } });
    api.session(json!({ "integrations": [used] })).await;
    let gone = api.delete(&format!("/v1/integrations/{id}")).await.ok();
    let path = made.text("/data/integration/path");
    assert_eq!(
        gone.at("/data/integration"),
        json!({ "id": id, "deleted": true, "path": path })
    );
    assert!(
        [made.json, listed.json, gone.json]
            .iter()
            .all(|json| !json.to_string().contains(CANARY))
    );
    api.delete(&format!("/v1/integrations/{id}"))
        .await
        .refused(404);
    assert_eq!(
        api.get("/v1/integrations")
            .await
            .ok()
            .count("/data/integrations"),
        0
    );
}

#[tokio::test]
async fn refusals_do_not_repeat_the_credentials() {
    let api = Api::start().await;
    let mut cases = vec![
        (request("", CANARY), "body.name"),
        (request(" ", CANARY), "body.name"),
        (request("vault", ""), "serviceAccount"),
    ];
    let (mut kind, mut data) = (request("vault", CANARY), request("vault", CANARY));
    kind["type"] = json!("OTHER");
    data["credentials"]["data"] = json!({ "serviceAccount": [CANARY] });
    cases.extend([(kind, "body.type"), (data, "serviceAccount")]);
    for (body, part) in cases {
        let text = api.post("/v1/integrations", body).await.refused(400);
        assert!(text.contains(part) && !text.contains(CANARY), "{text}");
    }
}
