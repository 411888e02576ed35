//! What a viewer looks at: one tab of the browser, by a connection of the viewer's own.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::oneshot::error::TryRecvError;

use super::input::{self, Message};
use crate::browser::cdp::{Answered, Cdp, CdpError, Event};
use crate::browser::page::decoded;
use crate::browser::running::{Running, Tab, note, tabs_of};

/// Input that the page has not taken yet. A page that hangs takes none; what comes then is dropped.
const UNTAKEN: usize = 64;

pub(super) struct Screen {
    cdp: Cdp,
    /// Oldest first.
    tabs: Vec<Tab>,
    /// The tab that the viewer chose; without one, the newest shows.
    chosen: Option<String>,
    shown: Option<Shown>,
    /// Width and height of the page, in its own pixels.
    size: (f64, f64),
    /// Numbers of images that were not acknowledged.
    images: VecDeque<Value>,
    inputs: Vec<Answered>,
}

/// The tab that shows.
struct Shown {
    tab: String,
    /// In which the connection is attached to it.
    session: String,
    /// Images of it are made.
    drawn: bool,
}

impl Screen {
    /// Connects to a browser, to look at the newest tab or at the one with the id `chosen`.
    pub(super) async fn connect(
        running: &Running,
        chosen: Option<String>,
    ) -> Result<(Self, broadcast::Receiver<Arc<Event>>), CdpError> {
        let cdp = Cdp::connect(&running.host, &running.path).await?;
        let events = cdp.events();
        let screen = Self {
            cdp,
            // The browser tells of them in no order.
            tabs: running.tabs(),
            chosen,
            shown: None,
            size: (0.0, 0.0),
            images: VecDeque::new(),
            inputs: Vec::new(),
        };
        let discover = json!({ "discover": true });
        screen
            .cdp
            .call(None, "Target.setDiscoverTargets", discover)
            .await?;
        Ok((screen, events))
    }

    /// Takes notice of tabs that come, change and go. Says whether there was anything new.
    pub(super) fn notice(&mut self, event: &Event) -> bool {
        note(&mut self.tabs, event)
    }

    /// Looks which tabs there are, and shows the one that is to be seen.
    pub(super) async fn look(&mut self) -> Result<(), CdpError> {
        let found = self.cdp.call(None, "Target.getTargets", json!({})).await?;
        self.tabs = tabs_of(&found, &self.tabs);
        self.follow().await
    }

    /// Chooses a tab. Who chooses the newest follows the newest.
    pub(super) fn choose(&mut self, id: String) {
        let newest = self.tabs.last().is_some_and(|tab| tab.id == id);
        self.chosen = Some(id).filter(|_| !newest);
    }

    /// Shows the tab that is to be seen, unless it does already.
    pub(super) async fn follow(&mut self) -> Result<(), CdpError> {
        let there = |id: &String| self.tabs.iter().any(|tab| tab.id == *id);
        self.chosen = self.chosen.take().filter(there);
        let newest = || self.tabs.last().map(|tab| tab.id.clone());
        let wanted = self.chosen.clone().or_else(newest);
        if self.shown.as_ref().map(|shown| &shown.tab) == wanted.as_ref() {
            return Ok(());
        }
        self.hide();
        let Some(tab) = wanted else {
            return Ok(());
        };
        let target = json!({ "targetId": tab, "flatten": true });
        let session = match self.cdp.call(None, "Target.attachToTarget", target).await {
            Ok(done) => done["sessionId"].as_str().unwrap_or_default().to_owned(),
            // It has just gone; that will be told.
            Err(CdpError::Refused { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        // Behind another tab it would not be drawn.
        let seen = json!({ "enabled": true });
        self.cdp
            .tell(Some(&session), "Emulation.setFocusEmulationEnabled", seen);
        self.shown = Some(Shown {
            tab,
            session,
            drawn: false,
        });
        self.draw().await
    }

    /// Whether a tab shows of which no images are made yet.
    pub(super) fn is_blank(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| !shown.drawn)
    }

    /// Has images be made of the tab that shows, as far as there are none yet. The browser refuses that while it goes
    /// from one page to another; then it is to be asked again.
    pub(super) async fn draw(&mut self) -> Result<(), CdpError> {
        let Some(shown) = self.shown.as_mut().filter(|shown| !shown.drawn) else {
            return Ok(());
        };
        let params =
            json!({ "format": "jpeg", "quality": 80, "maxWidth": 2560, "maxHeight": 1600 });
        let asked = self
            .cdp
            .call(Some(&shown.session), "Page.startScreencast", params);
        match asked.await {
            Ok(_) => shown.drawn = true,
            Err(CdpError::Gone) => return Err(CdpError::Gone),
            Err(error) => tracing::debug!(%error, "a live view shows nothing yet"),
        }
        Ok(())
    }

    /// Lets go of the tab that shows, and of all that was asked of it.
    pub(super) fn hide(&mut self) {
        if let Some(Shown { session, .. }) = self.shown.take() {
            let session = json!({ "sessionId": session });
            self.cdp.tell(None, "Target.detachFromTarget", session);
        }
        self.images.clear();
        self.inputs.clear();
    }

    /// What there is to know about what shows.
    pub(super) fn view(&self) -> Value {
        let shown = self.shown.as_ref();
        let tab = shown.and_then(|shown| self.tabs.iter().find(|tab| tab.id == shown.tab));
        let tabs = self
            .tabs
            .iter()
            .map(|tab| json!({ "id": tab.id, "title": tab.title, "url": tab.url }));
        json!({
            "type": "view",
            "page": tab.map(|tab| &tab.id),
            "title": tab.map(|tab| &tab.title),
            "url": tab.map(|tab| &tab.url),
            "width": self.size.0,
            "height": self.size.1,
            "tabs": tabs.collect::<Vec<_>>(),
        })
    }

    /// The JPEG image of the tab that shows, if the event is one.
    pub(super) fn image(&mut self, event: &Event) -> Option<Vec<u8>> {
        let shown = self.shown.as_ref()?;
        let is_image = event.method == "Page.screencastFrame"
            && event.session.as_deref() == Some(shown.session.as_str());
        if !is_image {
            return None;
        }
        self.images.push_back(event.params["sessionId"].clone());
        let side = |name: &str| {
            event.params["metadata"][name]
                .as_f64()
                .unwrap_or_default()
                .max(0.0)
        };
        self.size = (side("deviceWidth"), side("deviceHeight"));
        decoded(&event.params["data"]).ok()
    }

    /// The viewer has seen an image: the browser may make another one.
    pub(super) fn ack(&mut self) {
        if let (Some(shown), Some(image)) = (&self.shown, self.images.pop_front()) {
            let image = json!({ "sessionId": image });
            self.cdp
                .tell(Some(&shown.session), "Page.screencastFrameAck", image);
        }
    }

    /// Does to the page what the viewer does. The inner error says why that is refused.
    pub(super) async fn take(
        &mut self,
        message: Message,
    ) -> Result<Result<(), &'static str>, CdpError> {
        let Some(shown) = &self.shown else {
            return Ok(Err("there is no page"));
        };
        let session = Some(shown.session.as_str());
        let command = match message {
            Message::Back => back_or_forward(&self.cdp, session, -1).await?,
            Message::Forward => back_or_forward(&self.cdp, session, 1).await?,
            message => match input::command(message, self.size) {
                Ok(command) => Some(command),
                Err(why) => return Ok(Err(why)),
            },
        };
        self.inputs
            .retain_mut(|input| input.try_recv() == Err(TryRecvError::Empty));
        if let Some((method, params)) = command
            && self.inputs.len() < UNTAKEN
        {
            self.inputs.push(self.cdp.send(session, method, params)?);
        }
        Ok(Ok(()))
    }
}

/// The command that goes back or forward by one entry of the history, if there is one.
async fn back_or_forward(
    cdp: &Cdp,
    session: Option<&str>,
    by: i64,
) -> Result<Option<input::Command>, CdpError> {
    let asked = cdp.call(session, "Page.getNavigationHistory", json!({}));
    let history = match asked.await {
        Ok(history) => history,
        // The tab has just gone, or can't tell.
        Err(CdpError::Refused { .. } | CdpError::Slow { .. }) => return Ok(None),
        Err(CdpError::Gone) => return Err(CdpError::Gone),
    };
    let wanted = history["currentIndex"].as_i64().map(|index| index + by);
    let wanted = wanted.and_then(|index| usize::try_from(index).ok());
    let id = wanted.and_then(|index| history["entries"].get(index)?.get("id").cloned());
    Ok(id.map(|id| ("Page.navigateToHistoryEntry", json!({ "entryId": id }))))
}
