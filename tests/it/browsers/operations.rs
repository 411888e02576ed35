//! What hands do: mouse, keyboard, navigation, screenshots.

use std::process::Command;
use std::time::{Duration, Instant};

use anchorbrowser::control::MouseButton;
use serde_json::json;

use super::site::Site;
use super::stage::{Stage, picture};
use super::{PATIENCE, until};

/// Logs what happens to its elements.
const PAGE: &str = r#"<!DOCTYPE html><title>Page</title><style>
body { margin: 0; height: 3000px; background: rgb(10, 120, 30) }
body > *, form > * { position: absolute }
#box, #card { width: 50px; height: 50px; background: red } #box { left: 10px; top: 10px } #card { left: 10px; top: 100px }
#drop { left: 300px; top: 100px; width: 100px; height: 100px; background: blue }
#name { left: 10px; top: 300px } #terms { left: 10px; top: 350px; margin: 0 } #send { left: 10px; top: 400px }
#far { top: 2500px }
</style>
<div id=box></div><div id=card draggable=true></div><div id=drop></div>
<form id=form><input id=name><input id=terms type=checkbox><button id=send>Send</button></form>
<button class=far>not this</button><button id=far class=far>this</button>
<script>
const log = [];
for (const type of ['click', 'dblclick', 'contextmenu', 'auxclick', 'dragstart', 'drop', 'dragend'])
    addEventListener(type, (event) => log.push(`${type} ${event.target.id}`));
drop.ondragover = (event) => event.preventDefault();
card.ondragstart = (event) => event.dataTransfer.setData('text/plain', 'card');
drop.ondrop = (event) => log.push(event.dataTransfer.getData('text/plain'));
box.onmousedown = () => addEventListener('mousemove', (event) => { box.style.left = `${event.x - 25}px` });
form.onsubmit = (event) => { event.preventDefault(); sent = [name.value, terms.checked] };
const name = document.getElementById('name');
</script>"#;

browser_tests! {
    async fn a_form_is_filled_and_read_back() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let (mouse, keyboard) = (stage.session.mouse(), stage.session.keyboard());
        mouse.click_on("#name").send().await?;
        keyboard.type_text("Ada 1815!").send().await?;
        keyboard.shortcut(["Control", "a"]).send().await?;
        keyboard.type_text("Grüße, Ada? 😀").delay(Duration::from_millis(1)).send().await?;
        mouse.click(15, 355).send().await?;
        mouse.click_on("#send").send().await?;
        assert_eq!(stage.run("return sent").await?, json!(["Grüße, Ada? 😀", true]));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn the_mouse_reaches_what_is_there() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let mouse = stage.session.mouse();
        mouse.click(30, 30).send().await?;
        assert_eq!(stage.log().await?, json!(["click box"]));
        mouse.double_click(30, 30).send().await?;
        assert_eq!(stage.log().await?, json!(["click box", "click box", "dblclick box"]));
        mouse.click_on("#box").button(MouseButton::Right).send().await?;
        assert_eq!(stage.log().await?[0], "contextmenu box");
        mouse.click_on(".far").index(1).send().await?;
        assert_eq!(stage.log().await?, json!(["click far"]));
        assert!(stage.run("return scrollY").await?.as_f64() > Some(1_000.0));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn what_comes_late_is_waited_for() -> Result<()> {
        let stage = Stage::page(
            "<script>setTimeout(() => document.body.innerHTML = '<a id=late onclick=\"done = true\">x</a>', 300)</script>",
        )
        .await?;
        stage.session.mouse().click_on("#late").send().await?;
        assert_eq!(stage.run("return done").await?, true);
        Ok(())
    }

    async fn things_are_dragged_by_mouse_events_and_as_draggables() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let mouse = stage.session.mouse();
        mouse.drag((30, 120), (350, 150)).send().await?;
        assert_eq!(stage.log().await?, json!(["dragstart card", "card", "drop drop", "dragend card"]));
        mouse.drag((30, 30), (430, 30)).send().await?;
        assert_eq!(stage.run("return box.style.left").await?, "405px");
        // The same by its parts.
        mouse.down(30, 120).send().await?;
        mouse.move_to(200, 120).await?;
        mouse.move_to(350, 150).await?;
        mouse.up(350, 150).send().await?;
        let log = stage.log().await?;
        assert!(log.as_array().unwrap().contains(&json!("card")), "{log}");
        Ok(())
    }

    async fn the_wheel_scrolls() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        stage.session.scroll(100, 100, 600).steps(3).send().await?;
        stage.until("return scrollY === 600").await?;
        stage.session.scroll(100, 100, -200).send().await?;
        stage.until("return scrollY === 400").await
    }

    async fn shortcuts_are_pressed() -> Result<()> {
        let stage = Stage::page("<input id=field autofocus><script>
            const log = [];
            addEventListener('keydown', (event) => log.push(event.key + (event.ctrlKey ? '+' : '')));
        </script>").await?;
        let keyboard = stage.session.keyboard();
        stage.session.mouse().click_on("#field").send().await?;
        keyboard.type_text("one two").send().await?;
        stage.log().await?;
        keyboard.shortcut(["ArrowLeft"]).send().await?;
        keyboard.shortcut(["Shift", "Home"]).hold(Duration::from_millis(20)).send().await?;
        keyboard.shortcut(["Delete"]).send().await?;
        assert_eq!(stage.run("return field.value").await?, "o");
        keyboard.shortcut(["ControlOrMeta", "z"]).send().await?;
        assert_eq!(stage.run("return field.value").await?, "one two");
        let log = stage.log().await?;
        assert_eq!(log, json!(["ArrowLeft", "Shift", "Home", "Delete", "Control+", "z+"]));
        let unknown = keyboard.shortcut(["Hyper"]).send().await.unwrap_err();
        assert_eq!(unknown.status().map(|it| it.as_u16()), Some(400));
        Ok(())
    }

    async fn a_missing_element_is_refused_in_time() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let began = Instant::now();
        for selector in ["#nowhere", "::::", "#box:not(#box)"] {
            let click = stage.session.mouse().click_on(selector).timeout(Duration::from_millis(100));
            let error = click.send().await.unwrap_err();
            assert_eq!(error.status().map(|it| it.as_u16()), Some(400), "{selector}");
        }
        assert!(began.elapsed() < PATIENCE / 4);
        Ok(())
    }

    async fn dialogs_hold_nothing_up() -> Result<()> {
        let stage = Stage::page("<button id=ask>x</button><script>
            addEventListener('beforeunload', (event) => event.preventDefault());
            ask.onclick = () => { alert(1); answers = [confirm(2), prompt(3)] };
        </script>").await?;
        stage.session.mouse().click_on("#ask").send().await?;
        assert_eq!(stage.run("return answers").await?, json!([false, null]));
        stage.session.goto("about:blank").await?;
        assert_eq!(stage.run("return location.href").await?, "about:blank");
        Ok(())
    }

    async fn a_screenshot_shows_the_page() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let png = stage.session.screenshot().await?.bytes().await?;
        assert_eq!(picture(&png, (30, 30)), (800, 600, [255, 0, 0]));
        assert_eq!(picture(&png, (600, 500)), (800, 600, [10, 120, 30]));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn a_page_that_opens_another_goes_behind_it() -> Result<()> {
        let site = Site::new(&[
            ("/", "content-type: text/html", b"<a id=open target=_blank href=/second>x</a>"),
            ("/second", "content-type: text/html", b"<title>Second</title>"),
            ("/away", "content-type: text/html", b"<script>location.replace('/second')</script>"),
        ])
        .await;
        let stage = Stage::site(site).await?;
        stage.session.mouse().click_on("#open").send().await?;
        stage.until("return document.title === 'Second'").await?;
        assert_eq!(stage.session.pages().await?.len(), 2);
        // One that goes on by itself has been gone to when that is over.
        stage.session.goto(stage.site.url("/away")).await?;
        assert_eq!(stage.run("return document.title").await?, "Second");
        let unreachable = stage.session.goto("http://localhost:9/").await.unwrap_err();
        assert_eq!(unreachable.status().map(|it| it.as_u16()), Some(500));
        stage.keeps_to_the_document();
        Ok(())
    }

    async fn a_session_whose_browser_dies_has_failed() -> Result<()> {
        let stage = Stage::page(PAGE).await?;
        let directory = stage.bench.directory.path();
        let ids = super::process_ids(directory);
        // Whatever is under way ends with it.
        let (shot, killed) = tokio::join!(
            async { stage.session.mouse().click_on("#nowhere").timeout(PATIENCE).send().await },
            async { Command::new("kill").arg("-KILL").args(ids).status() },
        );
        assert!(killed?.success());
        assert!(shot.is_err());
        let failed = || async { Ok::<_, anyhow::Error>(stage.session.info().await?.status) };
        while failed().await?.as_deref() != Some("failed") {}
        let ended = stage.session.screenshot().await.unwrap_err();
        assert!(ended.is_not_found(), "{ended}");
        until(|| super::processes(directory) == 0).await;
        Ok(())
    }
}
