//! What `codegen` is at, for a person who waits.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Nothing is shown before, because most runs are over by then.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the time is brought up to date.
const TICK: Duration = Duration::from_millis(200);

/// Shows on a terminal what goes on, once it takes long.
pub(crate) struct Progress {
    steps: Option<Sender<&'static str>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Watches from now on, if standard error is a terminal.
    pub(crate) fn start() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self {
                steps: None,
                thread: None,
            };
        }
        let (steps, received) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let started = Instant::now();
            let mut step = "starting";
            let mut shown = false;
            loop {
                match received.recv_timeout(TICK) {
                    Ok(next) => step = next,
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if started.elapsed() > PATIENCE {
                    shown = true;
                    let seconds = started.elapsed().as_secs_f64();
                    let _ = write!(std::io::stderr(), "\r\x1b[K{step} ... {seconds:.0} s");
                }
            }
            if shown {
                let _ = write!(std::io::stderr(), "\r\x1b[K");
            }
        });
        Self {
            steps: Some(steps),
            thread: Some(thread),
        }
    }

    /// Names what begins.
    pub(crate) fn step(&self, step: &'static str) {
        if let Some(steps) = &self.steps {
            let _ = steps.send(step);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.steps = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
