//! Pictures, printed pages and contents of pages.

use std::time::Duration;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::cdp::CdpError;
use super::downloads;
use super::page::{Arrival, Astray, Page, decoded};
use crate::answer::Refusal;
use crate::resources::session_files::media_type;

/// How long it may take to print a page.
const PRINTING: Duration = Duration::from_secs(60);

/// How long a file may take to arrive that a URL turned out to be.
const ARRIVING: Duration = Duration::from_secs(60);

/// The longest side of a picture of a whole page, in pixels: the browser draws no more.
const LONGEST: f64 = 16_384.0;

/// Goes through the page screen by screen and back, so that it loads what it loads late.
const THROUGH: &str = "async () => {
    const ends = Date.now() + 20_000;
    const root = document.scrollingElement ?? document.documentElement;
    const frame = () => new Promise((done) => setTimeout(done, 50));
    for (let at = 0; at < root.scrollHeight && Date.now() < ends; at += innerHeight) {
        scrollTo({ top: at, behavior: 'instant' });
        await frame();
    }
    scrollTo({ top: 0, behavior: 'instant' });
    await frame();
}";

/// The type of a page, and its HTML.
const CONTENT: &str = "() => {
    const type = document.doctype;
    const doctype = type ? new XMLSerializer().serializeToString(type) + '\\n' : '';
    return [document.contentType, doctype + (document.documentElement?.outerHTML ?? '')];
}";

/// How a picture is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shot {
    /// Width and height of what shows; without, those that the page has.
    pub(crate) size: (Option<u32>, Option<u32>),
    pub(crate) whole: bool,
    pub(crate) scroll: bool,
    pub(crate) wait: Duration,
}

/// What a URL holds.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Bytes,
}

impl Fetched {
    fn new(media_type: &str, bytes: Bytes) -> Self {
        let content_type = match documented(media_type) {
            "application/json" if serde_json::from_slice::<IgnoredAny>(&bytes).is_err() => {
                "text/plain"
            }
            content_type => content_type,
        };
        Self {
            content_type,
            bytes,
        }
    }
}

impl Page {
    /// A picture of the page, as PNG.
    pub(crate) async fn picture(&self, shot: Shot) -> Result<Vec<u8>, Refusal> {
        let sized = shot.size != (None, None);
        if sized {
            self.measure(shot.size).await?;
        }
        let taken = self.taken(shot).await;
        if sized {
            let clear = "Emulation.clearDeviceMetricsOverride";
            self.call(clear, json!({})).await?;
        }
        taken
    }

    /// Gives what shows of the page a size for a while.
    async fn measure(&self, (width, height): (Option<u32>, Option<u32>)) -> Result<(), CdpError> {
        // 0 is the size that it has.
        let metrics = json!({
            "width": width.unwrap_or(0),
            "height": height.unwrap_or(0),
            "deviceScaleFactor": 0,
            "mobile": false,
        });
        let set = "Emulation.setDeviceMetricsOverride";
        self.call(set, metrics).await.map(drop)
    }

    async fn taken(&self, shot: Shot) -> Result<Vec<u8>, Refusal> {
        tokio::time::sleep(shot.wait).await;
        if shot.scroll {
            self.own_world(THROUGH, &Value::Null).await?;
        }
        if !shot.whole {
            return self.screenshot().await;
        }
        let metrics = self.call("Page.getLayoutMetrics", json!({})).await?;
        let height = metrics["cssContentSize"]["height"].as_f64();
        let height = height.unwrap_or_default().clamp(1.0, LONGEST);
        let width = self.own_world("() => innerWidth", &Value::Null).await?;
        let all = json!({
            "format": "png",
            "captureBeyondViewport": true,
            "clip": { "x": 0, "y": 0, "width": width, "height": height, "scale": 1 },
        });
        self.capture(all).await
    }

    /// The page as PDF, printed with options of `Page.printToPDF`.
    pub(crate) async fn pdf(&self, options: Value) -> Result<Vec<u8>, Refusal> {
        let cdp = &self.running.cdp;
        let session = Some(self.session.as_str());
        let printed = cdp.call_within(PRINTING, session, "Page.printToPDF", options);
        match printed.await {
            Ok(printed) => decoded(&printed["data"]),
            // Such as pages that are not there.
            Err(CdpError::Refused { message, .. }) => Err(Refusal::bad(format!(
                "the page can't be printed so: {message}"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// What is at a URL: the HTML of a page that has loaded, or a file. A page that does not load in time is given as far
    /// as it is, if that is wanted.
    pub(crate) async fn fetch(&self, url: &str, partial: bool) -> Result<Fetched, Refusal> {
        let mut events = self.running.cdp.events();
        self.call("Network.enable", json!({})).await?;
        let loader = match self.go(url).await {
            Ok(Arrival::Page(loader)) => loader,
            Ok(Arrival::Within) => String::new(),
            Ok(Arrival::Download) => {
                let file = tokio::time::timeout(ARRIVING, downloads::next(&mut events)).await;
                let (name, bytes) = file.ok().flatten().ok_or_else(|| {
                    Refusal::new(504, "body.url: the file that it names did not arrive")
                })?;
                return Ok(Fetched::new(media_type(&name), bytes));
            }
            Err(Astray::Slow) if partial => String::new(),
            Err(astray @ Astray::Slow) => return Err(Refusal::new(504, astray.to_string())),
            Err(astray @ Astray::Unreachable(_)) => {
                return Err(Refusal::new(422, astray.to_string()));
            }
            Err(Astray::Cdp(error)) => return Err(error.into()),
        };
        let content = self.own_world(CONTENT, &Value::Null).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let media_type = text(&content[0]);
        let bytes = match documented(&media_type) {
            "text/html" => text(&content[1]).into(),
            // The browser shows it in a page of its own making.
            _ => self.received(&loader).await?,
        };
        Ok(Fetched::new(&media_type, bytes))
    }

    /// The body of the answer to a request.
    async fn received(&self, request: &str) -> Result<Bytes, Refusal> {
        let request = json!({ "requestId": request });
        let body = self.call("Network.getResponseBody", request).await?;
        match body["base64Encoded"] == true {
            true => decoded(&body["body"]).map(Bytes::from),
            false => Ok(body["body"].as_str().unwrap_or_default().to_owned().into()),
        }
    }
}

/// Of the types that the document knows for contents, the one that fits.
fn documented(media_type: &str) -> &'static str {
    match media_type {
        "text/html" | "application/xhtml+xml" => "text/html",
        "application/pdf" => "application/pdf",
        "text/csv" => "text/csv",
        "application/json" | "text/json" => "application/json",
        "application/xml" | "text/xml" => "application/xml",
        text if text.starts_with("text/") => "text/plain",
        json if json.ends_with("+json") => "application/json",
        xml if xml.ends_with("+xml") => "application/xml",
        _ => "application/octet-stream",
    }
}
