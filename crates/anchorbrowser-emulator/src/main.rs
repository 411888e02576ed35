//! The emulator as a program.

mod options;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anchorbrowser_emulator::Emulator;

use options::{Asked, Options};

/// The command line, or something it names, must be changed first.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    let options = match options::parse(
        std::env::args_os().skip(1),
        std::env::var(options::KEY).ok(),
    ) {
        Ok(Asked::Run(options)) => *options,
        Ok(Asked::Print(text)) => {
            say(&text);
            return ExitCode::SUCCESS;
        }
        Err(message) => return wrong(&message, "try `anchorbrowser-emulator --help`"),
    };
    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(options.log)
        .with_ansi(false);
    log.init();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return wrong(
                &format!("no threads: {error}"),
                "free some memory or processes",
            );
        }
    };
    runtime.block_on(run(options))
}

async fn run(options: Options) -> ExitCode {
    let any_key = options.any_key;
    // Before the address is told: whoever waits for it may end the program at once.
    let stopped = match signals() {
        Ok(stopped) => stopped,
        Err(error) => {
            return wrong(
                &format!("can't listen for signals: {error}"),
                "start it another way",
            );
        }
    };
    let emulator = match options.builder.start().await {
        Ok(emulator) => emulator,
        Err(error) => {
            return wrong(
                &chain(&error),
                "`anchorbrowser-emulator --help` tells what can be set",
            );
        }
    };
    let address = emulator.address();
    if !address.ip().is_loopback() {
        complain(&format!(
            "warning: listening beyond this machine, on {address}: whoever reaches it can read and change everything \
             in it"
        ));
    }
    say(&greeting(&emulator, any_key));
    stopped.await;
    tracing::info!("stopping");
    emulator.shutdown().await;
    ExitCode::SUCCESS
}

/// What to set in clients. The first line tells scripts that it listens, and where.
fn greeting(emulator: &Emulator, any_key: bool) -> String {
    let url = emulator.base_url();
    let key = if any_key {
        "any-text"
    } else {
        "one-of-your-keys"
    };
    format!(
        "listening on {url}\n\nFor clients, set\n  ANCHORBROWSER_BASE_URL={url}\n  ANCHORBROWSER_API_KEY={key}\n\
         State and requests are shown at {url}/\n"
    )
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn wrong(message: &str, hint: &str) -> ExitCode {
    complain(&format!("error: {message}\nhint: {hint}"));
    ExitCode::from(WRONG_USE)
}

/// Prints to stdout. Nobody may be reading it; that is no reason to end.
fn say(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Ends when the program is asked to stop.
#[cfg(unix)]
fn signals() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the program is asked to stop.
#[cfg(not(unix))]
fn signals() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler for it, Ctrl-C ends the program anyway.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
