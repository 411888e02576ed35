//! Asynchronous sessions and batches under any sequence of actions: what may never happen, never happens.

use std::collections::BTreeMap;
use std::time::Duration;

use anchorbrowser_emulator::{Builder, Emulator};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Api, Reply};

#[derive(Clone, Debug)]
enum Action {
    Request,
    Batch {
        count: usize,
    },
    Advance {
        millis: u64,
    },
    Cancel {
        which: usize,
    },
    Delete {
        which: usize,
    },
    Retry {
        which: usize,
        failed_only: bool,
        attempts: u8,
    },
    EndSession {
        which: usize,
    },
    EndAll,
}

#[derive(Clone, Debug)]
struct Setting {
    millis: [u64; 3],
    rate: f64,
    items: Vec<usize>,
    retries_fail: bool,
}

impl Setting {
    fn builder(self) -> Builder {
        let [queued, provisioning, configuring] = self.millis.map(Duration::from_millis);
        Emulator::builder()
            .manual_clock()
            .timing(|it| {
                (it.queued, it.provisioning, it.configuring) = (queued, provisioning, configuring)
            })
            .failures(|it| {
                (it.session_rate, it.batch_items, it.retries_fail) =
                    (self.rate, self.items, self.retries_fail)
            })
    }
}

fn settings() -> impl Strategy<Value = Setting> {
    let millis = prop_oneof![Just(0_u64), 1..300_u64];
    let rate = prop_oneof![3 => Just(0.0), 2 => Just(0.4), 1 => Just(1.0)];
    (
        prop::array::uniform3(millis),
        rate,
        prop::collection::vec(0..8_usize, 0..3),
        any::<bool>(),
    )
        .prop_map(|(millis, rate, items, retries_fail)| Setting {
            millis,
            rate,
            items,
            retries_fail,
        })
}

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Request),
        2 => prop_oneof![9 => 1..8_usize, 1 => Just(120)].prop_map(|count| Action::Batch { count }),
        6 => (0..400_u64).prop_map(|millis| Action::Advance { millis }),
        1 => any::<usize>().prop_map(|which| Action::Cancel { which }),
        1 => any::<usize>().prop_map(|which| Action::Delete { which }),
        3 => (any::<usize>(), any::<bool>(), 1..=3_u8)
            .prop_map(|(which, failed_only, attempts)| Action::Retry { which, failed_only, attempts }),
        2 => any::<usize>().prop_map(|which| Action::EndSession { which }),
        2 => Just(Action::EndAll),
    ]
}

/// How far a status is; ended ones are equally far. A request that was ready is completed when its
/// session ends.
fn rank(status: &str) -> u8 {
    match status {
        "pending" => 0,
        "processing" => 1,
        "ready" => 2,
        _ => 3,
    }
}

fn phase(reply: &Reply) -> usize {
    let name = reply.text("/data/progress/current_phase");
    ["queued", "provisioning", "configuring", "ready"]
        .iter()
        .position(|phase| *phase == name)
        .unwrap()
}

/// Statuses go forward, and ended ones stay.
#[track_caller]
fn forward(before: &str, after: &str) {
    assert!(
        rank(before) < rank(after) || before == after,
        "{before} became {after}"
    );
}

#[derive(Debug, Default)]
struct Seen {
    status: String,
    phase: usize,
    percentage: f64,
    items: Vec<String>,
}

/// What was seen so far.
struct Machine {
    api: Api,
    requests: BTreeMap<String, Seen>,
    batches: BTreeMap<String, Seen>,
    /// Whose each session is.
    sessions: BTreeMap<String, String>,
}

impl Machine {
    async fn act(&mut self, action: Action) {
        let api = &self.api;
        let pick = |which: usize| {
            let index = which.checked_rem(self.batches.len())?;
            self.batches.keys().nth(index).cloned()
        };
        match action {
            Action::Request => {
                let id = api
                    .post("/v1/sessions/async", json!({}))
                    .await
                    .ok()
                    .text("/data/request_id");
                assert!(
                    self.requests
                        .insert(
                            id,
                            Seen {
                                status: "pending".to_owned(),
                                ..Seen::default()
                            }
                        )
                        .is_none()
                );
            }
            Action::Batch { count } => {
                let id = api
                    .post("/v1/batch-sessions", json!({ "count": count }))
                    .await
                    .ok()
                    .text("/data/batch_id");
                let items = vec!["pending".to_owned(); count];
                let seen = Seen {
                    status: "pending".to_owned(),
                    items,
                    ..Seen::default()
                };
                assert!(self.batches.insert(id, seen).is_none());
            }
            Action::Advance { millis } => api.advance(Duration::from_millis(millis)),
            Action::Cancel { which } => {
                let Some(id) = pick(which) else { return };
                let open = rank(&self.batches[&id].status) < 2;
                let reply = api
                    .patch(
                        &format!("/v1/batch-sessions/{id}"),
                        json!({ "status": "cancelled" }),
                    )
                    .await;
                assert_eq!(reply.status, if open { 200 } else { 409 });
            }
            Action::Delete { which } => {
                let Some(id) = pick(which) else { return };
                let path = format!("/v1/batch-sessions/{id}");
                let reply = api.delete(&path).await.ok();
                let owned = self
                    .sessions
                    .values()
                    .filter(|owner| owner.starts_with(&id))
                    .count();
                assert!(reply.at("/data/deleted_sessions").as_u64() >= Some(owned as u64));
                api.get(&path).await.refused(404);
                self.batches.remove(&id);
                self.sessions.retain(|_, owner| !owner.starts_with(&id));
            }
            Action::Retry {
                which,
                failed_only,
                attempts,
            } => {
                let Some(id) = pick(which) else { return };
                self.retry(&id, failed_only, attempts).await;
            }
            Action::EndSession { which } => {
                let Some(index) = which.checked_rem(self.sessions.len()) else {
                    return;
                };
                let id = self.sessions.keys().nth(index).unwrap();
                api.delete(&format!("/v1/sessions/{id}")).await.ok();
            }
            Action::EndAll => drop(api.delete("/v1/sessions/all").await.ok()),
        }
    }

    async fn retry(&mut self, id: &str, failed_only: bool, attempts: u8) {
        let body = json!({ "retry_failed_only": failed_only, "max_retries": attempts });
        let reply = self
            .api
            .post(&format!("/v1/batch-sessions/{id}/retry"), body)
            .await;
        let seen = self.batches.get_mut(id).unwrap();
        let retried = |status: &str| status == "failed" || (!failed_only && status == "cancelled");
        let count = seen.items.iter().filter(|status| retried(status)).count();
        if !["completed", "failed"].contains(&seen.status.as_str()) || count == 0 {
            reply.refused(400);
            return;
        }
        assert_eq!(reply.ok().at("/data/retried_sessions"), count);
        seen.items
            .iter_mut()
            .filter(|status| retried(status))
            .for_each(|status| *status = "pending".to_owned());
        (seen.status, seen.phase, seen.percentage) = ("processing".to_owned(), 0, 0.0);
    }

    /// Looks at everything, and compares it with what was seen before.
    async fn look(&mut self) {
        let (api, sessions) = (&self.api, &mut self.sessions);
        api.emulator.clear_exchanges();
        for (id, seen) in &mut self.requests {
            let reply = api
                .get(&format!("/v1/sessions/async/{id}/status"))
                .await
                .ok();
            step(seen, &reply);
            if let Some(item) = reply.json.pointer("/data/session") {
                own(sessions, id, item);
            }
        }
        for (id, seen) in &mut self.batches {
            let reply = api.get(&format!("/v1/batch-sessions/{id}")).await.ok();
            step(seen, &reply);
            let percentage = reply.at("/data/progress/percentage").as_f64().unwrap();
            assert!(
                percentage >= seen.percentage,
                "{percentage} after {}",
                seen.percentage
            );
            seen.percentage = percentage;
            let items = reply.at("/data/sessions").as_array().unwrap().clone();
            assert_eq!(items.len(), seen.items.len());
            for (index, (item, before)) in items.iter().zip(&mut seen.items).enumerate() {
                let status = item["status"].as_str().unwrap();
                forward(before, status);
                status.clone_into(before);
                assert!(item.get("cdp_url").is_none() || status == "completed");
                assert!(item.get("session_id").is_none() || status != "pending");
                own(sessions, &format!("{id}/{index}"), item);
            }
            check_counts(&reply, &seen.items);
        }
    }
}

fn step(seen: &mut Seen, reply: &Reply) {
    let (status, phase) = (reply.text("/data/status"), phase(reply));
    forward(&seen.status, &status);
    assert!(phase >= seen.phase, "phase {phase} after {}", seen.phase);
    (seen.status, seen.phase) = (status, phase);
}

/// A session belongs to one request or item for ever.
fn own(sessions: &mut BTreeMap<String, String>, owner: &str, item: &Value) {
    if let Some(session) = item["session_id"].as_str() {
        let known = sessions
            .entry(session.to_owned())
            .or_insert_with(|| owner.to_owned());
        assert_eq!(known, owner);
    }
}

/// The counts add up, and are those of the items.
fn check_counts(reply: &Reply, items: &[String]) {
    let count = |name: &str| reply.at(&format!("/data/{name}_requests"));
    let of = |names: &[&str]| {
        json!(
            items
                .iter()
                .filter(|status| names.contains(&status.as_str()))
                .count()
        )
    };
    assert_eq!(count("total"), json!(items.len()));
    assert_eq!(count("completed"), of(&["completed"]));
    assert_eq!(count("failed"), of(&["failed", "cancelled"]));
    assert_eq!(count("processing"), of(&["processing"]));
    assert_eq!(count("pending"), of(&["pending"]));
    let open = items.iter().any(|status| rank(status) < 2);
    assert_eq!(open, rank(&reply.text("/data/status")) < 2, "{items:?}");
    assert_eq!(
        open,
        reply.json.pointer("/data/actual_completion_time").is_none()
    );
}

async fn run(setting: Setting, actions: Vec<Action>) {
    let api = Api::with(setting.builder()).await;
    let mut machine = Machine {
        api,
        requests: BTreeMap::new(),
        batches: BTreeMap::new(),
        sessions: BTreeMap::new(),
    };
    for action in actions {
        machine.act(action).await;
        machine.look().await;
    }
    machine.act(Action::Advance { millis: 10_000 }).await;
    machine.look().await;
    for seen in machine.requests.values().chain(machine.batches.values()) {
        assert!(rank(&seen.status) >= 2, "it never ended: {seen:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_runs_backwards(setting in settings(), actions in prop::collection::vec(actions(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(setting, actions));
    }
}
