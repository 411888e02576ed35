//! Maintains the workspace: `cargo xtask help` lists the verbs.

mod codegen;
mod crate_copy;
mod diff;
mod document;
mod files;
mod generate;
mod lower;
mod names;
mod overlay;
mod progress;
mod summary;
mod surface;
#[cfg(test)]
mod torture;
mod update;
#[cfg(test)]
mod workspace;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use codegen::Options;

const HELP: &str = "\
Usage: cargo xtask VERB [OPTIONS]

codegen            generate crates/anchorbrowser-api from openapi.yaml and openapi.overlay.yaml
  --check              write nothing; exit 1 if anything is stale, missing or extra
  --document FILE      another document
  --overlay FILE       another overlay
  --no-overlay         the document as it is
  --out DIR            write a complete crate there, and leave this workspace alone
  --emit-lowered FILE  write what the generator is given
diff OLD [NEW]     what changed for users of the API; NEW is openapi.yaml if left out
                   each is a file, or git:REV for openapi.yaml of a commit
  --format FORMAT      `text`, `json` (xtask/diff.schema.json says what is in it) or `markdown`
  --fail-on LEVEL      exit 1 if a change is `breaking`, or `risky` or worse, for programs or for code
  --wire               leave the Rust items out, and generate nothing
  --overlay FILE       generate both with another overlay
  --no-overlay         generate both from the documents as they are
  --approvals FILE     another file of approved changes than openapi.approvals.yaml
  --today YYYY-MM-DD   the day by which approvals expire, if not that of the clock
  --rules              list the rules that judge changes, as in xtask/RULES.md
                   exit codes: 0 fine, 1 changes of that level, 2 bad input, 3 bad call
update FILE        take in a new edition of the document (`-`: standard input): show what changed, replace
                   openapi.yaml, run codegen, and list what to review
  --dry-run            write nothing
  --allow-loss         even if it is cut, or most of the API is gone
                   exit codes: 0 fine, 1 not written, 2 bad input, 3 bad call
rules              list the rules that lower a document, with their reasons
help               print this
";

/// The exit code for a command line that cannot be read, as `diff` and `update` have it.
const BAD_CALL: u8 = 3;

fn main() -> ExitCode {
    let arguments = match arguments(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "error: {message}");
            return ExitCode::from(BAD_CALL);
        }
    };
    // These two have exit codes of their own.
    match arguments.split_first() {
        Some((verb, rest)) if is_help(rest) && (verb == "diff" || verb == "update") => end(help()),
        Some((verb, rest)) if verb == "diff" => diff::main(&root(), rest.iter().cloned()),
        Some((verb, rest)) if verb == "update" => update::main(&root(), rest.iter().cloned()),
        _ => end(run(arguments)),
    }
}

/// Reads the command line, or says what is wrong with it.
fn arguments(arguments: impl Iterator<Item = OsString>) -> Result<Vec<String>, String> {
    let texts = arguments.map(OsString::into_string);
    let texts: Result<_, OsString> = texts.collect();
    texts.map_err(|it| format!("the argument {it:?} is not UTF-8; give the file another name"))
}

/// Whether one of a verb's arguments asks for help.
fn is_help(arguments: &[String]) -> bool {
    let is_help = |argument: &String| matches!(argument.as_str(), "--help" | "-h");
    arguments.iter().any(is_help)
}

/// The exit code of a verb.
fn end(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Vec<String>) -> Result<bool> {
    let mut arguments = arguments.into_iter();
    match arguments.next().as_deref() {
        Some("codegen") => match codegen_options(arguments)? {
            Some(options) => codegen::codegen(&root(), &options),
            None => help(),
        },
        Some("rules") => rules(),
        Some("help" | "--help" | "-h") => help(),
        Some(other) => bail!("no verb `{other}`; `cargo xtask help` lists them"),
        None => bail!("which verb? `cargo xtask help` lists them"),
    }
}

fn help() -> Result<bool> {
    std::io::stdout().write_all(HELP.as_bytes())?;
    Ok(true)
}

fn rules() -> Result<bool> {
    let mut out = std::io::stdout();
    for rule in lower::RULES {
        writeln!(out, "{}\n    {}", rule.name, rule.why)?;
    }
    Ok(true)
}

fn codegen_options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let (flag, inline) = match argument.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let place = match flag.as_str() {
            "--check" | "--no-overlay" if inline.is_none() => {
                options.check |= flag == "--check";
                options.no_overlay |= flag == "--no-overlay";
                continue;
            }
            "--help" | "-h" => return Ok(None),
            "--document" => &mut options.document,
            "--overlay" => &mut options.overlay,
            "--out" => &mut options.out,
            "--emit-lowered" => &mut options.emit_lowered,
            _ => bail!("codegen has no option `{flag}`; `cargo xtask help` lists them"),
        };
        match inline.or_else(|| arguments.next()) {
            Some(value) if !value.is_empty() => *place = Some(PathBuf::from(value)),
            _ => bail!("`{flag}` needs a path"),
        }
    }
    Ok(Some(options))
}

/// The folder of the workspace. Known at compile time, because xtask runs where it was built.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn arguments_that_are_no_text_are_refused() {
        use std::os::unix::ffi::OsStringExt as _;

        let read = |bytes: &[u8]| arguments([OsString::from_vec(bytes.to_vec())].into_iter());
        assert_eq!(read("é.yaml".as_bytes()), Ok(vec!["é.yaml".to_owned()]));
        let error = read(b"\xff\x1b.yaml").unwrap_err();
        assert!(
            error.is_ascii() && error.contains("is not UTF-8"),
            "{error}"
        );
    }

    #[test]
    fn help_may_stand_after_other_arguments() {
        let asks = |line: &str| {
            let arguments: Vec<_> = line.split(' ').map(str::to_owned).collect();
            is_help(&arguments)
        };
        assert!(asks("--help") && asks("a.yaml -h") && asks("a.yaml --wire --help"));
        assert!(!asks("a.yaml --wire"));
    }
}
