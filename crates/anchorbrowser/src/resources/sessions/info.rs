//! What the service tells of one session.

use std::time::Duration;

use anchorbrowser_api::types;
use anchorbrowser_api::wire::SecretJson;

use crate::resources::paging::count;
use crate::{LiveViewUrl, PageId, SessionId, TeamId, Timestamp};

/// What the service knows of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its id.
    pub id: SessionId,
    /// Its status, e.g. `running`: the API does not limit the words.
    pub status: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// How long it has lived.
    pub duration: Option<Duration>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The credits that it has used so far.
    pub credits: Option<f64>,
    /// How many bytes went through its proxy.
    pub proxy_bytes: Option<u64>,
    /// How many steps agents have taken in it.
    pub steps: Option<u64>,
    /// The team that it belongs to.
    pub team_id: Option<TeamId>,
    /// What it was created with, as JSON. It may hold secrets, so `Debug` does not show it.
    pub configuration: Option<SecretJson>,
    /// Figures on the tokens that agents used, as JSON: the API does not say in which form.
    pub tokens: Option<serde_json::Value>,
}

impl SessionInfo {
    pub(crate) fn new(data: types::GetSessionResponseData) -> Option<Self> {
        Some(Self {
            id: data.session_id?.into(),
            status: data.status,
            created_at: data.created_at,
            duration: count(data.duration).map(Duration::from_secs),
            tags: data.tags,
            credits: data.credits_used,
            proxy_bytes: count(data.proxy_bytes),
            steps: count(data.steps),
            team_id: data.team_id.map(Into::into),
            configuration: data.configuration,
            tokens: data.tokens,
        })
    }
}

/// A page (a tab) that is open in a session's browser.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PageInfo {
    /// Its id.
    pub id: PageId,
    /// Its title.
    pub title: Option<String>,
    /// What it shows.
    pub url: Option<String>,
    /// The address that shows this page of the browser.
    pub live_view_url: Option<LiveViewUrl>,
}

impl PageInfo {
    pub(crate) fn new(item: types::GetSessionPagesResponseDataItemsItem) -> Self {
        Self {
            id: item.id.unwrap_or_default().into(),
            title: item.title,
            url: item.url,
            live_view_url: item.frontend_url.map(Into::into),
        }
    }
}
