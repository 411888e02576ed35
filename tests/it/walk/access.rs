//! Keys for agents, and what things cost.

use anchorbrowser_api::types::{self, Granularity};

use super::{Walk, ok};

pub(super) async fn walk(walk: &Walk) {
    key(walk).await;
    billing(walk).await;
}

/// An agent earns a key of its own.
async fn key(walk: &Walk) {
    let client = &walk.client;
    let guide = ok(client.get_agent_access_guide().send()).await;
    assert_eq!(guide.flow.len(), 3);
    walk.says(guide.next.unwrap().method, "GET");

    let challenge = ok(client.get_agent_access_challenge().send()).await;
    let (token, page) = (challenge.token.unwrap(), challenge.appendix_ref.unwrap());
    let appendix = ok(client
        .get_agent_access_appendix()
        .appendix_ref(&page)
        .send())
    .await;
    assert_eq!(appendix.appendix_ref, Some(page));
    let inventory = appendix.inventory.unwrap();
    let parts = inventory.lines().filter_map(|line| line.split_once(": "));
    let wanted = parts.filter(|(part, _)| ["bolts", "nuts"].contains(part));
    let answer: u32 = wanted.map(|(_, count)| count.parse::<u32>().unwrap()).sum();

    let body = types::CreateAgentAccessProjectBody::new(token, answer.to_string());
    let project = ok(client.create_agent_access_project().body(body).send()).await;
    assert_eq!(project.credits_granted, guide.credits.unwrap().anonymous);
    assert!(!project.api_key.unwrap().expose().is_empty());
}

async fn billing(walk: &Walk) {
    let client = &walk.client;
    let session = walk.session().await;
    walk.passes(60_000);
    ok(client.delete_session().session_id(&session).send()).await;
    let billing = ok(client.get_billing().granularity(Granularity::Day).send()).await;
    let (data, usage) = (billing.data.unwrap(), billing.usage.unwrap());
    assert!(data.credits_used.unwrap() > 0.0);
    assert_eq!(usage.total_credits_used, data.credits_used);
    walk.says(usage.granularity, "day");
}
