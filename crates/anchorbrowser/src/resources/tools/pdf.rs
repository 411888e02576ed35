use anchorbrowser_api::types;

use crate::call::Call;
use crate::error::Error;
use crate::macros::set;
use crate::transfer::Download;
use crate::{Client, SessionId};

/// A page as a PDF; see [`Tools::pdf`](super::Tools::pdf). Lengths are in inches.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct Pdf {
    client: Client,
    session: Option<SessionId>,
    body: types::CreatePagePdfBody,
}

/// Writes setters of optional fields.
macro_rules! setters {
    ($($(#[$meta:meta])* $name:ident: $type:ty),* $(,)?) => {$(
        $(#[$meta])*
        pub fn $name(mut self, value: $type) -> Self {
            self.body.$name = Some(value.into());
            self
        }
    )*};
}

impl Pdf {
    pub(super) fn new(client: &Client, url: String) -> Self {
        Self {
            client: client.clone(),
            session: None,
            body: types::CreatePagePdfBody::new(url),
        }
    }

    /// Uses the browser of this session.
    pub fn session(mut self, id: impl Into<SessionId>) -> Self {
        self.session = Some(id.into());
        self
    }

    setters! {
        /// Whether the paper lies on its long side; default no.
        landscape: bool,
        /// Whether pages have a header and a footer; default no.
        display_header_footer: bool,
        /// The HTML template of the header.
        header_template: impl Into<String>,
        /// The HTML template of the footer.
        footer_template: impl Into<String>,
        /// Whether backgrounds are printed; default no.
        print_background: bool,
        /// The factor by which the page is scaled, from 0.1 to 2; default 1.
        scale: f64,
        /// The width of the paper; default 8.5.
        paper_width: f64,
        /// The height of the paper; default 11.
        paper_height: f64,
        /// The margin at the top; default about 0.4.
        margin_top: f64,
        /// The margin at the bottom; default about 0.4.
        margin_bottom: f64,
        /// The margin on the left; default about 0.4.
        margin_left: f64,
        /// The margin on the right; default about 0.4.
        margin_right: f64,
        /// The pages to print, e.g. `2-4, 7`; default all.
        page_ranges: impl Into<String>,
        /// Whether a size of paper that the page's CSS sets is preferred; default no.
        prefer_css_page_size: bool,
    }

    /// The same margin on all four sides.
    pub fn margins(self, inches: f64) -> Self {
        self.margin_top(inches)
            .margin_bottom(inches)
            .margin_left(inches)
            .margin_right(inches)
    }

    /// Prints the page. It gets two minutes at least.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument) if a length, the scale or
    /// the ranges are refused, and what any call may fail with.
    ///
    /// Calls `create_page_pdf`.
    pub fn send(self) -> Call<Download> {
        if self.client.checks()
            && let Some(reason) = broken(&self.body)
        {
            return Call::refused(Error::invalid("create_page_pdf", reason));
        }
        Download::of(Call::new(&self.client, move |api| async move {
            let mut call = api.create_page_pdf().body(self.body);
            set!(call, session_id: self.session);
            Ok(call.send().await?)
        }))
    }
}

/// Why the API would refuse it. Numbers that are none would be sent as `null`.
fn broken(body: &types::CreatePagePdfBody) -> Option<String> {
    let fits = |number: Option<f64>, fits: fn(f64) -> bool| {
        number.is_none_or(|number| number.is_finite() && fits(number))
    };
    if !fits(body.scale, |scale| (0.1..=2.0).contains(&scale)) {
        return Some("`scale` must be from 0.1 to 2".to_owned());
    }
    for (name, length) in [
        ("paperWidth", body.paper_width),
        ("paperHeight", body.paper_height),
    ] {
        if !fits(length, |length| length > 0.0) {
            return Some(format!("`{name}` must be more than 0 inches"));
        }
    }
    for (name, length) in [
        ("marginTop", body.margin_top),
        ("marginBottom", body.margin_bottom),
        ("marginLeft", body.margin_left),
        ("marginRight", body.margin_right),
    ] {
        if !fits(length, |length| length >= 0.0) {
            return Some(format!("`{name}` must be 0 inches or more"));
        }
    }
    let ranges = body.page_ranges.as_deref();
    if ranges.is_some_and(|ranges| !ranges.split(',').all(is_range)) {
        return Some("`pageRanges` must be pages and ranges such as `2-4, 7`".to_owned());
    }
    None
}

/// Whether this is a page or a range of pages.
fn is_range(text: &str) -> bool {
    let mut pages = text.trim_start().splitn(2, '-');
    pages.all(|page| !page.is_empty() && page.bytes().all(|byte| byte.is_ascii_digit()))
}
