//! The tools where there are browsers: in that of the session, or in one that is borrowed for the request.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::{address, session};
use crate::answer::{Answer, Outcome, Refusal};
use crate::browser::{Page, Shot, Workplace};
use crate::call::Call;
use crate::resources::{billing, control, sessions};
use crate::world::World;

/// How long a picture may be waited for, in milliseconds.
pub(super) const WAIT: i64 = 120_000;

/// Options of a printed page, which the browser calls the same.
const PRINT: [&str; 14] = [
    "landscape",
    "displayHeaderFooter",
    "printBackground",
    "scale",
    "paperWidth",
    "paperHeight",
    "marginTop",
    "marginBottom",
    "marginLeft",
    "marginRight",
    "pageRanges",
    "headerTemplate",
    "footerTemplate",
    "preferCSSPageSize",
];

/// Where a tool works, and the URL that it opens there first.
pub(super) struct Desk {
    place: Workplace,
    url: Option<String>,
}

impl Desk {
    /// The place for a request, if there are browsers.
    pub(super) fn of(world: &mut World, call: &Call<'_>) -> Result<Option<Self>, Refusal> {
        if !world.browsers.are_on() {
            return Ok(None);
        }
        let url = address(call)?.map(String::from);
        let place = match call.text("sessionId") {
            Some(id) => {
                session(world, call, id)?;
                world.browsers.get(id).map(Workplace::from)
            }
            None if url.is_none() => return Err(super::no_url()),
            None => borrow(world)?,
        };
        Ok(place.map(|place| Self { place, url }))
    }

    async fn page(&self) -> Result<Page, Refusal> {
        let page = self.place.page().await?;
        if let Some(url) = &self.url {
            page.goto(url).await?;
        }
        Ok(page)
    }

    pub(super) fn screenshot(self, shot: Shot) -> Answer {
        let taking = async move { self.page().await?.picture(shot).await };
        Answer::later(taking, |_, png| Ok(Answer::bytes("image/png", png)))
    }

    pub(super) fn page_pdf(self, body: &Value) -> Answer {
        let given = PRINT
            .iter()
            .filter_map(|name| Some((name, body.get(name)?)));
        let options: Map<String, Value> = given
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let printing = async move { self.page().await?.pdf(options.into()).await };
        Answer::later(printing, |_, pdf| Ok(Answer::bytes("application/pdf", pdf)))
    }
}

/// A browser of its own for the request: it counts as one more of the account as long as it runs.
fn borrow(world: &World) -> Result<Option<Workplace>, Refusal> {
    sessions::room(world, 1)?;
    Ok(world.browsers.borrow(control::VIEWPORT))
}

/// Fetches a URL in a browser of its own. What is fetched is charged for.
pub(super) fn fetch(world: &World, call: &Call<'_>, url: Url) -> Outcome {
    let partial = call.body().pointer("/options/return_partial_on_timeout") != Some(&false.into());
    let place = borrow(world)?.ok_or_else(|| Refusal::new(500, "there is no browser"))?;
    let fetching = async move { place.page().await?.fetch(url.as_str(), partial).await };
    Ok(Answer::later(fetching, |world, fetched| {
        billing::charge(world, billing::STEP);
        Ok(Answer::bytes(fetched.content_type, fetched.bytes))
    }))
}

/// How the picture is to be taken that a request asks for.
pub(super) fn shot(call: &Call<'_>, size: (Option<u32>, Option<u32>), wait: i64) -> Shot {
    let on = |name| call.body().get(name) == Some(&Value::Bool(true));
    Shot {
        size,
        whole: on("capture_full_height"),
        scroll: on("scroll_all_content"),
        wait: Duration::from_millis(wait.unsigned_abs()),
    }
}
