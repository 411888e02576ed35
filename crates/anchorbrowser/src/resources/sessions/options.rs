//! How a session is to be: the same settings for one session, many, or an agent's.

use std::fmt;
use std::time::Duration;

use anchorbrowser_api::types;

use super::rules;
use crate::error::Result;
use crate::integrations::Integration;
use crate::timing::minutes;
use crate::{ExtensionId, IdentityId, Proxy, VolumeId};

/// No limit, in the API's words.
const NEVER: i64 = -1;

/// How a session is to be. What is not set is left to the service.
///
/// The same setters are those of [`CreateSession`](super::CreateSession) and
/// [`StartSession`](super::StartSession), which add the sending.
///
/// ```
/// use std::time::Duration;
/// use anchorbrowser::{Proxy, sessions::SessionOptions};
///
/// let options = SessionOptions::new()
///     .headless(true)
///     .proxy(Proxy::country("de"))
///     .captcha_solver(true)
///     .viewport(1280, 720)
///     .max_duration(Duration::from_secs(600));
/// # let _ = options;
/// ```
#[derive(Clone)]
#[must_use]
pub struct SessionOptions<C = ()> {
    pub(super) caller: C,
    pub(super) body: types::SessionCreateRequestSchema,
}

impl SessionOptions {
    /// Leaves everything to the service.
    pub fn new() -> Self {
        Self::of(())
    }

    /// The body of a request, checked.
    pub(crate) fn checked(
        self,
        operation: &'static str,
        checks: bool,
    ) -> Result<types::SessionCreateRequestSchema> {
        if checks {
            rules::check(operation, &self.body)?;
        }
        Ok(self.body)
    }
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// Writes setters of what the API turns on and off by an object with `active`.
macro_rules! switches {
    ($($(#[$meta:meta])* $name:ident: $type:ident),* $(,)?) => {$(
        $(#[$meta])*
        pub fn $name(self, active: bool) -> Self {
            self.browser(|browser| {
                browser.$name = Some(types::$type { active: Some(active) });
            })
        }
    )*};
}

impl<C> SessionOptions<C> {
    pub(super) fn of(caller: C) -> Self {
        Self {
            caller,
            body: Default::default(),
        }
    }

    /// Who calls, and the settings alone.
    pub(super) fn split(self) -> (C, SessionOptions) {
        let options = SessionOptions {
            caller: (),
            body: self.body,
        };
        (self.caller, options)
    }

    /// All settings at once, in place of those so far.
    pub fn options(mut self, options: SessionOptions) -> Self {
        self.body = options.body;
        self
    }

    /// The request body itself, for what has no setter.
    pub fn raw(mut self, edit: impl FnOnce(&mut types::SessionCreateRequestSchema)) -> Self {
        edit(&mut self.body);
        self
    }

    fn browser(self, edit: impl FnOnce(&mut types::BrowserConfig)) -> Self {
        self.raw(|body| edit(body.browser.get_or_insert_default()))
    }

    fn session(self, edit: impl FnOnce(&mut types::SessionConfig)) -> Self {
        self.raw(|body| edit(body.session.get_or_insert_default()))
    }

    switches! {
        /// Whether the browser runs without a window; default no.
        headless: BrowserConfigHeadless,
        /// Whether advertisements are blocked; default yes.
        adblock: BrowserConfigAdblock,
        /// Whether pop-ups are blocked; default yes. Needs the ad blocker.
        popup_blocker: BrowserConfigPopupBlocker,
        /// Whether captchas are solved; default no. Needs a proxy.
        captcha_solver: BrowserConfigCaptchaSolver,
        /// Whether the browser is made to look like a person's; default no. Needs a proxy of the
        /// service.
        extra_stealth: BrowserConfigExtraStealth,
        /// Whether `alert`, `confirm` and `prompt` are suppressed; default no.
        disable_dialogs: BrowserConfigDisableDialogs,
        /// Whether same-origin rules are off; default no.
        disable_web_security: BrowserConfigDisableWebSecurity,
        /// Whether pop-ups open as tabs; default no.
        force_popups_as_tabs: BrowserConfigForcePopupsAsTabs,
        /// Whether the browser fills the screen; default no.
        fullscreen: BrowserConfigFullscreen,
        /// Whether the browser hands downloads over directly, instead of storing them with the
        /// service; default no.
        p2p_download: BrowserConfigP2pDownload,
        /// Whether PDFs are shown instead of downloaded; default yes.
        pdf_viewer: BrowserConfigPdfViewer,
        /// Whether requests are signed for Cloudflare's Web Bot Auth; default no.
        web_bot_auth: BrowserConfigWebBotAuth,
    }

    /// The size of the page in pixels; default 1440 × 900.
    pub fn viewport(self, width: u32, height: u32) -> Self {
        self.browser(|browser| {
            browser.viewport = Some(types::BrowserConfigViewport {
                width: Some(width.into()),
                height: Some(height.into()),
            });
        })
    }

    /// The profile that the browser begins with. It is left as it is at the end; see
    /// [`persist_profile`](Self::persist_profile).
    pub fn profile(self, name: impl Into<String>) -> Self {
        self.browser(|browser| {
            browser.profile.get_or_insert_default().name = Some(name.into());
        })
    }

    /// The profile that the browser begins with, and that its state is stored in when the session
    /// ends.
    pub fn persist_profile(self, name: impl Into<String>) -> Self {
        self.profile(name).browser(|browser| {
            browser.profile.get_or_insert_default().persist = Some(true);
        })
    }

    /// Adds an extension that was uploaded.
    pub fn extension(self, id: impl Into<ExtensionId>) -> Self {
        let id = id.into().into_string();
        self.browser(|browser| browser.extensions.get_or_insert_default().push(id))
    }

    /// Mounts a volume for reading and writing.
    pub fn volume(self, id: impl Into<VolumeId>) -> Self {
        self.mount(id.into(), None)
    }

    /// Mounts a volume for reading only.
    pub fn read_only_volume(self, id: impl Into<VolumeId>) -> Self {
        self.mount(id.into(), Some(true))
    }

    fn mount(self, id: VolumeId, read_only: Option<bool>) -> Self {
        self.browser(|browser| {
            let mut volume = types::BrowserConfigVolume::new(id.into_string());
            volume.read_only = read_only;
            browser.volume = Some(volume);
        })
    }

    /// Masks sensitive data in pages.
    pub fn sensitive_data_mask(self, mask: SensitiveDataMask) -> Self {
        self.browser(|browser| browser.sensitive_data_mask = Some(mask.0))
    }

    /// Whether a trace is taken for debugging; default yes.
    pub fn tracing(self, active: bool) -> Self {
        self.browser(|browser| browser.tracing.get_or_insert_default().active = Some(active))
    }

    /// Whether the trace holds snapshots of pages; default no.
    pub fn tracing_snapshots(self, on: bool) -> Self {
        self.browser(|browser| browser.tracing.get_or_insert_default().snapshots = Some(on))
    }

    /// Whether the trace holds source code; default yes.
    pub fn tracing_sources(self, on: bool) -> Self {
        self.browser(|browser| browser.tracing.get_or_insert_default().sources = Some(on))
    }

    /// The page that is opened at the start.
    pub fn initial_url(self, url: impl Into<String>) -> Self {
        self.session(|session| session.initial_url = Some(url.into()))
    }

    /// The proxy that the browser uses; by default none.
    pub fn proxy(self, proxy: Proxy) -> Self {
        self.session(|session| session.proxy = Some(proxy.into_api()))
    }

    /// Whether the session is recorded; default yes.
    pub fn recording(self, active: bool) -> Self {
        self.session(|session| {
            session.recording = Some(types::SessionConfigRecording {
                active: Some(active),
            });
        })
    }

    /// Whether viewers of the live view can only watch; default no.
    pub fn read_only_live_view(self, on: bool) -> Self {
        self.session(|session| session.live_view.get_or_insert_default().read_only = Some(on))
    }

    /// Whether the address of the live view works once only; default no. Needs a browser with a
    /// window.
    pub fn one_time_live_view(self, on: bool) -> Self {
        self.session(|session| session.live_view.get_or_insert_default().one_time_url = Some(on))
    }

    /// Adds a tag, by which sessions can be found.
    pub fn tag(self, tag: impl Into<String>) -> Self {
        self.session(|session| session.tags.get_or_insert_default().push(tag.into()))
    }

    /// Adds tags.
    pub fn tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        tags.into_iter().fold(self, Self::tag)
    }

    /// How long the session lives at most; default 20 minutes. The API counts whole minutes: a
    /// part of one is rounded up.
    pub fn max_duration(self, limit: Duration) -> Self {
        self.timeout(|timeout| timeout.max_duration = Some(minutes(limit)))
    }

    /// Lets the session live until it is ended, or idle.
    pub fn no_max_duration(self) -> Self {
        self.timeout(|timeout| timeout.max_duration = Some(NEVER))
    }

    /// How long the session outlives its last connection; default 5 minutes. The API counts whole
    /// minutes: a part of one is rounded up.
    pub fn idle_timeout(self, limit: Duration) -> Self {
        self.timeout(|timeout| timeout.idle_timeout = Some(minutes(limit)))
    }

    /// Lets the session live on without any connection.
    pub fn no_idle_timeout(self) -> Self {
        self.timeout(|timeout| timeout.idle_timeout = Some(NEVER))
    }

    fn timeout(self, edit: impl FnOnce(&mut types::SessionConfigTimeout)) -> Self {
        self.session(|session| edit(session.timeout.get_or_insert_default()))
    }

    /// Whether the session pays for x402 resources by itself; default no.
    pub fn x402(self, on: bool) -> Self {
        self.session(|session| session.x402 = Some(on))
    }

    /// Adds an identity that the session logs in as.
    pub fn identity(self, id: impl Into<IdentityId>) -> Self {
        let id = Some(id.into().into_string());
        self.raw(|body| {
            let item = types::SessionCreateRequestSchemaIdentitiesItem { id };
            body.identities.get_or_insert_default().push(item);
        })
    }

    /// Whether the session is there before its identities are logged in; default no.
    pub fn identity_async_auth(self, on: bool) -> Self {
        self.raw(|body| body.identity_async_auth = Some(on))
    }

    /// Whether identities are used without a check that they are logged in; default yes.
    pub fn identity_skip_validation(self, on: bool) -> Self {
        self.raw(|body| body.identity_skip_validation = Some(on))
    }

    /// Adds an integration, e.g. with a password manager.
    pub fn integration(self, integration: &Integration) -> Self {
        let integration = integration.to_api();
        self.raw(|body| body.integrations.get_or_insert_default().push(integration))
    }
}

/// Prints no secret: a proxy's password does not show itself.
impl<C> fmt::Debug for SessionOptions<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionOptions").field(&self.body).finish()
    }
}

/// What is masked in pages: tokens, passwords, card and phone numbers, e-mail addresses, and what is
/// added here.
#[derive(Clone, Debug)]
#[must_use]
pub struct SensitiveDataMask(types::BrowserConfigSensitiveDataMask);

impl SensitiveDataMask {
    /// Masks what the service finds by itself.
    pub fn new() -> Self {
        Self(types::BrowserConfigSensitiveDataMask {
            active: Some(true),
            ..Default::default()
        })
    }

    /// Masks also what this regular expression finds, by `****`.
    pub fn pattern(self, regex: impl Into<String>) -> Self {
        self.add(regex.into(), None)
    }

    /// Masks also what this regular expression finds, by this text.
    pub fn pattern_with_mask(self, regex: impl Into<String>, mask: impl Into<String>) -> Self {
        self.add(regex.into(), Some(mask.into()))
    }

    fn add(mut self, regex: String, mask: Option<String>) -> Self {
        let item = types::BrowserConfigSensitiveDataMaskCustomPatternsItem {
            mask,
            regex: Some(regex),
        };
        self.0.custom_patterns.get_or_insert_default().push(item);
        self
    }

    /// Blurs also the elements that this CSS selector finds, on every site.
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        let list = self.0.custom_selectors.get_or_insert_default();
        list.push(selector.into());
        self
    }

    /// Blurs also the elements that this CSS selector finds on one site: a host such as
    /// `*.example.com`.
    pub fn site_selector(mut self, host: impl Into<String>, selector: impl Into<String>) -> Self {
        let sites = self.0.site_selectors.get_or_insert_default();
        sites.entry(host.into()).or_default().push(selector.into());
        self
    }
}

impl Default for SensitiveDataMask {
    fn default() -> Self {
        Self::new()
    }
}
