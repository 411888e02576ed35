//! Files: uploads from anywhere, downloads to anywhere. None is held whole.

mod download;
mod name;
mod save;
mod source;
mod upload;

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

pub use download::Download;
pub use upload::Upload;

/// The piece in which files are read and written: small ones are many times slower.
const PIECE: usize = 256 * 1024;

/// How far an upload or a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes have been moved.
    pub done: u64,
    /// How many bytes there are, if that is known.
    pub total: Option<u64>,
}

/// What is told of the progress.
type Observer = Arc<dyn Fn(Progress) + Send + Sync>;

/// A random number, for names; not for secrets.
fn random() -> u64 {
    RandomState::new().hash_one(())
}
