//! The mouse of a page.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::cdp::CdpError;
use super::page::Page;
use crate::answer::Refusal;
use crate::shared::lock;

/// A point of what shows of a page, in CSS pixels.
pub(crate) type Point = (f64, f64);

/// How often an element is looked for.
const LOOKS: Duration = Duration::from_millis(50);

/// Moves of a drag between its ends.
const MOVES: u32 = 20;

/// Finds an element, brings it into view, and gives its middle: an array of two numbers. Else a text that says why not.
const FIND: &str = "({ selector, index }) => {
    let found;
    try {
        found = document.querySelectorAll(selector);
    } catch {
        return { malformed: true };
    }
    const element = found[index];
    if (!element) return found.length
        ? `only ${found.length} elements match` : 'no element matches';
    element.scrollIntoViewIfNeeded();
    const box = [...element.getClientRects()].find((box) => box.width > 0 && box.height > 0);
    return box ? [box.x + box.width / 2, box.y + box.height / 2] : 'the element that matches does not show';
}";

/// A button of the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Button {
    Left,
    Middle,
    Right,
}

impl Button {
    /// The button with this name; the left one without.
    pub(crate) fn of(name: Option<&str>) -> Self {
        match name {
            Some("middle") => Self::Middle,
            Some("right") => Self::Right,
            _ => Self::Left,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Middle => "middle",
            Self::Right => "right",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Left => 1,
            Self::Right => 2,
            Self::Middle => 4,
        }
    }
}

/// What is known of the mouse between two operations.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    /// Buttons that are down.
    held: Vec<Button>,
}

impl Pointer {
    fn bits(&self) -> u8 {
        self.held.iter().fold(0, |bits, button| bits | button.bit())
    }
}

/// What the mouse does at a point.
#[derive(Clone, Copy)]
enum Act {
    Move,
    /// The how manieth click it is the beginning of.
    Press(Button, u32),
    Release(Button, u32),
}

impl Page {
    async fn act(&self, act: Act, (x, y): Point) -> Result<(), CdpError> {
        let mut event = json!({ "x": x, "y": y });
        {
            let mut pointer = lock(&self.running.usage.pointer);
            let (kind, button, clicks) = match act {
                Act::Move => ("mouseMoved", pointer.held.last().copied(), 0),
                Act::Press(button, clicks) => {
                    pointer.held.retain(|held| *held != button);
                    pointer.held.push(button);
                    ("mousePressed", Some(button), clicks)
                }
                Act::Release(button, clicks) => {
                    pointer.held.retain(|held| *held != button);
                    ("mouseReleased", Some(button), clicks)
                }
            };
            event["type"] = kind.into();
            event["button"] = button.map_or("none", Button::name).into();
            event["buttons"] = pointer.bits().into();
            event["clickCount"] = clicks.into();
        }
        self.call("Input.dispatchMouseEvent", event).await.map(drop)
    }

    /// Moves the mouse.
    pub(crate) async fn hover(&self, at: Point) -> Result<(), Refusal> {
        Ok(self.act(Act::Move, at).await?)
    }

    /// Moves the mouse, and presses a button.
    pub(crate) async fn press(&self, at: Point, button: Button) -> Result<(), Refusal> {
        self.act(Act::Move, at).await?;
        Ok(self.act(Act::Press(button, 1), at).await?)
    }

    /// Moves the mouse, and lets go of a button.
    pub(crate) async fn release(&self, at: Point, button: Button) -> Result<(), Refusal> {
        self.act(Act::Move, at).await?;
        Ok(self.act(Act::Release(button, 1), at).await?)
    }

    /// Moves the mouse, and clicks so many times.
    pub(crate) async fn click(&self, at: Point, button: Button, times: u32) -> Result<(), Refusal> {
        self.act(Act::Move, at).await?;
        for click in 1..=times {
            self.act(Act::Press(button, click), at).await?;
            self.act(Act::Release(button, click), at).await?;
        }
        Ok(())
    }

    /// Presses a button, moves the mouse with it, and lets go. What is draggable is dragged and dropped.
    pub(crate) async fn drag(&self, from: Point, to: Point, button: Button) -> Result<(), Refusal> {
        self.press(from, button).await?;
        for step in 1..=MOVES {
            let part = f64::from(step) / f64::from(MOVES);
            let way = |from: f64, to: f64| from + (to - from) * part;
            self.act(Act::Move, (way(from.0, to.0), way(from.1, to.1)))
                .await?;
        }
        Ok(self.act(Act::Release(button, 1), to).await?)
    }

    /// Turns the wheel at a point, in so many steps.
    pub(crate) async fn scroll(&self, at: Point, by: Point, steps: u32) -> Result<(), Refusal> {
        let steps = steps.max(1);
        let turn = json!({
            "type": "mouseWheel",
            "x": at.0,
            "y": at.1,
            "deltaX": by.0 / f64::from(steps),
            "deltaY": by.1 / f64::from(steps),
        });
        for _ in 0..steps {
            self.call("Input.dispatchMouseEvent", turn.clone()).await?;
        }
        Ok(())
    }

    /// Waits for the element with this index among those that a selector names, and gives its middle, in view.
    pub(crate) async fn find(
        &self,
        selector: &str,
        index: u64,
        patience: Duration,
    ) -> Result<Point, Refusal> {
        let deadline = Instant::now() + patience;
        let wanted = json!({ "selector": selector, "index": index });
        let mut last = None;
        loop {
            let found = match self.own_world(FIND, &wanted).await {
                // The page may be about to go to another one.
                Err(CdpError::Refused { message, .. }) => Value::String(message),
                found => found?,
            };
            if found["malformed"] == true {
                return Err(Refusal::bad("body.selector: is no CSS selector"));
            }
            let point = found[0].as_f64().zip(found[1].as_f64());
            // One that moves is waited for too.
            if let Some(point) = point.filter(|point| last == Some(*point)) {
                return Ok(point);
            }
            if Instant::now() >= deadline {
                let why = found.as_str().unwrap_or("the element that matches moves");
                let waited = patience.as_millis();
                let why = format!("body.selector: {why} after {waited} ms");
                return point.ok_or_else(|| Refusal::bad(why));
            }
            last = point;
            tokio::time::sleep(LOOKS).await;
        }
    }
}
