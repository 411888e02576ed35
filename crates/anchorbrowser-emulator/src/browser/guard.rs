//! A process, such as a browser's, and its private directory. Both are gone when the emulator is, however it ended.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;

/// What the names of private directories begin with.
const PREFIX: &str = "anchorbrowser-emulator-";

/// How often a directory is tried to be removed that something still writes to, and how long after one another.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// Waits for a line, then starts the program, and waits for the end of its own input, which comes when the emulator lets
/// go of it or is gone. Then it kills what is left and removes the directory. The program writes to the end, so that may
/// take several tries.
#[cfg(unix)]
const GUARD: &str = r#"
if read -r go; then
  "$@" </dev/null & program=$!
  exec 2>/dev/null
  cat >/dev/null
  kill -KILL $program
  wait $program
fi
exec 2>/dev/null
for pause in 0 0.1 0.2 0.4 0.8 1.6 3.2; do
  sleep $pause
  rm -rf -- "$0" && break
done
sleep 0.1
rm -rf -- "$0"
kill -KILL 0
"#;

/// A private directory in `place`, readable by nobody else.
pub(super) fn directory(place: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(place)
}

/// A program that is guarded.
pub(super) struct Process {
    command: Command,
    /// On Unix, its guard.
    child: Option<Child>,
    directory: PathBuf,
    /// Removes the directory where no guard does.
    _removed: Option<TempDir>,
    _open: Open,
}

/// Counts a process until it is gone.
struct Open(Arc<watch::Sender<usize>>);

impl Open {
    fn new(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Process {
    /// Guards `directory`, and `program`, which may write to it and to nothing else. It begins with [`Process::begin`].
    pub(super) fn new(
        program: &Path,
        arguments: Vec<OsString>,
        directory: TempDir,
        count: &Arc<watch::Sender<usize>>,
    ) -> io::Result<Self> {
        let open = Open::new(count);
        let mut command = command(program, directory.path());
        command
            .args(arguments)
            // The program's own temporary files, such as sockets, go with it too. Their names are relative: names of
            // sockets have a hundred bytes at most.
            .current_dir(directory.path())
            .env("TMPDIR", ".")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let path = directory.path().to_owned();
        let (child, removed) = match cfg!(unix) {
            true => {
                let child = command.spawn()?;
                // From here on it is the guard's.
                let _ = directory.keep();
                (Some(child), None)
            }
            false => (None, Some(directory)),
        };
        Ok(Self {
            command,
            child,
            directory: path,
            _removed: removed,
            _open: open,
        })
    }

    /// Starts the program. Gives what it writes to its standard error, which ends with it.
    pub(super) async fn begin(&mut self) -> io::Result<ChildStderr> {
        let missing = || io::Error::other("its output can't be read");
        match &mut self.child {
            Some(child) => {
                let input = child.stdin.as_mut().ok_or_else(missing)?;
                input.write_all(b"\n").await?;
            }
            None => self.child = Some(self.command.spawn()?),
        }
        let child = self.child.as_mut().ok_or_else(missing)?;
        child.stderr.take().ok_or_else(missing)
    }

    /// Kills the program, and waits until it is gone with its directory.
    pub(super) async fn end(mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let guard = child.id();
        drop(child.stdin.take());
        if cfg!(not(unix)) {
            let _ = child.start_kill();
        }
        // It fails only if somebody else has waited.
        let _ = child.wait().await;
        if cfg!(unix) && self.directory.exists() {
            self.clean_up(guard).await;
        }
    }

    /// Does the work of a guard that was killed.
    async fn clean_up(&self, guard: Option<u32>) {
        if let Some(guard) = guard {
            let group = format!("-{guard}");
            let kill = Command::new("kill").args(["-KILL", "--", &group]).output();
            // There may be nobody left to kill.
            let _ = kill.await;
        }
        for _ in 0..TRIES {
            match tokio::fs::remove_dir_all(&self.directory).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tokio::time::sleep(PAUSE).await;
                }
                _ => return,
            }
        }
        tracing::warn!(directory = ?self.directory, "a private directory is left behind");
    }
}

#[cfg(unix)]
fn command(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new("sh");
    // In a group of its own: Ctrl-C is for the emulator, which lets go of it in order.
    command
        .arg("-c")
        .arg(GUARD)
        .arg(directory)
        .arg(program)
        .process_group(0);
    command
}

#[cfg(not(unix))]
fn command(program: &Path, _: &Path) -> Command {
    let mut command = Command::new(program);
    command.kill_on_drop(true);
    command
}

/// Reads where the browser listens, and gives what is left to read. The error is what it wrote instead.
pub(super) async fn listening(
    stderr: ChildStderr,
) -> Result<(String, BufReader<ChildStderr>), String> {
    const MARK: &str = "DevTools listening on ws://";
    /// Bytes of its last words that are told.
    const LONGEST: usize = 2_000;
    let mut reader = BufReader::new(stderr);
    let (mut said, mut line) = (Vec::new(), Vec::new());
    loop {
        line.clear();
        match reader.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => {
                let last = said.len().saturating_sub(LONGEST);
                return Err(String::from_utf8_lossy(&said[last..]).trim().to_owned());
            }
            Ok(_) => {}
        }
        if let Some((_, address)) = String::from_utf8_lossy(&line).split_once(MARK) {
            return Ok((address.trim().to_owned(), reader));
        }
        said.extend_from_slice(&line);
    }
}

/// Reads what a program writes until it is gone.
pub(super) async fn drained(mut reader: BufReader<ChildStderr>) {
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
        line.clear();
    }
}
