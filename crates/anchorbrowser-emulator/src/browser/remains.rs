//! What is left of a browser when it is gone: profiles and a video.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::encoder::{self, Making};
use super::recorder::{self, Film};
use super::{Order, Running, Starter, profile};
use crate::resources::{profiles, recordings};
use crate::world::World;

/// How long a browser has to write down what it holds. A loaded machine takes seconds.
const CLOSING: Duration = Duration::from_secs(30);

/// What is left of a browser.
#[derive(Default)]
pub(super) struct Remains {
    /// The profiles that the archive is for.
    pub(super) profiles: Vec<String>,
    archive: Option<Bytes>,
    making: Option<Making>,
}

/// The archive of the profile that a browser starts from, when those that are about to store it have done so.
pub(super) async fn archive(starter: &Starter, order: &Order) -> Option<Bytes> {
    let name = order.settings.profile.clone()?;
    for browser in &order.after {
        browser.clone().gone().await;
    }
    let (reply, archive) = oneshot::channel();
    let look = move |world: &mut World| {
        // Who asked may have given up.
        let _ = reply.send(profiles::archive(world, &name));
    };
    starter.reports.send(Box::new(look)).ok()?;
    archive.await.ok()?
}

/// Puts an archive where a browser that is to be started finds it, and gives its cookies.
pub(super) async fn unpack(directory: &Path, archive: Option<Bytes>) -> std::io::Result<Value> {
    let Some(archive) = archive else {
        return Ok(Value::Null);
    };
    let directory = directory.to_owned();
    let unpack = move || profile::unpack(&directory, &archive);
    tokio::task::spawn_blocking(unpack).await?
}

impl Remains {
    /// Closes the browser in order, so that it writes down what it holds, and keeps that for the profiles.
    pub(super) async fn keep(
        &mut self,
        running: &Running,
        closed: Pin<&mut impl Future<Output = ()>>,
    ) {
        if self.profiles.is_empty() {
            return;
        }
        let packed = async {
            let cookies = profile::cookies(&running.cdp).await;
            let cookies = cookies.map_err(|error| error.to_string())?;
            running.cdp.tell(None, "Browser.close", json!({}));
            let closed = tokio::time::timeout(CLOSING, closed).await;
            closed.map_err(|_| "the browser does not close".to_owned())?;
            let directory = running.profile();
            let pack = move || profile::pack(&directory, cookies);
            let packed = tokio::task::spawn_blocking(pack).await;
            packed.map_err(|error| error.to_string())?
        };
        match packed.await {
            Ok(archive) => self.archive = Some(archive),
            Err(why) => tracing::warn!("the profile of a session keeps what it had: {why}"),
        }
    }

    /// Takes what was recorded out of the way: the browser's directory is about to go.
    pub(super) async fn take(&mut self, starter: &Starter, order: &Order, film: Option<Film>) {
        if let (Some(encoder), Some(film)) = (&starter.encoder, film) {
            let size = encoder::size(order.settings.viewport, recorder::LONGEST_SIDE);
            self.making = encoder.take(starter, film, size).await;
        }
    }

    /// Hands over the profiles, and waits until they are stored. A video is made in the background.
    pub(super) async fn hand_over(self, starter: &Starter, order: &Order) {
        let Self {
            profiles,
            archive,
            making,
        } = self;
        if order.settings.record && starter.encoder.is_some() {
            tokio::spawn(video(starter.clone(), order.session.clone(), making));
        }
        if profiles.is_empty() {
            return;
        }
        let (done, stored) = oneshot::channel();
        let session = order.session.clone();
        let store = move |world: &mut World| {
            profiles::stored(world, &session, &profiles, archive.as_ref());
            let _ = done.send(());
        };
        let _ = starter.reports.send(Box::new(store));
        // It fails when the emulator stops.
        let _ = stored.await;
    }
}

/// Makes the video of a session, and reports it.
async fn video(starter: Starter, session: String, making: Option<Making>) {
    let video = match making {
        Some(making) => making.video(starter.reports.closed()).await,
        None => None,
    };
    let made = move |world: &mut World| recordings::made(world, &session, video);
    let _ = starter.reports.send(Box::new(made));
}
