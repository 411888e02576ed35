//! Lists of what is in a volume.

use anchorbrowser_api::types;

use super::{VolumeFiles, boolean};
use crate::Timestamp;
use crate::call::Call;
use crate::error::Open as _;
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};

pub use types::VolumeFileEntrySchemaType as EntryKind;

/// A list of files and directories; see [`VolumeFiles::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListFiles {
    files: VolumeFiles,
    directory: Option<String>,
    recursive: Option<bool>,
    page_size: Option<u32>,
    cursor: Option<String>,
}

impl ListFiles {
    pub(super) fn new(files: VolumeFiles) -> Self {
        Self {
            files,
            directory: None,
            recursive: None,
            page_size: None,
            cursor: None,
        }
    }

    /// Lists what is in this directory; default the root.
    pub fn directory(mut self, path: impl Into<String>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// Whether what is in directories below is listed too; default no.
    pub fn recursive(mut self, recursive: bool) -> Self {
        self.recursive = Some(recursive);
        self
    }

    /// How many entries a page holds.
    pub fn page_size(mut self, entries: u32) -> Self {
        self.page_size = Some(entries);
        self
    }

    /// Where the first page begins, in the words of the API: a `next_cursor` that it gave.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// The first page.
    ///
    /// Calls `list_files`.
    pub fn send(self) -> Call<Page<FileEntry>> {
        self.pager().send()
    }

    /// All entries from the first page on.
    ///
    /// Calls `list_files` for each page.
    pub fn stream(self) -> PageStream<FileEntry> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<FileEntry> {
        Pager::new("list_files", move |cursor| {
            let mut list = self.clone();
            if let Some(Cursor::Token(token)) = cursor {
                list.cursor = Some(token.clone());
            }
            list.part()
        })
    }

    fn part(self) -> Call<Part<FileEntry>> {
        let VolumeFiles { client, volume } = self.files;
        Call::new(&client, move |api| async move {
            let mut call = api.list_files().volume_id(volume);
            set!(call,
                path: self.directory,
                recursive: self.recursive.map(boolean),
                limit: self.page_size.map(|size| size.to_string()),
                cursor: self.cursor,
            );
            call.send().await?.open("data.items", |answer| {
                let data = answer.data.take()?;
                let items = data.items.into_iter().map(FileEntry::new).collect();
                Some(part(items, data.next_cursor))
            })
        })
    }
}

/// A list of the paths of all files and directories; see [`VolumeFiles::paths`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListPaths {
    files: VolumeFiles,
    prefix: Option<String>,
    page_size: Option<u32>,
    cursor: Option<String>,
}

impl ListPaths {
    pub(super) fn new(files: VolumeFiles) -> Self {
        Self {
            files,
            prefix: None,
            page_size: None,
            cursor: None,
        }
    }

    /// Keeps paths that begin with this text.
    pub fn prefix(mut self, text: impl Into<String>) -> Self {
        self.prefix = Some(text.into());
        self
    }

    /// How many paths a page holds.
    pub fn page_size(mut self, paths: u32) -> Self {
        self.page_size = Some(paths);
        self
    }

    /// Where the first page begins, in the words of the API: a `next_cursor` that it gave.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }

    /// The first page.
    ///
    /// Calls `list_paths`.
    pub fn send(self) -> Call<Page<String>> {
        self.pager().send()
    }

    /// All paths from the first page on.
    ///
    /// Calls `list_paths` for each page.
    pub fn stream(self) -> PageStream<String> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<String> {
        Pager::new("list_paths", move |cursor| {
            let mut list = self.clone();
            if let Some(Cursor::Token(token)) = cursor {
                list.cursor = Some(token.clone());
            }
            list.part()
        })
    }

    fn part(self) -> Call<Part<String>> {
        let VolumeFiles { client, volume } = self.files;
        Call::new(&client, move |api| async move {
            let mut call = api.list_paths().volume_id(volume);
            set!(call,
                prefix: self.prefix,
                limit: self.page_size.map(|size| size.to_string()),
                cursor: self.cursor,
            );
            call.send().await?.open("data.items", |answer| {
                let data = answer.data.take()?;
                Some(part(data.items, data.next_cursor))
            })
        })
    }
}

/// A page, with where the next one begins.
fn part<T>(items: Vec<T>, next: Option<String>) -> Part<T> {
    Part {
        items,
        total: None,
        next: next.filter(|next| !next.is_empty()).map(Cursor::Token),
    }
}

/// A file or a directory in a volume.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileEntry {
    /// Its path in the volume.
    pub path: String,
    /// What it is.
    pub kind: Option<EntryKind>,
    /// The length of a file in bytes.
    pub size: Option<u64>,
    /// Changes with the content of a file.
    pub etag: Option<String>,
    /// When it was changed last.
    pub modified_at: Option<Timestamp>,
}

impl FileEntry {
    fn new(sent: types::VolumeFileEntrySchema) -> Self {
        Self {
            path: sent.path.unwrap_or_default(),
            kind: sent.type_,
            size: sent.size.and_then(|size| size.try_into().ok()),
            etag: sent.etag,
            modified_at: sent.last_modified,
        }
    }
}
