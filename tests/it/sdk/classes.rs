//! How often each method is sent under each fault: what must not be sent twice never is.

use anchorbrowser::{Client, Error, reqwest};
use anchorbrowser_api::{Class, Operation};
use anchorbrowser_emulator::{Emulator, Fault};
use tokio::task::JoinSet;

use super::methods::Method;

/// Operations that run something. They are sent once, whatever fails.
const RUNS: [&str; 4] = [
    "perform_web_task",
    "run_adhoc_task",
    "run_task",
    "run_task_by_name",
];

/// What is known of a request after a fault. It decides who may send it again.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    /// It certainly had no effect, and may succeed later.
    Unprocessed,
    /// It certainly had no effect, and the server wants it again, by `x-should-retry` alone.
    Wanted,
    /// It certainly had no effect, and would have none again.
    Refused,
    /// It may have had its effect.
    Unknown,
    /// It may have had its effect, and would fail again.
    Final,
}

impl After {
    /// How often a request is sent that fails so each time. There are two repeats at most.
    fn sent(self, operation: &Operation) -> usize {
        let is_harmless = operation.class != Class::Once;
        let again = match self {
            Self::Unprocessed | Self::Wanted => true,
            Self::Unknown => is_harmless,
            Self::Refused | Self::Final => false,
        };
        match again && !RUNS.contains(&operation.id) {
            true => 3,
            false => 1,
        }
    }

    fn may_have_been_processed(self) -> bool {
        matches!(self, Self::Unknown | Self::Final)
    }
}

fn faults() -> [(&'static str, Fault, After); 20] {
    let status = Fault::status;
    let asked = |name, wait| status(503).header(name, wait);
    let told = |code, word| status(code).header("x-should-retry", word).processed();
    [
        ("reset before", Fault::reset_before(), After::Unknown),
        ("reset after", Fault::reset_after(), After::Unknown),
        ("cut body", Fault::cut_body(1), After::Unknown),
        ("invalid JSON", Fault::invalid_json(), After::Final),
        ("200, a page", Fault::html(200).processed(), After::Final),
        ("404", status(404), After::Refused),
        ("408", status(408), After::Final),
        ("409", status(409), After::Refused),
        ("429", status(429), After::Unprocessed),
        ("500", status(500).processed(), After::Unknown),
        ("501", status(501).processed(), After::Final),
        ("502, a page", Fault::html(502), After::Unknown),
        ("503", status(503).processed(), After::Unknown),
        ("503, in 0 s", asked("retry-after", "0"), After::Unprocessed),
        (
            "503, in 1 ms",
            asked("retry-after-ms", "1"),
            After::Unprocessed,
        ),
        ("504", status(504).processed(), After::Unknown),
        ("400, retry", told(400, "true"), After::Wanted),
        ("500, retry", told(500, "true"), After::Unknown),
        ("429, no retry", told(429, "false"), After::Refused),
        ("500, no retry", told(500, "false"), After::Final),
    ]
}

/// Whether a call succeeds under a fault, rightly: what cannot be read is not read.
fn is_success(operation: &Operation, fault: &str) -> bool {
    match fault {
        // A body that is a stream has not been read, and one that is nothing is not looked at.
        "cut body" | "invalid JSON" | "200, a page" => {
            matches!(operation.response, Some("bytes") | None)
        }
        // It tells that the event did not come.
        "408" => operation.id == "wait_for_event",
        _ => false,
    }
}

/// Calls a method under each fault, and gives how many requests that took.
async fn under_each_fault(
    method: &Method,
    client: &Client,
    emulator: &Emulator,
) -> anyhow::Result<usize> {
    let mut count = 0;
    for (name, fault, after) in faults() {
        emulator.clear_faults();
        emulator.clear_exchanges();
        emulator.fault(fault.always())?;
        let result = (method.call)(client.clone()).await;
        let exchanges = emulator.exchanges();
        let id = exchanges[0].operation.clone();
        let operation = Operation::find(id.as_deref().unwrap_or_default()).unwrap();
        let case = format!("{} under {name}: {result:?}", method.name);
        assert!(exchanges.iter().all(|it| it.operation == id), "{case}");
        let sent = exchanges.len();
        match &result {
            Ok(()) => assert!(sent == 1 && is_success(operation, name), "{case}"),
            Err(error) => {
                assert_eq!(sent, after.sent(operation), "{case}");
                check(error, operation, after, sent, &case);
            }
        }
        count += sent;
    }
    Ok(count)
}

/// What the error says fits what was sent.
fn check(error: &Error, operation: &Operation, after: After, sent: usize, case: &str) {
    super::survive::check_text(error, operation.id);
    let possible = after.may_have_been_processed();
    assert_eq!(error.may_have_been_processed(), possible, "{case}");
    assert_eq!(error.attempts() as usize, sent, "{case}");
}

/// Tests some methods on an emulator of their own, and gives how many requests that took.
async fn part(methods: Vec<Method>, http: reqwest::Client) -> anyhow::Result<usize> {
    let emulator = Emulator::builder().stateless(true).start().await?;
    let mut count = 0;
    for method in methods {
        // One for each method: the retry budget does not last for two.
        let client = super::builder(&emulator).http_client(http.clone());
        count += under_each_fault(&method, &client.build()?, &emulator).await?;
    }
    Ok(count)
}

#[tokio::test]
async fn each_method_is_sent_as_often_as_is_harmless() -> anyhow::Result<()> {
    let (http, mut methods) = (super::survive::http_client()?, super::coverage::all());
    let (once, mut count) = (methods.len() * faults().len(), 0);
    let mut parts = JoinSet::new();
    while !methods.is_empty() {
        let rest = methods.split_off(methods.len().min(20));
        parts.spawn(part(std::mem::replace(&mut methods, rest), http.clone()));
    }
    while let Some(done) = parts.join_next().await {
        count += done??;
    }
    assert!(count > once, "nothing was repeated");
    Ok(())
}
