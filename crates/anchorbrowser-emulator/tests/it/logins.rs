//! The guided login.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Api, Reply};

const CANARY: &str = "canary-login-0815";
const LOGIN: Duration = Duration::from_millis(500);
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// A guided login in a session of its own.
struct Login {
    api: Api,
    session: String,
}

impl Login {
    async fn new() -> Self {
        let api = Api::start().await;
        let session = api.session(json!({})).await;
        Self { api, session }
    }

    /// At the form for the password of `host`.
    async fn at_password(host: &str) -> Self {
        let login = Self::new().await;
        login.start(host).await.ok();
        login.resolve(json!({ "choice": "password" })).await.ok();
        login
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/identities/dynamic/{what}/{}", self.session)
    }

    async fn state(&self) -> Reply {
        self.api.get(&self.path("state")).await
    }

    fn begin(&self, host: &str) -> impl Future<Output = Reply> {
        let path = self.path("start");
        let body = json!({ "url": format!("https://{host}/login"), "host": host });
        async move { self.api.post(&path, body).await }
    }

    /// Sends a request that runs a step, lets the step end, and gives the view.
    async fn step(&self, request: impl Future<Output = Reply>) -> Reply {
        let passes = async {
            for _ in 0..1_000 {
                let state = self.state().await;
                if state.status == 200 && state.text("/phase") == "navigating" {
                    return self.api.advance(LOGIN);
                }
            }
            panic!("the step does not begin");
        };
        tokio::join!(request, passes).0
    }

    async fn start(&self, host: &str) -> Reply {
        self.step(self.begin(host)).await
    }

    async fn resolve(&self, body: Value) -> Reply {
        let path = self.path("resolve");
        self.step(self.api.post(&path, body)).await
    }

    async fn sign_in(&self, password: &str) -> Reply {
        let values = json!({ "username": "ann@example.com", "password": password });
        self.resolve(json!({ "option_index": 0, "values": values }))
            .await
    }

    async fn finalize(&self, body: Value) -> Reply {
        self.api.post(&self.path("finalize"), body).await
    }
}

#[tokio::test]
async fn a_login_goes_from_a_decision_to_an_identity() {
    let login = Login::new().await;
    let view = login.start("app.example.com").await.ok();
    assert_eq!(
        (view.text("/type"), view.text("/options/0/step_id")),
        ("decision".to_owned(), "password".to_owned())
    );
    let form = login.resolve(json!({ "choice": "password" })).await.ok();
    assert_eq!(
        (form.text("/type"), form.text("/options/0/inputs/1/name")),
        ("form".to_owned(), "password".to_owned())
    );
    let last = login.sign_in(CANARY).await.ok();
    assert_eq!(last.text("/type"), "authenticated");
    let state = login.state().await.ok();
    assert_eq!(
        (state.at("/view"), state.text("/nav/status")),
        (last.json.clone(), "succeeded".to_owned())
    );
    let saved = login
        .finalize(json!({ "identity_name": "Ann", "profile_name": "ann" }))
        .await
        .ok();
    assert_eq!(
        (saved.at("/automatable"), saved.at("/nonAutomatableReasons")),
        (json!(true), json!([]))
    );
    let id = saved.text("/identityId");
    let identity = login.api.get(&format!("/v1/identities/{id}")).await.ok();
    assert_eq!(
        (identity.text("/name"), identity.text("/status")),
        ("Ann".to_owned(), "validated".to_owned())
    );
    assert_eq!(identity.text("/source"), "https://app.example.com/login");
    let again = login.finalize(json!({})).await.refused(409);
    assert!(again.contains(&id), "{again}");
    login
        .api
        .delete(&format!("/v1/sessions/{}", login.session))
        .await
        .ok();
    let profile = login.api.get("/v1/profiles/ann").await.ok();
    assert_eq!(
        (
            profile.text("/data/status"),
            profile.text("/data/session_id")
        ),
        ("ready".to_owned(), login.session.clone())
    );
    let repeated = login
        .api
        .post(
            &format!("/v1/identities/{id}/reauthenticate"),
            json!({ "sync": false }),
        )
        .await
        .ok();
    assert_eq!(repeated.text("/method"), "profile");
    for answer in [form, last, state, saved, identity, repeated] {
        assert!(!answer.json.to_string().contains(CANARY), "{}", answer.json);
    }
}

#[tokio::test]
async fn one_step_runs_at_a_time() {
    let login = Login::new().await;
    let meanwhile = async {
        while login.state().await.status != 200 {}
        let state = login.state().await.ok();
        assert_eq!(
            (state.text("/phase"), state.text("/nav/status")),
            ("navigating".to_owned(), "pending".to_owned())
        );
        assert_eq!(
            (
                state.text("/discovery_status"),
                state.text("/target/step_id")
            ),
            ("in_progress".into(), "sign-in-options".into())
        );
        assert_eq!(
            (state.json.get("view"), state.at("/updated_at")),
            (None, json!(1_767_225_600_000_u64))
        );
        login.begin("app.example.com").await.refused(409);
        login
            .api
            .post(&login.path("resolve"), json!({ "choice": "password" }))
            .await
            .refused(409);
        login.finalize(json!({})).await.refused(409);
        login.api.advance(LOGIN);
    };
    tokio::join!(login.begin("app.example.com"), meanwhile)
        .0
        .ok();
    assert_eq!(login.state().await.ok().text("/phase"), "settled");
}

#[tokio::test]
async fn a_second_factor_is_asked_for() {
    let cases = [
        (
            json!({ "option_index": 0, "values": { "code": "123456" } }),
            false,
        ),
        (
            json!({ "option_index": 1, "values": { "code": "123456" } }),
            false,
        ),
        (
            json!({ "option_index": 2, "values": { "secret": CANARY } }),
            true,
        ),
    ];
    for (body, automatable) in cases {
        let login = Login::at_password("mfa.example.com").await;
        let view = login.sign_in(CANARY).await.ok();
        assert_eq!(
            (view.at("/credentials_passed"), view.count("/options")),
            (json!(true), 3)
        );
        let rejected = login
            .resolve(json!({ "option_index": 0, "values": { "code": "wrong" } }))
            .await
            .ok();
        assert_eq!(
            (
                rejected.at("/credentials_rejected"),
                rejected.text("/step_id")
            ),
            (json!(true), "second-factor".into())
        );
        assert_eq!(
            login.resolve(body).await.ok().text("/type"),
            "authenticated"
        );
        let saved = login.finalize(json!({})).await.ok();
        assert_eq!(saved.at("/automatable"), automatable);
        assert_eq!(
            saved.count("/nonAutomatableReasons"),
            usize::from(!automatable)
        );
    }
}

#[tokio::test]
async fn single_sign_on_needs_a_person() {
    let login = Login::new().await;
    let decision = login.start("app.example.com").await.ok();
    assert_eq!(decision.at("/options/1/automatable"), false);
    let form = login
        .resolve(json!({ "choice": decision.text("/options/1/step_id") }))
        .await
        .ok();
    assert_eq!(
        (
            form.text("/options/0/type"),
            form.count("/options/0/inputs")
        ),
        ("sso".to_owned(), 0)
    );
    assert_eq!(
        login
            .resolve(json!({ "option_index": 0, "values": {} }))
            .await
            .ok()
            .text("/type"),
        "authenticated"
    );
    let saved = login.finalize(json!({})).await.ok();
    assert_eq!(saved.at("/automatable"), false);
    let path = format!(
        "/v1/identities/{}/reauthenticate",
        saved.text("/identityId")
    );
    login.api.act(&path).await.refused(412);
}

#[tokio::test]
async fn wrong_values_are_rejected_three_times() {
    let login = Login::at_password("app.example.com").await;
    for _ in 0..2 {
        let view = login.sign_in("wrong").await.ok();
        assert_eq!(
            (view.text("/type"), view.at("/credentials_rejected")),
            ("form".to_owned(), json!(true))
        );
        let state = login.state().await.ok();
        assert_eq!(
            (
                state.text("/nav/status"),
                state.at("/nav/credentials_rejected")
            ),
            ("failed".to_owned(), json!(true))
        );
    }
    let view = login.sign_in("wrong").await.ok();
    assert_eq!(
        (view.text("/type"), view.at("/retryable")),
        ("failed".to_owned(), json!(true))
    );
    login
        .api
        .post(&login.path("resolve"), json!({ "choice": "password" }))
        .await
        .refused(409);
    login.finalize(json!({})).await.refused(409);
    login.start("app.example.com").await.ok();
    login.resolve(json!({ "choice": "password" })).await.ok();
    let values = json!({ "username": "fail@example.com", "password": "right" });
    let view = login
        .resolve(json!({ "option_index": 0, "values": values }))
        .await
        .ok();
    assert_eq!(view.at("/credentials_rejected"), true);
    assert_eq!(
        login.sign_in("right").await.ok().text("/type"),
        "authenticated"
    );
}

#[tokio::test]
async fn some_hosts_are_special() {
    let login = Login::at_password("locked.example.com").await;
    let view = login.sign_in("right").await.ok();
    assert_eq!(
        (view.text("/type"), view.at("/retryable")),
        ("failed".to_owned(), json!(false))
    );

    let login = Login::new().await;
    let view = login.start("undetectable.example.com").await.ok();
    assert_eq!(
        (view.text("/type"), view.at("/retryable")),
        ("detection_failed".to_owned(), json!(true))
    );
    login.api.advance(10 * LOGIN);
    let state = login.state().await.ok();
    assert_eq!(
        (state.text("/view/type"), state.text("/discovery_status")),
        ("detection_failed".into(), "failed".into())
    );
    assert_eq!(
        login.start("app.example.com").await.ok().text("/type"),
        "decision",
        "it can start anew"
    );

    let view = login.start("slow.example.com").await.ok();
    assert_eq!(
        (view.text("/type"), view.at("/retryable")),
        ("detection_failed".to_owned(), json!(true))
    );
    assert_eq!(
        login.state().await.ok().text("/discovery_status"),
        "in_progress"
    );
    login.api.advance(LOGIN);
    let state = login.state().await.ok();
    assert_eq!(
        (state.text("/view/type"), state.text("/discovery_status")),
        ("decision".into(), "complete".into())
    );
    login.resolve(json!({ "choice": "password" })).await.ok();
}

#[tokio::test]
async fn a_start_needs_a_running_session_and_a_host_that_fits() {
    let login = Login::new().await;
    let cases = [
        ("https://app.example.com/login", "example.com", "body.host"),
        ("https://app.example.com/login", "", "body.host"),
        ("ftp://app.example.com/login", "app.example.com", "body.url"),
        ("nothing", "nothing", "body.url"),
    ];
    for (url, host, part) in cases {
        let text = login
            .api
            .post(&login.path("start"), json!({ "url": url, "host": host }))
            .await
            .refused(400);
        assert!(text.contains(part), "{text}");
    }
    login.state().await.refused(404);
    login.finalize(json!({})).await.refused(404);
    let body = json!({ "url": "https://app.example.com", "host": "app.example.com" });
    login
        .api
        .post(
            &format!("/v1/identities/dynamic/start/{UNKNOWN}"),
            body.clone(),
        )
        .await
        .refused(404);
    login
        .api
        .delete(&format!("/v1/sessions/{}", login.session))
        .await
        .ok();
    login
        .api
        .post(&login.path("start"), body)
        .await
        .refused(404);
}

#[tokio::test]
async fn a_port_belongs_to_the_host_or_not() {
    for host in ["app.example.com:8443", "APP.example.com"] {
        let login = Login::new().await;
        let body = json!({ "url": "https://app.example.com:8443/login", "host": host });
        let path = login.path("start");
        assert_eq!(
            login
                .step(login.api.post(&path, body))
                .await
                .ok()
                .text("/type"),
            "decision"
        );
    }
}

#[tokio::test]
async fn an_answer_must_fit_the_view() {
    let login = Login::new().await;
    login.start("app.example.com").await.ok();
    let refused = async |body: Value| {
        login
            .api
            .post(&login.path("resolve"), body)
            .await
            .refused(400)
    };
    let values = json!({ "username": "ann", "password": CANARY });
    let text = refused(json!({ "option_index": 0, "values": values })).await;
    assert!(text.contains("choice") && !text.contains(CANARY), "{text}");
    refused(json!({ "choice": "unknown" })).await;
    refused(json!({})).await;
    refused(json!({ "choice": "password", "option_index": 0, "values": {} })).await;
    login.resolve(json!({ "choice": "password" })).await.ok();
    assert!(
        refused(json!({ "choice": "password" }))
            .await
            .contains("option_index")
    );
    assert!(
        refused(json!({ "option_index": 1, "values": values }))
            .await
            .contains("body.option_index")
    );
    for values in [
        json!({}),
        json!({ "username": CANARY }),
        json!({ "username": CANARY, "password": "x", "more": "x" }),
        json!({ "username": "x", "code": CANARY }),
    ] {
        let text = refused(json!({ "option_index": 0, "values": values })).await;
        assert!(
            text.contains("username, password") && !text.contains(CANARY),
            "{text}"
        );
    }
    assert_eq!(
        login.sign_in(CANARY).await.ok().text("/type"),
        "authenticated",
        "a refusal leaves all as it was"
    );
}

#[tokio::test]
async fn the_end_of_the_session_ends_the_login() {
    let login = Login::at_password("app.example.com").await;
    let ends = async {
        while login.state().await.ok().text("/phase") != "navigating" {}
        login
            .api
            .delete(&format!("/v1/sessions/{}", login.session))
            .await
            .ok();
    };
    let body = json!({ "option_index": 0, "values": { "username": "ann", "password": CANARY } });
    let path = login.path("resolve");
    let (reply, ()) = tokio::join!(login.api.post(&path, body), ends);
    assert!(reply.refused(404).contains("ended"));
    login.state().await.refused(404);
}

#[tokio::test]
async fn the_names_of_an_identity_and_a_profile_can_be_left_out() {
    let login = Login::at_password("app.example.com").await;
    login.sign_in(CANARY).await.ok();
    login
        .api
        .post("/v1/profiles", json!({ "name": "taken" }))
        .await
        .ok();
    login
        .finalize(json!({ "profile_name": "taken" }))
        .await
        .refused(409);
    let saved = login.api.act(&login.path("finalize")).await.ok();
    let profile = login
        .api
        .get(&format!("/v1/profiles/{}", saved.text("/profileName")))
        .await
        .ok();
    assert_eq!(
        profile.text("/data/status"),
        "pending",
        "it is stored when the session ends"
    );
    let identity = login
        .api
        .get(&format!("/v1/identities/{}", saved.text("/identityId")))
        .await
        .ok();
    assert_eq!(identity.text("/name"), "app.example.com");
}
