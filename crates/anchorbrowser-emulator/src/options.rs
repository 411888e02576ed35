//! The command line.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use anchorbrowser_emulator::{Browser, Builder, Emulator};
use lexopt::{Arg, Parser};
use tracing::level_filters::LevelFilter;

/// The variable that holds a key.
pub(crate) const KEY: &str = "ANCHORBROWSER_EMULATOR_KEY";

/// Bytes of a MiB.
const MIB: usize = 1 << 20;

const HELP: &str = "\
Serves the AnchorBrowser API on this machine, without an account.

Usage: anchorbrowser-emulator [OPTIONS]

Address
  --port N            Port; 0 takes a free one [default: 8787]
  --host IP           Address to listen on [default: 127.0.0.1]

What is served
  --document FILE     OpenAPI document to serve instead of the embedded one
  --state FILE        Keep the state in this file; without it, in memory
  --manual-clock      Time stands still until POST /__emulator/clock/advance
  --seed N            Ids and made-up values come from this number [default: 0]
  --key KEY           Accept this key and no other; may be repeated. The variable
                      ANCHORBROWSER_EMULATOR_KEY does the same for one key and
                      is not seen in lists of processes. Without either, any key
                      is accepted
  --stateless         Answer everything from the schemas of the document, and
                      keep nothing
  --lenient           Let requests pass that break the document
  --drift             Put unknown members and enum values into every answer
  --browser WHICH     Run each session in a browser of its own: auto takes Chromium
                      or Chrome if it is installed, off takes none, and a path
                      or a name that program [default: off]
  --no-recordings     Record none of these browsers. Without this, ffmpeg makes the
                      videos, if it is installed
  --local-webhooks    Allow webhooks with http:// on loopback, and deliver to them
  --max-body MIB      Longest body of a request, in MiB [default: 32]

The account
  --credits N         Credits at the start [default: 1000]
  --max-browsers N    Sessions at once [default: no limit, with --browser 32]
  --rate-limit N      Session creations a minute [default: no limit]
  --fail-rate F       Share of asynchronous sessions and batch items that fail,
                      from 0 to 1 [default: 0]
  --fail-items LIST   Indexes of the items that fail in every batch, such as 1,2

Other
  --log LEVEL         off, error, warn, info or debug [default: info]
  -h, --help          Print this
  -V, --version       Print the version
";

/// What the command line asks for.
pub(crate) enum Asked {
    Run(Box<Options>),
    /// Only this text.
    Print(String),
}

pub(crate) struct Options {
    pub(crate) builder: Builder,
    pub(crate) any_key: bool,
    pub(crate) log: LevelFilter,
}

/// Reads the command line; `key` is the value of [`KEY`]. Errors never repeat values: one may be a key.
pub(crate) fn parse(
    arguments: impl Iterator<Item = OsString>,
    key: Option<String>,
) -> Result<Asked, String> {
    let mut builder = Emulator::builder();
    let (mut host, mut port) = (IpAddr::V4(Ipv4Addr::LOCALHOST), 8787_u16);
    let (mut keys, mut log) = (Vec::new(), LevelFilter::INFO);
    let mut parser = Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(|error| unexpected(&error))? {
        let name = match argument {
            Arg::Long(name) => name.to_owned(),
            Arg::Short('h') => "help".to_owned(),
            Arg::Short('V') => "version".to_owned(),
            _ => return Err("only options of the form `--name` are taken".to_owned()),
        };
        let mut value = Value {
            name: &name,
            parser: &mut parser,
        };
        match name.as_str() {
            "help" => return Ok(Asked::Print(HELP.to_owned())),
            "version" => {
                let version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"), "\n");
                return Ok(Asked::Print(version.to_owned()));
            }
            "port" => port = value.parsed("a number from 0 to 65535")?,
            "host" => host = value.parsed("an IP address, such as 127.0.0.1 or ::1")?,
            "key" => keys.push(checked_key("option --key", value.text()?)?),
            "log" => log = level(&value.text()?)?,
            _ => builder = set(builder, value)?,
        }
    }
    if keys.is_empty()
        && let Some(key) = key
    {
        keys.push(checked_key(&format!("variable {KEY}"), key)?);
    }
    let any_key = keys.is_empty();
    builder = keys
        .into_iter()
        .fold(builder.address(SocketAddr::new(host, port)), Builder::key);
    Ok(Asked::Run(Box::new(Options {
        builder,
        any_key,
        log,
    })))
}

/// Sets what an option stands for.
fn set(builder: Builder, mut value: Value<'_>) -> Result<Builder, String> {
    let whole = "a whole number that is not negative";
    Ok(match value.name {
        "document" => builder.document(value.path()?),
        "state" => builder.state(value.path()?),
        "manual-clock" => builder.manual_clock(),
        "lenient" => builder.lenient(true),
        "drift" => builder.drift(true),
        "stateless" => builder.stateless(true),
        "browser" => {
            let path = value.path()?;
            builder.browser(match path.to_str() {
                Some("auto") => Browser::Auto,
                Some("off") => Browser::Off,
                _ => Browser::Path(path),
            })
        }
        "no-recordings" => builder.record(false),
        "local-webhooks" => builder.local_webhooks(true),
        "max-body" => {
            let fits = |mib: &usize| *mib > 0 && mib.checked_mul(MIB).is_some();
            let mib = value.fitting("a whole number of MiB, at least 1", fits)?;
            builder.limits(|limits| limits.body_bytes = mib.saturating_mul(MIB))
        }
        "seed" => builder.seed(value.parsed(whole)?),
        "fail-rate" => {
            let rate = value.fitting("a number from 0 to 1", |rate| (0.0..=1.0).contains(rate))?;
            builder.failures(|failures| failures.session_rate = rate)
        }
        "fail-items" => {
            let items = value.list("whole numbers with commas between them, such as 1,2")?;
            builder.failures(|failures| failures.batch_items = items)
        }
        "credits" => {
            let enough = |credits: &f64| credits.is_finite() && *credits >= 0.0;
            let credits = value.fitting("a number that is not negative", enough)?;
            builder.account(|account| account.credits = credits)
        }
        "max-browsers" => {
            let most = value.parsed(whole)?;
            builder.account(|account| account.max_concurrent_browsers = Some(most))
        }
        "rate-limit" => {
            let most = value.parsed(whole)?;
            builder.account(|account| account.session_rate_limit = Some(most))
        }
        name => return Err(format!("there is no option `--{name}`")),
    })
}

/// The error of the parser, without values.
fn unexpected(error: &lexopt::Error) -> String {
    match error {
        lexopt::Error::UnexpectedValue { option, .. } => {
            format!("option {option}: it takes no value")
        }
        lexopt::Error::MissingValue {
            option: Some(option),
        } => format!("option {option}: its value is missing"),
        _ => "the command line can't be read".to_owned(),
    }
}

/// The value of an option.
struct Value<'a> {
    name: &'a str,
    parser: &'a mut Parser,
}

impl Value<'_> {
    fn wrong(&self, wanted: &str) -> String {
        format!("option --{}: it takes {wanted}", self.name)
    }

    fn path(&mut self) -> Result<PathBuf, String> {
        let path = self.parser.value().map_err(|error| unexpected(&error))?;
        match path.is_empty() {
            true => Err(self.wrong("the path of a file")),
            false => Ok(path.into()),
        }
    }

    fn text(&mut self) -> Result<String, String> {
        let text = self.parser.value().map_err(|error| unexpected(&error))?;
        text.into_string().map_err(|_| self.wrong("text in UTF-8"))
    }

    fn parsed<T: FromStr>(&mut self, wanted: &str) -> Result<T, String> {
        self.fitting(wanted, |_| true)
    }

    fn fitting<T: FromStr>(
        &mut self,
        wanted: &str,
        fits: impl Fn(&T) -> bool,
    ) -> Result<T, String> {
        let value = self.text()?.parse().ok().filter(fits);
        value.ok_or_else(|| self.wrong(wanted))
    }

    fn list<T: FromStr>(&mut self, wanted: &str) -> Result<Vec<T>, String> {
        let text = self.text()?;
        let items: Option<Vec<T>> = text
            .split(',')
            .map(|item| item.trim().parse().ok())
            .collect();
        items.ok_or_else(|| self.wrong(wanted))
    }
}

/// A key as a header can carry it.
fn checked_key(place: &str, key: String) -> Result<String, String> {
    let visible = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible {
        Ok(key)
    } else {
        Err(format!(
            "{place}: a key has visible ASCII characters only, and at least one"
        ))
    }
}

fn level(name: &str) -> Result<LevelFilter, String> {
    Ok(match name {
        "off" => LevelFilter::OFF,
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "info" => LevelFilter::INFO,
        "debug" => LevelFilter::DEBUG,
        _ => return Err("option --log: it takes off, error, warn, info or debug".to_owned()),
    })
}
