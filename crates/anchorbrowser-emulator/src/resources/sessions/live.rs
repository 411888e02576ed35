//! Who may see the live view of a session, where there are browsers: whoever has its URL.

use serde_json::Value;

use super::Session;
use crate::answer::Refusal;
use crate::resources::find;
use crate::world::World;

fn setting(session: &Session, name: &str) -> bool {
    let value = session
        .configuration
        .pointer(&format!("/session/live_view/{name}"));
    value == Some(&Value::Bool(true))
}

/// Whether the live view of a session is for its first viewer only.
pub(crate) fn is_one_time(session: &Session) -> bool {
    setting(session, "one_time_url")
}

/// The session, if its live view may be seen: 404 if there is none, 410 if that is over.
pub(crate) fn viewable<'w>(world: &'w World, id: &str) -> Result<&'w Session, Refusal> {
    let session = find(&world.tables.sessions, "session", id)?;
    if !session.is_running() {
        return Err(Refusal::new(410, "the session has ended"));
    }
    if session.viewed && is_one_time(session) {
        return Err(Refusal::new(
            410,
            "the live view URL of this session works only once, and it has been used",
        ));
    }
    Ok(session)
}

/// A viewer connects to the live view of a session. Says whether it may only watch.
pub(crate) fn begin_view(world: &mut World, id: &str) -> Result<bool, Refusal> {
    let read_only = setting(viewable(world, id)?, "read_only");
    if let Some(session) = world.tables.sessions.edit(id) {
        session.viewed = true;
    }
    Ok(read_only)
}
