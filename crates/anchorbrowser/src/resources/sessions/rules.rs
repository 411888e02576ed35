//! What the API states in prose only: combinations of settings that it refuses.

use anchorbrowser_api::types::{
    Integration, OnePasswordConfig, ProxyConfig, SessionCreateRequestSchema,
};

use crate::error::{Error, Result};

/// Refuses a session that the API would refuse.
pub(super) fn check(operation: &'static str, body: &SessionCreateRequestSchema) -> Result<()> {
    match broken(body) {
        Some(reason) => Err(Error::invalid(operation, reason)),
        None => Ok(()),
    }
}

fn broken(body: &SessionCreateRequestSchema) -> Option<String> {
    let browser = body.browser.clone().unwrap_or_default();
    let session = body.session.clone().unwrap_or_default();
    let on = |active: Option<Option<bool>>| active.flatten() == Some(true);

    let (any_proxy, own_proxy) = match &session.proxy {
        Some(ProxyConfig::AnchorProxy(proxy)) => (proxy.active, proxy.active),
        Some(ProxyConfig::Custom(proxy)) => (proxy.active, false),
        // A kind that the document does not know may be anything.
        Some(_) => (true, true),
        None => (false, false),
    };
    if on(browser.captcha_solver.map(|set| set.active)) && !any_proxy {
        return Some("`captcha_solver` needs a proxy: set one by `proxy(..)`".to_owned());
    }
    if on(browser.extra_stealth.map(|set| set.active)) && !own_proxy {
        let reason = "`extra_stealth` needs the service's own proxy: set one by \
                      `proxy(Proxy::anchor())` or `proxy(Proxy::country(..))`";
        return Some(reason.to_owned());
    }
    if let Some(ProxyConfig::AnchorProxy(proxy)) = &session.proxy
        && proxy.city.is_some()
        && proxy.region.is_none()
    {
        return Some("the proxy's `city` needs a `region`".to_owned());
    }
    let adblock_off = browser.adblock.is_some_and(|set| set.active == Some(false));
    if on(browser.popup_blocker.map(|set| set.active)) && adblock_off {
        return Some("`popup_blocker` needs `adblock`, which is turned off".to_owned());
    }
    let headless = on(browser.headless.map(|set| set.active));
    if on(session.live_view.map(|set| set.one_time_url)) && headless {
        let reason = "`live_view.one_time_url` needs a browser with a window, and `headless` is on";
        return Some(reason.to_owned());
    }
    let timeout = session.timeout.unwrap_or_default();
    for (name, minutes) in [
        ("max_duration", timeout.max_duration),
        ("idle_timeout", timeout.idle_timeout),
    ] {
        if minutes.is_some_and(|minutes| minutes == 0 || minutes < -1) {
            return Some(format!("`timeout.{name}` must be longer than zero"));
        }
    }
    for integration in body.integrations.iter().flatten() {
        if let Integration::OnePassword(used) = integration
            && let OnePasswordConfig::Specific(config) = &used.configuration
            && config.secrets.is_empty()
        {
            let reason = "an integration's `secrets` must hold one reference at least";
            return Some(reason.to_owned());
        }
    }
    None
}
