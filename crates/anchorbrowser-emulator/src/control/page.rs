//! Pages for people: the overview at `/`, and the live view of a session without a browser. Both are whole in themselves
//! and act on nothing.

use std::fmt::Write as _;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::Response;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Asked, Done, live, paths, redact, set, state};
use crate::answer::Refusal;
use crate::body::Body;
use crate::service::bytes_response;

/// Requests on the page.
const REQUESTS: usize = 50;

/// Seconds until the page is loaded again.
const REFRESH: u32 = 5;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:15px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:76rem;padding:0 1rem}\
h1{font-size:1.4rem;margin:0 0 .25rem}\
h2{font-size:1.05rem;margin:1.75rem 0 .4rem}\
p{margin:.25rem 0}\
code,pre{font-family:ui-monospace,monospace;font-size:.88em}\
pre{background:#8881;border-radius:.4rem;margin:.5rem 0;overflow:auto;padding:.6rem .8rem}\
.wide{overflow-x:auto}\
table{border-collapse:collapse;width:100%}\
th,td{border-bottom:1px solid #8884;overflow-wrap:anywhere;padding:.25rem .75rem .25rem 0;text-align:left;\
vertical-align:top}\
th{font-weight:600;white-space:nowrap}\
.none{opacity:.65}\
.bad{color:#c22}\
@media(prefers-color-scheme:dark){.bad{color:#f77}}";

/// A list of the state as a table: its heading, its member of the state, what an empty one says, and its columns.
struct List {
    title: &'static str,
    member: &'static str,
    empty: &'static str,
    columns: &'static [&'static str],
}

const LISTS: [List; 7] = [
    List {
        title: "Sessions",
        member: "sessions",
        empty: "None yet: POST /v1/sessions starts one.",
        columns: &["id", "status", "created", "ended", "tags", "url"],
    },
    List {
        title: "Asynchronous sessions",
        member: "async_sessions",
        empty: "None yet: POST /v1/sessions/async asks for one.",
        columns: &["id", "state", "created", "session", "error"],
    },
    List {
        title: "Batches",
        member: "batches",
        empty: "None yet: POST /v1/batch-sessions starts one.",
        columns: &[
            "id",
            "status",
            "created",
            "total",
            "queued",
            "ready",
            "failed",
            "cancelled",
        ],
    },
    List {
        title: "Runs of agents and tasks",
        member: "runs",
        empty: "None yet: POST /v1/tools/perform-web-task starts one.",
        columns: &["id", "kind", "status", "created", "ended", "steps", "error"],
    },
    List {
        title: "Versions of tasks that were run",
        member: "executions",
        empty: "None yet: a run of a task shows here.",
        columns: &["id", "task", "version"],
    },
    List {
        title: "Webhooks",
        member: "webhooks",
        empty: "None yet: POST /v1/webhooks registers one.",
        columns: &["id", "enabled", "events", "previous_secret_until"],
    },
    List {
        title: "Webhook deliveries",
        member: "deliveries",
        empty: "None yet: an event that a webhook subscribed to makes one.",
        columns: &[
            "id", "webhook", "event", "status", "attempts", "response", "error",
        ],
    },
];

pub(super) fn overview(asked: &Asked<'_>) -> Done {
    let state = state::summary(asked.shared)?;
    let requests = state::latest(asked.shared, REQUESTS, None);
    let any_key = asked.shared.config.keys.any();
    let live = live::shown(asked.shared)?;
    let body = overview_body(&state, &requests, any_key, &live);
    // Framed, the page could be dressed up as another one.
    Ok(html(
        "Emulator of the AnchorBrowser API",
        &body,
        Some(REFRESH),
        "; frame-ancestors 'none'",
    ))
}

/// `live` are sessions with a live view to link to.
fn overview_body(state: &Value, requests: &[Value], any_key: bool, live: &[String]) -> String {
    let base = escape(state["base_url"].as_str().unwrap_or_default());
    let key = if any_key {
        "any-text"
    } else {
        "one-of-the-keys-it-was-started-with"
    };
    let mut page = format!(
        "<h1>Emulator of the AnchorBrowser API</h1>\
         <p>It listens on <code>{base}</code>. Its clock is {} and says {}.</p>\
         <p>Scripted faults: {}. Scripts for agents: {}. Bytes of files: {}.</p>\
         <h2>How to connect</h2>\
         <pre>ANCHORBROWSER_BASE_URL={base}\nANCHORBROWSER_API_KEY={key}</pre>\
         <pre>curl -H 'anchor-api-key: {key}' {base}/v1/sessions</pre>",
        cell(&state["clock"]),
        cell(&state["now"]),
        cell(&state["faults"]),
        cell(&state["scripts"]),
        cell(&state["stored_bytes"]),
    );
    for list in &LISTS {
        let items = state[list.member].as_array().into_iter().flatten();
        let rows = items.map(|item| row(item, list.columns, live));
        section(&mut page, list.title, list.empty, list.columns, rows);
    }
    let columns = [
        "number",
        "time",
        "request",
        "operation",
        "status",
        "violations",
    ];
    let empty = "None yet: the requests to the API show here.";
    section(
        &mut page,
        "Latest requests",
        empty,
        &columns,
        requests.iter().rev().map(request),
    );
    page.push_str("<h2>Paths of the emulator itself</h2><pre>");
    for (path, methods) in paths::all() {
        let _ = writeln!(page, "{:<16} {}", methods.join(" "), escape(path));
    }
    page.push_str("</pre>");
    page
}

/// What the columns show of an item; the id of a session with a live view links to it.
fn row(item: &Value, columns: &[&str], live: &[String]) -> Vec<String> {
    let shown = |column: &&str| match item[*column].as_str() {
        Some(id) if *column == "id" && live.iter().any(|live| live == id) => live::link(id),
        _ => cell(&item[*column]),
    };
    columns.iter().map(shown).collect()
}

fn request(request: &Value) -> Vec<String> {
    let query = request["query"]
        .as_str()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let asked = [request["method"].as_str(), request["path"].as_str()]
        .map(Option::unwrap_or_default)
        .join(" ");
    let status = match &request["status"] {
        Value::Null => "none".to_owned(),
        status => cell(status),
    };
    let faulted = if request["faulted"] == true {
        " (fault)"
    } else {
        ""
    };
    let violations = [
        ("", &request["violations"]),
        ("unknown parameters: ", &request["unknown_parameters"]),
        ("the answer: ", &request["answer_violations"]),
    ];
    let violations = violations
        .map(|(what, list)| (what, cell(list)))
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(what, text)| format!("{what}{text}"))
        .collect::<Vec<_>>();
    vec![
        cell(&request["number"]),
        cell(&request["time"]),
        escape(&format!("{asked}{query}")),
        cell(&request["operation"]),
        format!("{status}{faulted}"),
        match violations.is_empty() {
            true => String::new(),
            false => format!("<span class=\"bad\">{}</span>", violations.join("; ")),
        },
    ]
}

/// A heading and a table of cells, which are HTML already.
fn section(
    page: &mut String,
    title: &str,
    empty: &str,
    columns: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) {
    let _ = write!(page, "<h2>{}</h2>", escape(title));
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        let _ = write!(page, "<p class=\"none\">{}</p>", escape(empty));
        return;
    }
    page.push_str("<div class=\"wide\"><table><thead><tr>");
    for column in columns {
        let _ = write!(page, "<th>{}</th>", escape(&column.replace('_', " ")));
    }
    page.push_str("</tr></thead><tbody>");
    for row in rows {
        page.push_str("<tr>");
        for cell in row {
            let _ = write!(page, "<td>{cell}</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div>");
}

/// The page behind a live view URL where there are no browsers. It may be framed: that is what live views are for.
pub(super) fn live(asked: &Asked<'_>) -> Done {
    let id = asked.query("sessionId").unwrap_or_default();
    let page = asked.shared.enter(|world| {
        let session = world.tables.sessions.get(id)?;
        let rows = session.pages.iter().map(|page| {
            [&page.id, &page.title, &page.url].map(|text| escape(&redact::text(text))).to_vec()
        });
        let mut body = format!(
            "<h1>Session {}</h1><p>It is {}. The emulator runs no browser: these are the pages that the session would \
             have.</p>",
            escape(&session.id),
            escape(&session.status),
        );
        section(&mut body, "Pages", "None.", &["id", "title", "url"], rows);
        Some(body)
    })?;
    let body = page.ok_or_else(|| {
        Refusal::new(
            404,
            "there is no such session; name one of the page at `/` as `?sessionId=`",
        )
    })?;
    Ok(html("Live view", &body, Some(REFRESH), ""))
}

/// A value as text for people, escaped.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escape(text),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        value => escape(&value.to_string()),
    }
}

/// Text for HTML, also between quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Invisible ones could turn the text around.
            c if c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c) =>
            {
                escaped.push('\u{fffd}');
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A page of text for people, that loads itself again after `refresh` seconds.
pub(super) fn html(title: &str, body: &str, refresh: Option<u32>, framing: &str) -> Response<Body> {
    static DIGEST: OnceLock<String> = OnceLock::new();
    let style = DIGEST.get_or_init(|| digest(STYLE));
    let refresh = refresh.map_or_else(String::new, |seconds| {
        format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">")
    });
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\
         <meta name=\"viewport\" content=\"width=device-width\">{refresh}\
         <style>{STYLE}</style></head><body>{body}</body></html>",
        escape(title)
    );
    // Nothing is loaded and nothing runs, should an escape be missing one day.
    whole(page, &format!("style-src {style}{framing}"))
}

/// The word by which a policy allows a style sheet or a script that stands in the page.
pub(super) fn digest(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)))
}

/// A page that is whole in itself. `policy` says what it may do besides nothing.
pub(super) fn whole(page: String, policy: &str) -> Response<Body> {
    let mut response = bytes_response(200, "text/html; charset=utf-8", page);
    let policy = format!("default-src 'none'; {policy}; base-uri 'none'; form-action 'none'");
    set(&mut response, CONTENT_SECURITY_POLICY, &policy);
    set(&mut response, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut response, REFERRER_POLICY, "no-referrer");
    set(&mut response, CACHE_CONTROL, "no-store");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_cell() {
        assert_eq!(
            escape("<b a=\"x\" c='y'>&\n\u{202e}"),
            "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;\u{fffd}\u{fffd}"
        );
        assert_eq!(
            cell(&serde_json::json!(["<", { "a": ">" }, 1, null])),
            "&lt;, {&quot;a&quot;:&quot;&gt;&quot;}, 1, "
        );
    }
}
