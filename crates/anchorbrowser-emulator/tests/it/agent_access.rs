//! Keys for agents.

use std::time::Duration;

use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

const PATH: &str = "/v1/agent-access";

/// A request without a key.
async fn get(api: &Api, path: &str) -> Reply {
    let url = format!("{}{path}", api.emulator.base_url());
    api.send(reqwest::Client::new().get(url)).await
}

/// The answer, as the prompt asks for it.
fn solve(inventory: &str) -> String {
    let count = |name: &str| -> u32 {
        let line = inventory
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .expect("a line");
        line.parse().expect("a number")
    };
    (count("bolts") + count("nuts")).to_string()
}

/// A challenge's token and its right answer.
pub(crate) async fn challenge(api: &Api) -> (String, String) {
    let challenge = get(api, &format!("{PATH}/challenge")).await.ok();
    let appendix = format!("{PATH}/appendix/{}", challenge.text("/appendix_ref"));
    assert_eq!(
        challenge.text("/appendix_url"),
        format!("{}{appendix}", api.emulator.base_url())
    );
    assert_eq!(challenge.text("/next/path"), appendix);
    let inventory = get(api, &appendix).await.ok().text("/inventory");
    (challenge.text("/token"), solve(&inventory))
}

async fn submit(api: &Api, body: Value) -> Reply {
    let url = format!("{}{PATH}", api.emulator.base_url());
    api.send(reqwest::Client::new().post(url).json(&body)).await
}

#[tokio::test]
async fn a_right_answer_gives_a_key_and_credits() {
    let api = Api::start().await;
    let guide = get(&api, PATH).await.ok();
    assert_eq!(
        (guide.count("/flow"), guide.text("/next/path")),
        (3, format!("{PATH}/challenge"))
    );
    let mut keys = Vec::new();
    for (identity, pointer) in [
        (None, "/credits/anonymous"),
        (Some("any"), "/credits/with_identity"),
    ] {
        let (token, answer) = challenge(&api).await;
        let mut body = json!({ "token": token, "answer": format!(" {answer} ") });
        if let Some(identity) = identity {
            body["identity_token"] = json!(identity);
        }
        let given = submit(&api, body).await.ok();
        assert_eq!(given.at("/credits_granted"), guide.at(pointer));
        assert_eq!(
            given.json.get("agent_identity_token").is_some(),
            identity.is_some()
        );
        keys.push(given.text("/api_key"));
    }
    assert_ne!(keys[0], keys[1]);
    let billing = api.get("/v1/billing").await.ok();
    assert_eq!(
        (
            billing.at("/data/gifts_balance"),
            billing.at("/data/credits")
        ),
        (json!(30.0), json!(1030.0))
    );
    let client = reqwest::Client::new();
    let session = client
        .post(format!("{}/v1/sessions", api.emulator.base_url()))
        .header("anchor-api-key", &keys[0]);
    api.send(session).await.ok();
}

#[tokio::test]
async fn other_answers_are_refused_with_the_next_step() {
    let api = Api::start().await;
    let (token, answer) = challenge(&api).await;
    let wrong = submit(&api, json!({ "token": token, "answer": "no" })).await;
    assert_eq!(
        (wrong.status, wrong.text("/next/method")),
        (400, "POST".to_owned())
    );
    submit(
        &api,
        json!({ "token": token, "answer": answer, "identity_token": "" }),
    )
    .await
    .refused(400);
    submit(&api, json!({ "token": token, "answer": answer }))
        .await
        .ok();
    let id = token.split('.').next().expect("an id");
    for token in [token.as_str(), "x", "x.y", id] {
        let reply = submit(&api, json!({ "token": token, "answer": answer })).await;
        assert_eq!(
            (reply.status, reply.text("/next/path")),
            (401, format!("{PATH}/challenge"))
        );
    }
    submit(&api, json!({ "token": token })).await.refused(400);
    get(&api, &format!("{PATH}/appendix/{id}"))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_challenge_is_good_for_its_time() {
    let api = Api::start().await;
    let limit = get(&api, PATH)
        .await
        .ok()
        .at("/ttl_seconds")
        .as_u64()
        .expect("seconds");
    let (late, in_time) = (challenge(&api).await, challenge(&api).await);
    let id = late.0.split('.').next().expect("an id").to_owned();
    api.advance(Duration::from_millis(limit * 1000 - 1));
    submit(&api, json!({ "token": in_time.0, "answer": in_time.1 }))
        .await
        .ok();
    api.advance(Duration::from_millis(1));
    submit(&api, json!({ "token": late.0, "answer": late.1 }))
        .await
        .refused(401);
    get(&api, &format!("{PATH}/appendix/{id}"))
        .await
        .refused(404);
}

#[tokio::test]
async fn a_key_from_agent_access_is_one_of_the_known_keys() {
    let api = Api::with(Emulator::builder().manual_clock().key("configured")).await;
    let (token, answer) = challenge(&api).await;
    let given = submit(&api, json!({ "token": token, "answer": answer }))
        .await
        .ok()
        .text("/api_key");
    let digit = if given.ends_with('0') { "1" } else { "0" };
    let near = format!("{}{digit}", &given[..given.len() - 1]);
    for (key, status) in [
        ("configured", 200),
        (given.as_str(), 200),
        (near.as_str(), 401),
        ("other", 401),
    ] {
        let url = format!("{}/v1/billing", api.emulator.base_url());
        let reply = api
            .send(
                reqwest::Client::new()
                    .get(url)
                    .header("anchor-api-key", key),
            )
            .await;
        assert_eq!(reply.status, status);
    }
}

#[tokio::test]
async fn sessions_of_an_agent_last_for_twenty_minutes() {
    let api = Api::start().await;
    let (token, answer) = challenge(&api).await;
    let answer = submit(&api, json!({ "token": token, "answer": answer })).await;
    let minutes = answer.at("/limits/session_max_duration_minutes").as_u64();
    let endless = json!({ "session": { "timeout": { "max_duration": -1, "idle_timeout": -1 } } });
    let own = api.session(endless.clone()).await;
    let url = format!("{}/v1/sessions", api.emulator.base_url());
    let request = reqwest::Client::new().post(url).json(&endless);
    let request = request.header("anchor-api-key", answer.text("/api_key"));
    let session = api.send(request).await.ok().text("/data/id");
    for (seconds, status) in [
        (minutes.expect("a number") * 60 - 1, "running"),
        (1, "completed"),
    ] {
        api.advance(Duration::from_secs(seconds));
        let session = api.get(&format!("/v1/sessions/{session}")).await.ok();
        assert_eq!(session.text("/data/status"), status);
    }
    let own = api.get(&format!("/v1/sessions/{own}")).await.ok();
    assert_eq!(own.text("/data/status"), "running");
}
