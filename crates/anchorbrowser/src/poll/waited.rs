//! What errors tell of a wait.

use std::fmt;
use std::time::Duration;

use super::PollToken;

/// What is known of a wait that failed; see [`Error::waited`](crate::Error::waited).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Waited {
    /// By this the wait can be gone on with; see
    /// [`Client::resume`](crate::Client::resume).
    pub token: PollToken,
    /// How long it was waited.
    pub elapsed: Duration,
    /// How many polls were made, those that failed too.
    pub polls: u32,
    /// The state that was seen last, in the API's words if it has one.
    pub state: Option<String>,
    /// The phase that was seen last, in the API's words.
    pub phase: Option<String>,
}

/// As it stands in the text of an error.
impl fmt::Display for Waited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let polls = if self.polls == 1 { "poll" } else { "polls" };
        write!(f, "{:.1?} and {} {polls}", self.elapsed, self.polls)?;
        match (&self.state, &self.phase) {
            (Some(state), Some(phase)) if state != phase => {
                write!(f, ", last seen: `{state}`, `{phase}`")
            }
            (Some(state), _) => write!(f, ", last seen: `{state}`"),
            _ => f.write_str(", no state was seen"),
        }
    }
}
