//! What a session's configuration must fulfil beyond its schema, and the limits of the account.

use serde_json::Value;

use crate::answer::Refusal;
use crate::browser::Proxy;
use crate::resources::sessions::switch;
use crate::resources::{async_sessions, batches, billing, volumes};
use crate::world::World;

/// Refuses a configuration that contradicts itself or names what does not exist.
pub(crate) fn check(world: &World, configuration: &Value) -> Result<(), Refusal> {
    let on = |pointer| switch(configuration, pointer, false);
    let text = |pointer| configuration.pointer(pointer).and_then(Value::as_str);
    let proxy = on("/session/proxy");
    if on("/browser/captcha_solver") && !proxy {
        return Err(Refusal::bad(
            "body.browser.captcha_solver: needs an active proxy; set session.proxy.active",
        ));
    }
    if on("/browser/extra_stealth") && (!proxy || text("/session/proxy/type") == Some("custom")) {
        return Err(Refusal::bad(
            "body.browser.extra_stealth: needs the anchor proxy; set session.proxy.active and type `anchor_proxy`",
        ));
    }
    if on("/browser/popup_blocker") && !switch(configuration, "/browser/adblock", true) {
        return Err(Refusal::bad(
            "body.browser.popup_blocker: needs browser.adblock, which is off",
        ));
    }
    if text("/session/proxy/city").is_some() && text("/session/proxy/region").is_none() {
        return Err(Refusal::bad(
            "body.session.proxy.city: needs a region beside it",
        ));
    }
    let one_time = configuration
        .pointer("/session/live_view/one_time_url")
        .and_then(Value::as_bool);
    if one_time == Some(true) && on("/browser/headless") {
        return Err(Refusal::bad(
            "body.session.live_view.one_time_url: needs a headful browser",
        ));
    }
    for name in ["max_duration", "idle_timeout"] {
        let minutes = configuration
            .pointer(&format!("/session/timeout/{name}"))
            .and_then(Value::as_i64);
        if minutes.is_some_and(|minutes| minutes < 1 && minutes != -1) {
            return Err(Refusal::bad(format!(
                "body.session.timeout.{name}: must be at least 1 minute, or -1 for no limit"
            )));
        }
    }
    if world.browsers.are_on() {
        Proxy::of(configuration).map_err(Refusal::bad)?;
    }
    named(world, configuration)
}

/// What the configuration names must be there.
fn named(world: &World, configuration: &Value) -> Result<(), Refusal> {
    let list = |pointer| {
        configuration
            .pointer(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let unknown = |place: &str, what: &str, id: &str| {
        Err(Refusal::bad(format!(
            "body.{place}: there is no {what} `{id}`"
        )))
    };
    for id in list("/browser/extensions").filter_map(Value::as_str) {
        if !world.tables.extensions.contains(id) {
            return unknown("browser.extensions", "extension", id);
        }
    }
    for id in list("/identities").filter_map(|identity| identity.get("id")?.as_str()) {
        if !world.tables.identities.contains(id) {
            return unknown("identities", "identity", id);
        }
    }
    for id in list("/integrations").filter_map(|integration| integration.get("id")?.as_str()) {
        if !world.tables.integrations.contains(id) {
            return unknown("integrations", "integration", id);
        }
    }
    match configuration
        .pointer("/browser/volume/id")
        .and_then(Value::as_str)
    {
        Some(id) => volumes::check_mount(world, id),
        None => Ok(()),
    }
}

/// Refuses `count` more sessions if the account has no credits or no room for them.
pub(crate) fn limits(world: &mut World, count: usize) -> Result<(), Refusal> {
    billing::solvent(world)?;
    billing::rate_limit(world)?;
    room(world, count)
}

/// Refuses `count` more browsers if the account has no room for them.
pub(crate) fn room(world: &World, count: usize) -> Result<(), Refusal> {
    let Some(limit) = world.config.account.max_concurrent_browsers else {
        return Ok(());
    };
    let (running, waiting) = taken(world);
    if running + waiting + count <= limit as usize {
        return Ok(());
    }
    Err(Refusal::new(
        429,
        format!(
            "the account runs at most {limit} browsers at once; {running} are running and {waiting} requested; \
             end some first"
        ),
    ))
}

/// Whether the account may run one more browser.
pub(crate) fn has_room(world: &World) -> bool {
    let Some(limit) = world.config.account.max_concurrent_browsers else {
        return true;
    };
    let (running, waiting) = taken(world);
    running + waiting < limit as usize
}

/// How many browsers run and how many are requested. Those count too, or a limit could be passed by asking for many
/// at once.
fn taken(world: &World) -> (usize, usize) {
    let sessions = world.tables.sessions.iter();
    let running = sessions.filter(|session| session.is_running()).count();
    (
        running + world.browsers.borrowed(),
        async_sessions::waiting(world) + batches::waiting(world),
    )
}
