//! Control of a session: mouse, keyboard, clipboard, navigation.

use std::time::Duration;

use anchorbrowser::control::MouseButton;
use anchorbrowser::{Call, ErrorKind, Options, Session};
use anchorbrowser_emulator::Emulator;
use serde_json::{Value, json};

use super::methods::{ID, Method, methods};

pub(crate) fn methods() -> Vec<Method> {
    methods!(client =>
        client.session(ID).goto("https://example.com"),
        client.session(ID).mouse().click(10, 20).send(),
        client.session(ID).mouse().click_on("#buy").send(),
        client.session(ID).mouse().double_click(10, 20).send(),
        client.session(ID).mouse().down(10, 20).send(),
        client.session(ID).mouse().up(10, 20).send(),
        client.session(ID).mouse().move_to(10, 20),
        client.session(ID).mouse().drag((10, 20), (30, 40)).send(),
        client.session(ID).scroll(10, 20, 300).send(),
        client.session(ID).keyboard().type_text("hello").send(),
        client.session(ID).keyboard().shortcut(["Control", "c"]).send(),
        client.session(ID).clipboard().get(),
        client.session(ID).clipboard().set("hello"),
        client.session(ID).clipboard().copy(),
        client.session(ID).clipboard().paste("hello"),
    )
}

type Sent = (&'static str, fn(&Session) -> Call<()>, Value);

/// Each call must send this body.
async fn sends(cases: &[Sent]) -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let session = super::client(&emulator).sessions().create().send().await?;
    for (operation, call, body) in cases {
        emulator.clear_exchanges();
        call(&session).await?;
        let sent = emulator.exchanges_of(operation)?;
        assert_eq!(sent.len(), 1, "{operation}");
        assert_eq!(&sent[0].json(), body, "{operation}");
    }
    Ok(())
}

#[tokio::test]
async fn clicks_are_sent_as_they_are_given() -> anyhow::Result<()> {
    sends(&[
        (
            "mouse_click",
            |it| it.mouse().click(1, 2).button(MouseButton::Right).send(),
            json!({ "x": 1.0, "y": 2.0, "button": "right" }),
        ),
        (
            "mouse_click",
            |it| {
                let click = it.mouse().click_on("#buy").index(2);
                let click = click.button(MouseButton::Middle);
                click.timeout(Duration::from_millis(1500)).send()
            },
            json!({ "selector": "#buy", "index": 2.0, "button": "middle", "timeout": 1500.0 }),
        ),
        (
            "mouse_double_click",
            |it| it.mouse().double_click(1, 2).send(),
            json!({ "x": 1, "y": 2 }),
        ),
        (
            "mouse_down",
            |it| it.mouse().down(1, 2).button(MouseButton::Left).send(),
            json!({ "x": 1, "y": 2, "button": "left" }),
        ),
        (
            "mouse_up",
            |it| it.mouse().up(1, 2).send(),
            json!({ "x": 1, "y": 2 }),
        ),
    ])
    .await
}

#[tokio::test]
async fn the_mouse_moves_by_pixels() -> anyhow::Result<()> {
    sends(&[
        (
            "mouse_move",
            |it| it.mouse().move_to(1, 2),
            json!({ "x": 1, "y": 2 }),
        ),
        (
            "drag_and_drop",
            |it| {
                let drag = it.mouse().drag((1, 2), (3, 4));
                drag.button(MouseButton::Left).send()
            },
            json!({ "startX": 1, "startY": 2, "endX": 3, "endY": 4, "button": "left" }),
        ),
        (
            "scroll",
            |it| {
                let scroll = it.scroll(1, 2, -300).delta_x(-5);
                scroll.steps(4).use_os(true).send()
            },
            json!({ "x": 1, "y": 2, "deltaY": -300, "deltaX": -5, "steps": 4, "useOs": true }),
        ),
    ])
    .await
}

#[tokio::test]
async fn times_of_the_keyboard_are_milliseconds() -> anyhow::Result<()> {
    sends(&[
        (
            "goto",
            |it| it.goto("https://example.com"),
            json!({ "url": "https://example.com" }),
        ),
        (
            "keyboard_type",
            |it| {
                let typing = it.keyboard().type_text("zwölf");
                typing.delay(Duration::from_millis(20)).send()
            },
            json!({ "text": "zwölf", "delay": 20 }),
        ),
        (
            "keyboard_shortcut",
            |it| {
                let keys = it.keyboard().shortcut(["Control", "a"]);
                keys.hold(Duration::from_millis(50)).send()
            },
            json!({ "keys": ["Control", "a"], "holdTime": 50 }),
        ),
        (
            "set_clipboard",
            |it| it.clipboard().set("a"),
            json!({ "text": "a" }),
        ),
        (
            "paste",
            |it| it.clipboard().paste("b"),
            json!({ "text": "b" }),
        ),
    ])
    .await
}

#[tokio::test]
async fn what_is_typed_can_be_copied_and_pasted() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let session = super::client(&emulator).sessions().create().send().await?;
    let (keyboard, clipboard) = (session.keyboard(), session.clipboard());
    keyboard.type_text("typed").send().await?;
    assert_eq!(clipboard.copy().await?, "typed");
    clipboard.set("zwölf\n").await?;
    assert_eq!(clipboard.get().await?, "zwölf\n");
    keyboard.shortcut(["Control", "v"]).send().await?;
    assert_eq!(clipboard.copy().await?, "zwölf\n");
    clipboard.paste("pasted").await?;
    assert_eq!(clipboard.get().await?, "zwölf\n");
    Ok(())
}

#[tokio::test]
async fn a_session_that_does_not_exist_is_not_found() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let session = super::client(&emulator).session(ID);
    let error = session.mouse().click(1, 2).send().await.unwrap_err();
    assert!(error.is_not_found(), "{error}");
    assert_eq!(error.operation(), Some("mouse_click"));
    Ok(())
}

#[tokio::test]
async fn a_shortcut_without_keys_is_refused() -> anyhow::Result<()> {
    let emulator = Emulator::builder().manual_clock().start().await?;
    let client = super::client(&emulator);
    let session = client.sessions().create().send().await?;
    for keys in [vec![], vec![""]] {
        let error = session.keyboard().shortcut(keys).send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("`keys`"), "{error}");
    }
    assert_eq!(emulator.count("keyboard_shortcut")?, 0);

    let unchecked = client.with_options(Options::new().checks(false))?;
    let call = unchecked.session(&session).keyboard().shortcut([""; 0]);
    assert_eq!(call.send().await.unwrap_err().kind(), ErrorKind::Status);
    assert_eq!(emulator.count("keyboard_shortcut")?, 1);
    Ok(())
}

#[test]
fn what_is_typed_is_not_printed() -> anyhow::Result<()> {
    let session = anchorbrowser::Client::new(super::KEY)?.session(ID);
    let printed = format!("{:?}", session.keyboard().type_text("canary-password"));
    assert!(!printed.contains("canary"), "{printed}");
    Ok(())
}
