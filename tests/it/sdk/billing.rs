//! Credits and usage.

use anchorbrowser::billing::{BrowserLimit, Granularity};
use anchorbrowser_emulator::{Emulator, Fault};
use serde_json::json;

use super::methods::{Method, methods};

const FROM: &str = "2026-05-01T00:00:00Z";
const TO: &str = "2026-05-03T00:00:00Z";

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.billing().get().from_date(FROM).to_date(TO).granularity(Granularity::Day).send(),
    )
}

#[tokio::test]
async fn usage_comes_only_if_it_is_asked_for() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    client.sessions().create().send().await?.end().await?;
    let billing = client.billing().get().send().await?;
    assert!(billing.usage.is_none());
    assert_eq!(
        billing.max_concurrent_browsers,
        Some(BrowserLimit::Unlimited)
    );
    assert!(billing.credits_used > Some(0.0) && billing.credits < billing.included_credits);
    assert_eq!(
        (billing.cost_limit, billing.tier.as_deref()),
        (None, Some("growth"))
    );

    let usage = client
        .billing()
        .get()
        .granularity(Granularity::Week)
        .send()
        .await?
        .usage
        .unwrap();
    assert_eq!(
        (usage.granularity, usage.credits_used),
        (Some(Granularity::Week), billing.credits_used)
    );

    let get = client.billing().get().from_date(FROM).to_date(TO);
    let usage = get.send().await?.usage.unwrap();
    let from = usage.from_date.unwrap().to_utc();
    assert_eq!(from, anchorbrowser::Timestamp::from(FROM).to_utc());
    assert_eq!(
        (usage.granularity, usage.buckets.len()),
        (Some(Granularity::Day), 3)
    );
    let first = &usage.buckets[0];
    assert_eq!(
        (first.credits_used, first.date.as_ref().unwrap().to_utc()),
        (Some(0.0), from)
    );

    let many = client
        .billing()
        .get()
        .granularity(Granularity::Hour)
        .from_date("2020-01-01T00:00:00Z");
    assert_eq!(many.send().await.unwrap_err().status().unwrap(), 400);
    Ok(())
}

#[tokio::test]
async fn the_limit_of_browsers_is_read() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = super::client(&emulator);
    for (number, limit) in [
        (json!(-1), Some(BrowserLimit::Unlimited)),
        (json!(-1.0), Some(BrowserLimit::Unlimited)),
        (json!(0), Some(BrowserLimit::AtMost(0))),
        (json!("25"), Some(BrowserLimit::AtMost(25))),
        (json!(-2), None),
        (json!(null), None),
    ] {
        let data = json!({ "data": { "max_concurrent_browsers": number } });
        emulator.fault(Fault::status(200).json(data))?;
        let billing = client.billing().get().send().await?;
        assert_eq!(billing.max_concurrent_browsers, limit, "{number}");
    }
    Ok(())
}
