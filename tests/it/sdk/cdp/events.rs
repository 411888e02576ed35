//! Events of browsers.

use serde_json::json;

use super::peer::{Browser, soon};

/// Sends so many events for each command, and then answers it.
async fn telling(count: u32) -> Browser {
    Browser::start(move |mut peer, _| async move {
        while let Some(command) = peer.command().await {
            for number in 0..count {
                let session = format!("flat-{}", number % 2);
                let event =
                    json!({ "method": "A.b", "params": { "n": number }, "sessionId": session });
                peer.send(event).await;
            }
            peer.answer(&command, json!({ "sessionId": "flat-1" }))
                .await;
        }
    })
    .await
}

#[tokio::test]
async fn events_come_in_order_to_each_reader() -> anyhow::Result<()> {
    let browser = telling(4).await;
    let cdp = browser.session().cdp().await?;
    let target = cdp.attach("A1").await?;
    let (mut all, mut again, mut of_target) = (cdp.events(), cdp.events(), target.events());
    cdp.send("X.y", ()).await?;
    for number in 0..4 {
        let event = soon(all.next()).await.unwrap();
        assert_eq!((event.method.as_str(), event.missed), ("A.b", 0));
        assert_eq!(event.params["n"], number);
        assert_eq!(event.session_id, Some(format!("flat-{}", number % 2)));
        assert_eq!(soon(again.next()).await, Some(event));
    }
    for number in [1, 3] {
        assert_eq!(soon(of_target.next()).await.unwrap().params["n"], number);
    }
    cdp.close().await;
    assert_eq!(soon(all.next()).await, None);
    assert_eq!(soon(of_target.next()).await, None);
    Ok(())
}

#[tokio::test]
async fn a_reader_that_is_too_slow_learns_how_many_it_missed() -> anyhow::Result<()> {
    let browser = telling(100).await;
    let session = browser.session();
    let cdp = session.cdp().event_buffer(10).await?;
    let (mut slow, mut none) = (cdp.events(), cdp.events());
    cdp.send("X.y", ()).await?;
    let first = soon(slow.next()).await.unwrap();
    assert_eq!((first.missed, &first.params["n"]), (90, &json!(90)));
    assert_eq!(soon(slow.next()).await.unwrap().missed, 0);
    cdp.send("X.y", ()).await?;
    // Of 8 that were kept and 100 that came.
    assert_eq!(soon(slow.next()).await.unwrap().missed, 98);
    assert_eq!(soon(none.next()).await.unwrap().missed, 190);
    Ok(())
}

#[tokio::test]
async fn a_next_that_is_dropped_loses_no_event() -> anyhow::Result<()> {
    let browser = telling(1).await;
    let cdp = browser.session().cdp().await?;
    let mut events = cdp.events();
    let moment = std::time::Duration::from_millis(1);
    assert!(tokio::time::timeout(moment, events.next()).await.is_err());
    let waiting = tokio::spawn(async move { events.next().await });
    cdp.send("X.y", ()).await?;
    assert_eq!(soon(waiting).await?.unwrap().params["n"], 0);
    Ok(())
}
