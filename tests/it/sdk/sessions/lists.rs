//! Lists of sessions, and their history.

use super::*;

#[tokio::test]
async fn a_list_is_streamed_over_its_pages() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    for _ in 0..25 {
        client.sessions().create().tag("x").send().await?;
    }
    let sessions = client.sessions().list().tag("x").stream().collect().await?;
    assert_eq!(sessions.len(), 25);
    assert_eq!(emulator.count("list_sessions")?, 3);

    let third = client.sessions().list().page(3).send().await?;
    assert_eq!((third.items.len(), third.total), (5, Some(25)));
    assert!(third.next_page().is_none());
    let fifty = client.sessions().list().page_size(PageSize::Fifty);
    assert!(!fifty.send().await?.has_next());
    Ok(())
}

#[tokio::test]
async fn a_dropped_stream_fetches_no_further_page() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    for _ in 0..25 {
        client.sessions().create().send().await?;
    }
    let mut stream = client.sessions().list().stream();
    assert_eq!(emulator.count("list_sessions")?, 0);
    for (taken, fetched) in (1..=11).map(|taken| (taken, if taken <= 10 { 1 } else { 2 })) {
        stream.next().await.unwrap()?;
        assert_eq!(emulator.count("list_sessions")?, fetched, "{taken}");
    }
    drop(stream);
    client.session(ID).tags().await.unwrap_err();
    assert_eq!(emulator.count("list_sessions")?, 2);
    Ok(())
}

/// An answer of `list_sessions`, whatever is asked for.
fn page(number: Option<u32>, credits: &[Value]) -> Fault {
    let sessions = credits.iter().map(|credits| match credits {
        Value::Array(_) => json!({ "id": "s" }),
        _ => json!({ "id": "s", "used_credits": credits }),
    });
    let mut data =
        json!({ "sessions": sessions.collect::<Vec<_>>(), "total": 9, "total_pages": 3 });
    if let Some(number) = number {
        data["page"] = number.into();
    }
    let fault = Fault::status(200).json(json!({ "data": data }));
    fault.on("list_sessions").always()
}

#[tokio::test]
async fn a_server_that_ignores_the_page_ends_the_stream_with_an_error() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    emulator.fault(page(Some(1), &[json!(1), json!(2), json!(3)]))?;
    let mut stream = client(&emulator).sessions().list().stream();
    for _ in 0..3 {
        stream.next().await.unwrap()?;
    }
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("does not advance"), "{error}");
    assert!(stream.next().await.is_none());
    assert_eq!(emulator.count("list_sessions")?, 2);
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_number_its_pages_is_followed() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    emulator.fault(page(None, &[json!(1)]))?;
    let sessions = client(&emulator).sessions().list().stream().collect();
    assert_eq!(sessions.await?.len(), 3);
    Ok(())
}

#[tokio::test]
async fn used_credits_are_read_in_each_form() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let forms = [
        (json!(1.5), Credits::Used(1.5)),
        (json!(40), Credits::Used(40.0)),
        (json!("2.25"), Credits::Used(2.25)),
        (json!("N/A"), Credits::Pending),
        (json!("n/a"), Credits::Pending),
        (json!(null), Credits::Pending),
        (json!([]), Credits::Pending), // no member at all
        (json!("some"), Credits::Unknown(json!("some"))),
        (json!("inf"), Credits::Unknown(json!("inf"))),
        (json!({ "a": 1 }), Credits::Unknown(json!({ "a": 1 }))),
    ];
    let (sent, expected): (Vec<_>, Vec<_>) = forms.into_iter().unzip();
    emulator.fault(page(Some(3), &sent))?;
    let list = client(&emulator).sessions().list().page(3).send().await?;
    let read: Vec<_> = list.items.iter().map(|item| item.credits.clone()).collect();
    assert_eq!(read, expected);
    assert_eq!(read[2].used(), Some(2.25));
    assert_eq!(read[3].used(), None);
    Ok(())
}

#[tokio::test]
async fn filters_are_sent_as_the_api_names_them() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let client = client(&emulator);
    let list = client.sessions().list().tag("a").tag("b").domain("x.org");
    let list = list.batch("B").profile("p").proxy(true).status("running");
    let list = list.created_from("2026-01-01T00:00:00Z").search("s");
    let list = list.created_to("2026-01-02T00:00:00Z").extra_stealth(false);
    let list = list.sort("used_credits", SortOrder::Desc);
    list.task_initiated(true).page(2).send().await?;
    let statuses = client.sessions().statuses().tag("a").tag("b");
    statuses.proxy(false).send().await?;

    let sent = emulator.exchanges();
    let mut query: Vec<_> = sent[0].query.as_deref().unwrap().split('&').collect();
    query.sort_unstable();
    let expected = "batch_id=B created_from=2026-01-01T00%3A00%3A00Z \
        created_to=2026-01-02T00%3A00%3A00Z domains=x.org extra_stealth=false page=2 \
        profile_name=p proxy=true search=s sort_by=used_credits sort_order=desc status=running \
        tags=a%2Cb task_initiated=true";
    assert_eq!(query.join(" "), expected);
    let query = sent[1].query.as_deref().unwrap();
    assert!(query == "proxy=false&tags=a%2Cb" || query == "tags=a%2Cb&proxy=false");
    assert!(sent.iter().all(|one| one.unknown_parameters.is_empty()));
    Ok(())
}

#[tokio::test]
async fn a_count_that_cannot_be_is_none() -> anyhow::Result<()> {
    let emulator = Emulator::start().await?;
    let data = json!({ "data": { "count": -1, "items": [] } });
    emulator.fault(Fault::status(200).json(data))?;
    let statuses = client(&emulator).sessions().statuses().send().await?;
    assert_eq!(statuses.total, None);
    Ok(())
}

#[tokio::test]
async fn history_is_a_summary_and_pages_of_points() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = client(&emulator);
    let session = client.sessions().create().send().await?;
    emulator.advance(Duration::from_secs(90))?;
    session.end().await?;
    client.sessions().create().send().await?;

    let history = client.sessions().history().granularity(Granularity::Hour);
    let history = history.from_date("2025-12-31T22:00:00Z").page_size(2);
    let history = history.metric(Metric::SessionCount);
    let history = history.metric(Metric::SessionHours);
    let answer = history
        .clone()
        .to_date("2026-01-01T02:00:00Z")
        .send()
        .await?;
    assert_eq!(answer.summary.sessions, Some(2));
    assert_eq!(answer.summary.session_time, Some(Duration::from_secs(90)));
    assert_eq!(
        (answer.points.items.len(), answer.points.total),
        (2, Some(5))
    );
    let second = answer.points.next_page().unwrap().await?;
    assert_eq!(
        second.items[0].date.as_deref(),
        Some("2026-01-01T00:00:00Z")
    );
    let figures = &second.items[0].figures;
    assert_eq!((figures.sessions, figures.steps), (Some(2), None));
    assert_eq!(figures.session_time, Some(Duration::from_secs(90)));
    let query = &emulator.exchanges_of("get_sessions_history")?[1].query;
    let query = query.as_deref().unwrap();
    for part in ["metrics=session_count%2Csession_hours", "page=2", "limit=2"] {
        assert!(query.split('&').any(|found| found == part), "{query}");
    }
    let points = history.to_date("2026-01-01T02:00:00Z").stream();
    assert_eq!(points.collect().await?.len(), 5);
    Ok(())
}
