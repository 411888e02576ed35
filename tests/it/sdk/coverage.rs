//! Which method of the SDK reaches which operation.

use std::collections::BTreeMap;

use anchorbrowser::{Client, ErrorKind};
use anchorbrowser_api::OPERATIONS;
use anchorbrowser_emulator::Emulator;

use super::methods::Method;

/// The methods of each resource.
pub(crate) fn all() -> Vec<Method> {
    let all = [
        super::agent::methods(),
        super::agent_access::methods(),
        super::applications::methods(),
        super::batch_sessions::methods(),
        super::billing::methods(),
        super::certificates::methods(),
        super::control::methods(),
        super::events::methods(),
        super::extensions::methods(),
        super::files::methods(),
        super::identities::methods(),
        super::integrations::methods(),
        super::profiles::methods(),
        super::recordings::methods(),
        super::sessions::methods(),
        super::tasks::methods(),
        super::tasks_legacy::methods(),
        super::tools::methods(),
        super::volumes::methods(),
        super::webhooks::methods(),
    ];
    all.into_iter().flatten().collect()
}

/// Each method is called once; what the emulator saw says which operations it reaches. All answers
/// are made from the document's schemas, so each method also reads what it may get.
#[tokio::test]
async fn each_operation_is_reached_by_a_method() -> anyhow::Result<()> {
    let mut reached: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for drift in [false, true] {
        let emulator = Emulator::builder()
            .stateless(true)
            .drift(drift)
            .start()
            .await?;
        let client = super::client(&emulator);
        for method in all().into_iter().chain(super::waiting::methods()) {
            emulator.clear_exchanges();
            reach(&method, &client).await;
            for exchange in emulator.exchanges() {
                assert!(
                    exchange.violations.is_empty(),
                    "{}: {exchange:#?}",
                    method.name
                );
                let methods = reached
                    .entry(exchange.operation.unwrap_or_default())
                    .or_default();
                let name = shorten(method.name);
                if !methods.contains(&name) {
                    methods.push(name);
                }
            }
        }
    }
    let lines = OPERATIONS.iter().map(|operation| {
        let methods = reached.get(operation.id).map(|list| list.join(", "));
        format!(
            "{:33} {}\n",
            operation.id,
            methods.unwrap_or_else(|| "-".to_owned())
        )
    });
    crate::snapshot::check("coverage", &lines.collect::<String>());
    Ok(())
}

/// Calls a method until it succeeds. A sample may lack what the SDK takes to be always there, or say
/// that the service failed; the next one is another.
async fn reach(method: &Method, client: &Client) {
    for _ in 0..50 {
        match (method.call)(client.clone()).await {
            Ok(()) => return,
            Err(error) if error.kind() == ErrorKind::Failed => {}
            Err(error) if error.to_string().contains("the answer has no `") => {}
            Err(error) => panic!("{}: {error}", method.name),
        }
    }
    panic!("{}: it takes no sample", method.name);
}

/// The call on one line, without its arguments.
fn shorten(name: &str) -> String {
    let mut depth = 0;
    let short = name.chars().filter(|&c| {
        depth -= i32::from(c == ')');
        let keep = depth == 0 && !c.is_whitespace();
        depth += i32::from(c == '(');
        keep
    });
    short.collect::<String>().replacen("client.", "", 1)
}
