//! Makes videos of recordings, by ffmpeg.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStderr, Command};
use tokio::sync::{OnceCell, Semaphore};

use super::Starter;
use super::find::look_up;
use super::guard::{self, Process};
use super::recorder::Film;
use crate::media;

/// How long one video may take.
const ENCODING: Duration = Duration::from_secs(600);

/// How long it may take to try a way to encode.
const TRYING: Duration = Duration::from_secs(20);

/// Names of files in the private directory.
const PICTURES: &str = "pictures";
const LIST: &str = "list.txt";
const VIDEO: &str = "video.mp4";

/// Ways to encode, best first. Pictures keep their own times: at a fixed rate an hour in which nothing happens costs as much
/// as a film. The option for it has another name before ffmpeg 5.1.
const WAYS: [&[&str]; 4] = [
    &[
        "-fps_mode",
        "vfr",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "28",
    ],
    &["-fps_mode", "vfr", "-c:v", "mpeg4", "-q:v", "7"],
    &[
        "-vsync",
        "vfr",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-crf",
        "28",
    ],
    &["-vsync", "vfr", "-c:v", "mpeg4", "-q:v", "7"],
];

/// A video of a session.
#[derive(Clone, Debug)]
pub(crate) struct Video {
    pub(crate) bytes: Bytes,
    pub(crate) length: Duration,
}

/// What videos are made with. A clone is the same one.
#[derive(Clone)]
pub(super) struct Encoder(Arc<Program>);

struct Program {
    ffmpeg: PathBuf,
    nice: Option<PathBuf>,
    way: OnceCell<Option<&'static [&'static str]>>,
    /// One video is made at a time.
    turn: Semaphore,
}

impl Encoder {
    /// That of this machine, if it has one.
    pub(super) fn find() -> Option<Self> {
        let look_up = |name: &str| look_up(Path::new(name));
        let Some(ffmpeg) = look_up("ffmpeg") else {
            tracing::warn!(
                "there is no ffmpeg in PATH: every recording is the same sample; install it for real ones"
            );
            return None;
        };
        let encoder = Self(Arc::new(Program {
            ffmpeg,
            nice: look_up("nice"),
            way: OnceCell::new(),
            turn: Semaphore::new(1),
        }));
        // So that it is known when the first session ends.
        let tried = encoder.clone();
        tokio::spawn(async move { tried.way().await });
        Some(encoder)
    }

    /// The first that works.
    async fn way(&self) -> Option<&'static [&'static str]> {
        let find = || async {
            for way in WAYS {
                let tried = tokio::time::timeout(TRYING, works(&self.0.ffmpeg, way)).await;
                if matches!(tried, Ok(Ok(true))) {
                    return Some(way);
                }
            }
            tracing::warn!(
                "ffmpeg has neither libx264 nor mpeg4: every recording is the same sample"
            );
            None
        };
        *self.0.way.get_or_init(find).await
    }

    /// Takes the pictures of a session into a guarded directory of their own. `None`: there is nothing to make a video of.
    pub(super) async fn take(
        &self,
        starter: &Starter,
        film: Film,
        size: (u32, u32),
    ) -> Option<Making> {
        let way = self.way().await?;
        if film.times.is_empty() {
            return None;
        }
        let taken = || {
            let directory = guard::directory(&starter.place)?;
            let path = directory.path().to_owned();
            let mut arguments = arguments(&path, way, size);
            let program = match &self.0.nice {
                Some(nice) => {
                    let ffmpeg = self.0.ffmpeg.clone().into_os_string();
                    let before = [OsString::from("-n"), "10".into(), ffmpeg];
                    arguments.splice(0..0, before);
                    nice
                }
                None => &self.0.ffmpeg,
            };
            let process = Process::new(program, arguments, directory, &starter.processes)?;
            std::fs::rename(&film.directory, path.join(PICTURES))?;
            std::fs::write(path.join(LIST), list(&film))?;
            Ok::<_, io::Error>(Making {
                encoder: self.clone(),
                process,
                path,
            })
        };
        let taken = taken();
        taken
            .inspect_err(|error| tracing::warn!(%error, "a recording was lost"))
            .ok()
    }
}

/// A video that is to be made.
pub(super) struct Making {
    encoder: Encoder,
    process: Process,
    path: PathBuf,
}

impl Making {
    /// Makes it, unless `stopped` comes first. Afterwards nothing is left on disk.
    pub(super) async fn video(mut self, stopped: impl Future<Output = ()>) -> Option<Video> {
        let made = tokio::select! {
            () = stopped => None,
            made = self.make() => made
                .inspect_err(|why| tracing::warn!("ffmpeg made no video of a session: {why}"))
                .ok(),
        };
        self.process.end().await;
        made
    }

    async fn make(&mut self) -> Result<Video, String> {
        let told = |error: io::Error| error.to_string();
        let turn = self.encoder.0.turn.acquire().await;
        let errors = self.process.begin().await.map_err(told)?;
        let said = tokio::time::timeout(ENCODING, said(errors)).await;
        drop(turn);
        let said = said.map_err(|_| "it takes too long".to_owned())?;
        let path = self.path.join(VIDEO);
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let bytes = read.map_err(|_| said.clone())?.map_err(|_| said.clone())?;
        // One that was cut off has no index, or is shorter than it states.
        let length = media::length(&bytes).ok_or(said)?;
        Ok(Video {
            bytes: bytes.into(),
            length,
        })
    }
}

/// Whether ffmpeg can encode a black picture in this way.
async fn works(ffmpeg: &Path, way: &[&str]) -> io::Result<bool> {
    const SIDE: usize = 16;
    let input = "-loglevel quiet -f rawvideo -pix_fmt yuv420p -video_size 16x16 -i pipe:0";
    let mut child = Command::new(ffmpeg)
        .args(input.split(' '))
        .args(way)
        .args(["-f", "null", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // If it does not want it, its status says what became of it.
        let _ = input.write_all(&[0; SIDE * SIDE * 3 / 2]).await;
    }
    Ok(child.wait().await?.success())
}

/// What a program writes until it ends: the last of it.
async fn said(errors: ChildStderr) -> String {
    /// Bytes of it.
    const LONGEST: u64 = 2_000;
    let mut reader = BufReader::new(errors);
    let mut said = Vec::new();
    let read = (&mut reader).take(LONGEST).read_to_end(&mut said).await;
    guard::drained(reader).await;
    match read {
        Ok(_) => String::from_utf8_lossy(&said).trim().to_owned(),
        Err(error) => error.to_string(),
    }
}

/// The command line: pictures of any size on one of `size`, each as long as it was to be seen.
fn arguments(place: &Path, way: &[&str], size: (u32, u32)) -> Vec<OsString> {
    let (width, height) = size;
    let fit = format!(
        "scale={width}:{height}:force_original_aspect_ratio=decrease,\
         pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p"
    );
    let usual = [
        "-nostdin",
        "-loglevel",
        "error",
        "-threads",
        "1",
        "-f",
        "concat",
        "-i",
    ];
    let mut arguments: Vec<OsString> = usual.map(OsString::from).into();
    arguments.push(place.join(LIST).into());
    let video = ["-an", "-vf", &fit, "-threads", "1"];
    let end = ["-movflags", "+faststart"];
    let rest = video.iter().chain(way).chain(&end);
    arguments.extend(rest.map(OsString::from));
    arguments.push(place.join(VIDEO).into());
    arguments
}

/// What ffmpeg is to read: each picture, and how long it lasts. The last one comes twice, or its time would not count.
fn list(film: &Film) -> String {
    let mut list = "ffconcat version 1.0\n".to_owned();
    let last = film.times.len().saturating_sub(1);
    for number in 0..=last {
        let start = match number {
            // What was there before the first picture came is not known.
            0 => Duration::ZERO,
            _ => film.times[number],
        };
        let end = film.times.get(number + 1).copied().unwrap_or(film.length);
        let lasts = end.saturating_sub(start).as_secs_f64();
        // Writing to a string can't fail.
        let _ = writeln!(
            list,
            "file '{PICTURES}/{}'\nduration {lasts:.3}",
            Film::name(number)
        );
    }
    let _ = writeln!(list, "file '{PICTURES}/{}'", Film::name(last));
    list
}

/// The size of a video of pages of this size: at most `longest` on a side, and even, as encoders want it.
pub(super) fn size((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let factor = (f64::from(longest) / f64::from(width.max(height).max(1))).min(1.0);
    // Between 0 and `longest`, so nothing is lost.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let side = |side: u32| ((f64::from(side) * factor / 2.0).round() as u32 * 2).max(2);
    (side(width), side(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_fit_into_the_video() {
        let cases = [
            ((1440, 900), (1280, 800)),
            ((801, 601), (802, 602)),
            ((400, 4000), (128, 1280)),
            ((1, 9999), (2, 1280)),
        ];
        for (page, wanted) in cases {
            assert_eq!(size(page, 1280), wanted, "{page:?}");
        }
    }

    #[test]
    fn pictures_last_until_the_next() {
        let ms = Duration::from_millis;
        let film = Film {
            directory: PathBuf::new(),
            times: vec![ms(100), ms(600)],
            length: ms(1600),
        };
        let lines = list(&film);
        let durations: Vec<&str> = lines
            .lines()
            .filter_map(|line| line.strip_prefix("duration "))
            .collect();
        assert_eq!(durations, ["0.600", "1.000"]);
        assert_eq!(lines.lines().last(), Some("file 'pictures/00001.jpg'"));
    }
}
