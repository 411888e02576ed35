//! Live steps of an agent, beside its run.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::SessionAgent;
use crate::call::{Answer, Call};
use crate::error::Result;
use crate::steps::{OPERATION, Step, Steps};
use crate::{Client, SessionId};

/// How long the last steps may take longer than the answer of the run.
const LAST: Duration = Duration::from_millis(100);

/// What is called for each step of a run.
pub(super) type OnStep = Box<dyn FnMut(Step) + Send>;

impl SessionAgent<'_> {
    /// Live steps of the session's agent, as they happen. Open it before the run begins, and read it
    /// all the time.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such session;
    /// [`is_connect`](crate::Error::is_connect) or [`is_timeout`](crate::Error::is_timeout) if the
    /// socket cannot be opened, or not within 20 seconds or the `operation_timeout`.
    ///
    /// Opens the WebSocket `/ws`, which is no operation of the document.
    #[cfg_attr(docsrs, doc(cfg(feature = "steps")))]
    pub fn steps(&self) -> Call<Steps> {
        let (client, id) = (self.session.client().clone(), self.session.id().clone());
        Call::from_future(async move {
            let begin = Instant::now();
            let steps = Steps::open(&client, &id).await?;
            Ok(Answer::opened(OPERATION, steps, begin.elapsed()))
        })
    }
}

/// Makes the call of a run, and hands each step over meanwhile. If the socket cannot be opened, the
/// call is not made; if it is lost, the run goes on without.
pub(super) async fn beside<T>(
    call: impl Future<Output = Result<T>>,
    client: &Client,
    session: Option<&SessionId>,
    on_step: Option<OnStep>,
) -> Result<T> {
    let (Some(id), Some(on_step)) = (session, on_step) else {
        return call.await;
    };
    let steps = Steps::open(client, id).await?;
    let (mut call, mut follow) = (pin!(call), pin!(follow(steps, on_step)));
    let mut followed = false;
    let result = std::future::poll_fn(|context| {
        followed = followed || follow.as_mut().poll(context).is_ready();
        call.as_mut().poll(context)
    })
    .await;
    if !followed {
        // It ends by itself only with the session.
        let _ = tokio::time::timeout(LAST, follow).await;
    }
    result
}

async fn follow(mut steps: Steps, mut on_step: OnStep) {
    while let Some(step) = steps.next().await {
        match step {
            Ok(step) => on_step(step),
            Err(error) => {
                tracing::warn!(target: "anchorbrowser", %error, "the run goes on without its steps");
                return;
            }
        }
    }
}
