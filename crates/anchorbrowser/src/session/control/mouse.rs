use std::time::Duration;

use anchorbrowser_api::types;

use super::{MouseButton, act};
use crate::Session;
use crate::call::Call;
use crate::timing::millis;

/// How long the API waits for the element of a click unless it is told.
const USUAL_WAIT: Duration = Duration::from_secs(5);

/// The mouse of a session's browser; see [`Session::mouse`]. Points are in pixels from the top left
/// corner.
///
/// ```no_run
/// use anchorbrowser::control::MouseButton;
///
/// # async fn example(session: anchorbrowser::Session) -> anchorbrowser::Result<()> {
/// session.mouse().click(200, 120).send().await?;
/// session.mouse().click(200, 120).button(MouseButton::Right).send().await?;
/// session.mouse().click_on("#buy").send().await?;
/// session.mouse().drag((10, 10), (300, 10)).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Mouse<'a> {
    pub(super) session: &'a Session,
}

impl Mouse<'_> {
    /// Clicks at a point.
    pub fn click(&self, x: u32, y: u32) -> Press {
        self.press(Action::Click, x, y)
    }

    /// Clicks on the element that a CSS selector finds.
    pub fn click_on(&self, selector: impl Into<String>) -> ClickOn {
        ClickOn {
            session: self.session.clone(),
            selector: selector.into(),
            button: None,
            index: None,
            timeout: None,
        }
    }

    /// Clicks twice at a point.
    pub fn double_click(&self, x: u32, y: u32) -> Press {
        self.press(Action::DoubleClick, x, y)
    }

    /// Presses a button at a point and holds it; [`up`](Self::up) releases it.
    pub fn down(&self, x: u32, y: u32) -> Press {
        self.press(Action::Down, x, y)
    }

    /// Releases a button at a point.
    pub fn up(&self, x: u32, y: u32) -> Press {
        self.press(Action::Up, x, y)
    }

    /// Moves the pointer to a point.
    ///
    /// Calls `mouse_move`.
    pub fn move_to(&self, x: u32, y: u32) -> Call<()> {
        let body = types::CoordinatesRequestSchema::new(x.into(), y.into());
        act!(self.session, mouse_move, body)
    }

    /// Drags what is at one point, `(x, y)`, to another.
    pub fn drag(&self, from: (u32, u32), to: (u32, u32)) -> Drag {
        Drag {
            session: self.session.clone(),
            from,
            to,
            button: None,
        }
    }

    fn press(&self, action: Action, x: u32, y: u32) -> Press {
        Press {
            session: self.session.clone(),
            action,
            at: (x, y),
            button: None,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Action {
    Click,
    DoubleClick,
    Down,
    Up,
}

/// What a mouse button does at a point; see [`Mouse`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Press {
    session: Session,
    action: Action,
    at: (u32, u32),
    button: Option<MouseButton>,
}

impl Press {
    /// The button; by default the left one.
    pub fn button(mut self, button: MouseButton) -> Self {
        self.button = Some(button);
        self
    }

    /// Does it.
    ///
    /// Calls `mouse_click`, `mouse_double_click`, `mouse_down` or `mouse_up`.
    pub fn send(self) -> Call<()> {
        let (x, y) = self.at;
        let body = types::MouseClickRequestSchema {
            button: self.button,
            x: x.into(),
            y: y.into(),
        };
        match self.action {
            Action::Click => {
                let body = types::MouseSingleClickRequestSchema {
                    button: body.button,
                    x: Some(x.into()),
                    y: Some(y.into()),
                    ..Default::default()
                };
                act!(self.session, mouse_click, body)
            }
            Action::DoubleClick => act!(self.session, mouse_double_click, body),
            Action::Down => act!(self.session, mouse_down, body),
            Action::Up => act!(self.session, mouse_up, body),
        }
    }
}

/// A click on an element; see [`Mouse::click_on`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ClickOn {
    session: Session,
    selector: String,
    button: Option<MouseButton>,
    index: Option<u32>,
    timeout: Option<Duration>,
}

impl ClickOn {
    /// The button; by default the left one.
    pub fn button(mut self, button: MouseButton) -> Self {
        self.button = Some(button);
        self
    }

    /// Which of the elements that the selector finds, counted from 0; default 0.
    pub fn index(mut self, index: u32) -> Self {
        self.index = Some(index);
        self
    }

    /// How long to wait for the element, in whole milliseconds; default 5 seconds.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Waits for the element and clicks on it.
    ///
    /// Calls `mouse_click`.
    pub fn send(self) -> Call<()> {
        let body = types::MouseSingleClickRequestSchema {
            button: self.button,
            index: self.index.map(f64::from),
            selector: Some(self.selector),
            timeout: self.timeout.map(|limit| millis(limit) as f64),
            ..Default::default()
        };
        let client = self.session.client_for(self.timeout.unwrap_or(USUAL_WAIT));
        act!(&client, self.session, mouse_click, body)
    }
}

/// A drag from one point to another; see [`Mouse::drag`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Drag {
    session: Session,
    from: (u32, u32),
    to: (u32, u32),
    button: Option<MouseButton>,
}

impl Drag {
    /// The button; by default the left one.
    pub fn button(mut self, button: MouseButton) -> Self {
        self.button = Some(button);
        self
    }

    /// Drags.
    ///
    /// Calls `drag_and_drop`.
    pub fn send(self) -> Call<()> {
        let body = types::DragDropRequestSchema {
            button: self.button,
            start_x: self.from.0.into(),
            start_y: self.from.1.into(),
            end_x: self.to.0.into(),
            end_y: self.to.1.into(),
        };
        act!(self.session, drag_and_drop, body)
    }
}

/// Scrolling at a point; see [`Session::scroll`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Scroll {
    pub(super) session: Session,
    pub(super) body: types::ScrollRequestSchema,
}

impl Scroll {
    /// Scrolls also to the right by this many pixels, or to the left if it is negative.
    pub fn delta_x(mut self, pixels: i32) -> Self {
        self.body.delta_x = Some(pixels.into());
        self
    }

    /// Into how many steps it is divided: the more, the smoother.
    pub fn steps(mut self, steps: u32) -> Self {
        self.body.steps = Some(steps.into());
        self
    }

    /// Whether the operating system scrolls instead of the browser's automation.
    pub fn use_os(mut self, on: bool) -> Self {
        self.body.use_os = Some(on);
        self
    }

    /// Scrolls.
    ///
    /// Calls `scroll`.
    pub fn send(self) -> Call<()> {
        act!(self.session, scroll, self.body)
    }
}
