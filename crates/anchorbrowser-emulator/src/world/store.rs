//! The state file: SQLite, written before an answer is sent.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, Transaction, params};
use serde::de::Error as _;

use crate::answer::Refusal;
use crate::resources::Visitor;
use crate::time::Time;
use crate::world::{Ids, Record, Table, World};

/// Marks the file as ours ("anch").
const APPLICATION: i32 = 0x616e_6368;
/// Goes up when records of older files can't be read any more.
const FORMAT: i32 = 1;

/// An open state file. It is locked: one emulator at a time.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    connection: Connection,
}

/// Why the state file could not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the state file {path} is in use; stop the other emulator or name another file")]
    Taken { path: PathBuf },
    #[error("the state file {path} is damaged; name another file or delete it")]
    Damaged { path: PathBuf },
    #[error("there is no room left for the state file {path}; free some space on its disk")]
    Full { path: PathBuf },
    #[error("the emulator is shutting down")]
    Closed,
    #[error("the state file {path} could not be {what}")]
    Sql {
        path: PathBuf,
        what: &'static str,
        source: rusqlite::Error,
    },
    #[error("{0} is not a state file of this emulator; name another file")]
    Foreign(PathBuf),
    #[error(
        "the state file {0} is of another version of the emulator; name another file or delete it"
    )]
    Format(PathBuf),
    #[error(
        "the state file {path} has a record of `{kind}` that can't be read; name another file or delete it"
    )]
    Record {
        path: PathBuf,
        kind: &'static str,
        source: serde_json::Error,
    },
}

impl StoreError {
    fn sql(path: &Path, what: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::Foreign(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Taken { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            _ => Self::Sql { path, what, source },
        }
    }

    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Closed => Refusal::new(503, self.to_string()),
            _ => Refusal::new(500, format!("nothing was acknowledged: {self}")),
        }
    }
}

impl Store {
    /// Opens or makes the file.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let what = "opened; it must be a file that can be written, in a folder that is there";
        let failed = |source| StoreError::sql(path, what, source);
        let connection = Connection::open(path).map_err(failed)?;
        // Whoever has the file has it for long; waiting would not help.
        connection
            .busy_timeout(std::time::Duration::ZERO)
            .map_err(failed)?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let tables: i64 = connection
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        if tables > 0 && number("application_id").map_err(failed)? != APPLICATION {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        if tables > 0 && number("user_version").map_err(failed)? != FORMAT {
            return Err(StoreError::Format(path.to_owned()));
        }
        // A write-ahead log in the page cache outlives the process, however it ends.
        let setup = format!(
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};
             BEGIN IMMEDIATE;
             CREATE TABLE IF NOT EXISTS records (
                 kind TEXT, number INTEGER, json TEXT NOT NULL, PRIMARY KEY (kind, number)
             ) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS blobs (id TEXT PRIMARY KEY, bytes BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS clock (only INTEGER PRIMARY KEY CHECK (only = 1), json TEXT NOT NULL);
             COMMIT;"
        );
        connection.execute_batch(&setup).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            connection,
        })
    }

    fn failed(&self, what: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + use<> {
        let path = self.path.clone();
        move |source| StoreError::sql(&path, what, source)
    }

    /// Puts the stored state into a new world.
    pub(crate) fn load(&self, world: &mut World) -> Result<(), StoreError> {
        let failed = self.failed("read");
        let unreadable = |source| StoreError::Record {
            path: self.path.clone(),
            kind: "clock",
            source,
        };
        let clock = self
            .connection
            .query_row("SELECT json FROM clock", [], |row| row.get::<_, String>(0));
        match clock {
            Ok(json) => {
                let (ids, now): (Ids, Time) = serde_json::from_str(&json).map_err(unreadable)?;
                world.ids = ids;
                // Time goes on from where it was: a manual clock would start before what is stored.
                world.now = world.now.max(now);
            }
            Err(rusqlite::Error::QueryReturnedNoRows) => {}
            Err(error) => return Err(failed(error)),
        }
        let mut blobs = self
            .connection
            .prepare("SELECT id, bytes FROM blobs")
            .map_err(&failed)?;
        let rows = blobs
            .query_map([], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
            })
            .map_err(&failed)?;
        for row in rows {
            let (id, bytes) = row.map_err(&failed)?;
            world.blobs.restore(id, Bytes::from(bytes));
        }
        world.tables.visit(&mut Load { store: self })?;
        // What the file holds need not be written to it again.
        world.tables.stored();
        Ok(())
    }

    /// Writes what changed, in one transaction.
    pub(super) fn save(&mut self, world: &mut World) -> Result<(), StoreError> {
        let mut unsaved = Unsaved(0);
        let _ = world.tables.visit(&mut unsaved);
        if unsaved.0 == 0 && world.blobs.changes().next().is_none() {
            return Ok(());
        }
        let failed = self.failed("written");
        let transaction = self.connection.transaction().map_err(&failed)?;
        world.tables.visit(&mut Save {
            path: &self.path,
            transaction: &transaction,
        })?;
        for (id, bytes) in world.blobs.changes() {
            match bytes {
                Some(bytes) => transaction.execute(
                    "INSERT OR REPLACE INTO blobs VALUES (?1, ?2)",
                    params![id, &bytes[..]],
                ),
                None => transaction.execute("DELETE FROM blobs WHERE id = ?1", params![id]),
            }
            .map_err(&failed)?;
        }
        let json = serde_json::to_string(&(world.ids, world.now)).unwrap_or_default();
        transaction
            .execute("INSERT OR REPLACE INTO clock VALUES (1, ?1)", params![json])
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }

    /// Forgets everything stored; the world was reset.
    pub(crate) fn clear(&mut self) -> Result<(), StoreError> {
        let failed = self.failed("cleared");
        let transaction = self.connection.transaction().map_err(&failed)?;
        transaction
            .execute_batch("DELETE FROM records; DELETE FROM blobs;")
            .map_err(&failed)?;
        transaction.commit().map_err(&failed)
    }
}

struct Load<'a> {
    store: &'a Store,
}

impl Visitor for Load<'_> {
    type Error = StoreError;

    fn table<T: Record>(&mut self, table: &mut Table<T>) -> Result<(), StoreError> {
        let failed = self.store.failed("read");
        let select = "SELECT number, json FROM records WHERE kind = ?1 ORDER BY number";
        let mut statement = self.store.connection.prepare(select).map_err(&failed)?;
        let rows = statement
            .query_map([T::KIND], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })
            .map_err(&failed)?;
        for row in rows {
            let (number, json) = row.map_err(&failed)?;
            let unreadable = |source| StoreError::Record {
                path: self.store.path.clone(),
                kind: T::KIND,
                source,
            };
            let record = serde_json::from_str(&json).map_err(unreadable)?;
            let number = u64::try_from(number)
                .map_err(|_| unreadable(serde_json::Error::custom("its number is negative")))?;
            table.restore(number, record);
        }
        Ok(())
    }
}

/// Counts the rows to be written.
struct Unsaved(usize);

impl Visitor for Unsaved {
    type Error = std::convert::Infallible;

    fn table<T: Record>(&mut self, table: &mut Table<T>) -> Result<(), Self::Error> {
        self.0 += table.changes().count();
        Ok(())
    }
}

struct Save<'a> {
    path: &'a Path,
    transaction: &'a Transaction<'a>,
}

impl Visitor for Save<'_> {
    type Error = StoreError;

    fn table<T: Record>(&mut self, table: &mut Table<T>) -> Result<(), StoreError> {
        let path = self.path;
        let failed = |source| StoreError::sql(path, "written", source);
        for (number, record) in table.changes() {
            let number = number.cast_signed();
            let done = match record {
                Some(record) => {
                    let json =
                        serde_json::to_string(record).map_err(|source| StoreError::Record {
                            path: path.to_owned(),
                            kind: T::KIND,
                            source,
                        })?;
                    let mut insert = self
                        .transaction
                        .prepare_cached("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3)")
                        .map_err(failed)?;
                    insert.execute(params![T::KIND, number, json])
                }
                None => self.transaction.execute(
                    "DELETE FROM records WHERE kind = ?1 AND number = ?2",
                    params![T::KIND, number],
                ),
            };
            done.map_err(failed)?;
        }
        Ok(())
    }
}
