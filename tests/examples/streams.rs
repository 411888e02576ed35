//! Large files through the SDK: throughput and peak memory.
//!
//! `cargo run --release -p tests --example streams [MIB]`; the default is 256. A server in a process
//! of its own makes and drops bytes; each transfer runs in a process of its own, so that its peak
//! memory is its own. Memory is read from `/proc`, so on Linux only.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::task::{Context, Poll};
use std::time::Instant;

use anchorbrowser::{Bytes, Client, Upload};
use anyhow::{Context as _, Result, bail, ensure};
use futures_core::Stream;

const MIB: u64 = 1 << 20;
const PIECE: usize = 256 * 1024;
const TRANSFERS: [&str; 4] = ["up-path", "up-stream", "down-save", "down-chunks"];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => measure(256),
        [mib] => measure(mib.parse()?),
        ["server", mib] => serve(mib.parse::<u64>()? * MIB),
        [transfer, mib, url, path] => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            let length = mib.parse::<u64>()? * MIB;
            runtime.block_on(run(transfer, length, url, Path::new(path)))
        }
        _ => bail!("usage: streams [MIB]"),
    }
}

/// Runs the server and each transfer.
fn measure(mib: u64) -> Result<()> {
    let program = std::env::current_exe()?;
    let mut server = Command::new(&program)
        .args(["server", &mib.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = server.stdout.take().context("no output")?;
    let mut url = String::new();
    BufReader::new(output).read_line(&mut url)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("file.bin");
    let mut file = std::fs::File::create(&path)?;
    for _ in 0..mib {
        file.write_all(&[7; MIB as usize])?;
    }
    drop(file);
    println!("{mib} MiB    seconds    MiB/s    MiB of memory before and at most");
    let mut result = Ok(());
    for transfer in TRANSFERS {
        let mut command = Command::new(&program);
        command
            .args([transfer, &mib.to_string(), url.trim()])
            .arg(&path);
        if !command.status()?.success() {
            result = Err(anyhow::anyhow!("{transfer} failed"));
        }
    }
    server.kill()?;
    server.wait()?;
    result
}

/// One transfer, measured.
async fn run(transfer: &str, length: u64, url: &str, path: &Path) -> Result<()> {
    let client = Client::builder().base_url(url).api_key("none").build()?;
    let session = client.session("s");
    let before = peak()?;
    let start = Instant::now();
    match transfer {
        "up-path" => drop(session.upload(path).await?),
        "up-stream" => drop(
            session
                .upload(Upload::stream("a", Zeros(length), length))
                .await?,
        ),
        "down-save" => {
            let video = session.recordings().fetch_primary().await?;
            let saved = video.save_to(path.with_extension("copy")).await?;
            ensure!(saved == length, "{saved} bytes");
        }
        "down-chunks" => {
            let mut video = session.recordings().fetch_primary().await?;
            let mut count = 0;
            while let Some(chunk) = video.chunk().await? {
                count += chunk.len() as u64;
            }
            ensure!(count == length, "{count} bytes");
        }
        other => bail!("no transfer `{other}`"),
    }
    let (seconds, mib) = (start.elapsed().as_secs_f64(), length as f64 / MIB as f64);
    let (before, peak) = (before as f64 / 1024.0, peak()? as f64 / 1024.0);
    println!(
        "{transfer:12} {seconds:6.2} {:8.0}    {before:.1} {peak:.1}",
        mib / seconds
    );
    Ok(())
}

/// The peak of this process's memory so far, in KiB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("no VmHWM")?.parse()?)
}

/// So many zeros, made on demand.
struct Zeros(u64);

impl Stream for Zeros {
    type Item = Result<Bytes, std::io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let length = self.0.min(PIECE as u64);
        self.0 -= length;
        Poll::Ready((length > 0).then(|| Ok(Bytes::from(vec![0; length as usize]))))
    }
}

/// Answers GET with `length` bytes, and all else with `{}` when it has read the body.
fn serve(length: u64) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("http://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || {
            if let Err(error) = answer(stream, length) {
                eprintln!("server: {error:#}");
            }
        });
    }
    Ok(())
}

fn answer(stream: TcpStream, length: u64) -> Result<()> {
    let mut reader = BufReader::with_capacity(PIECE, stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut body = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                body = value.parse()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut buffer = vec![0; PIECE];
    while body > 0 {
        let most = (PIECE as u64).min(body) as usize;
        let count = reader.read(buffer.get_mut(..most).context("no buffer")?)?;
        ensure!(count > 0, "the body broke off");
        body -= count as u64;
    }
    let mut stream = reader.into_inner();
    let is_get = first.starts_with("GET ");
    let sent = if is_get { length } else { 2 };
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {sent}\r\nconnection: close\r\n\r\n"
    )?;
    if !is_get {
        return Ok(stream.write_all(b"{}")?);
    }
    let mut left = length;
    while left > 0 {
        let piece = buffer.get(..(PIECE as u64).min(left) as usize);
        let piece = piece.context("no buffer")?;
        stream.write_all(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}
