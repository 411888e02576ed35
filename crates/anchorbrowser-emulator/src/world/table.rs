//! Records of one kind, in order of creation.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Refusal;
use crate::time::Time;
use crate::world::World;

/// What a table holds. Records are plain data: they are stored as JSON.
pub(crate) trait Record: Serialize + DeserializeOwned + Send + 'static {
    /// Name of the kind in the state file.
    const KIND: &'static str;

    /// Unique in its table: an id, or the name where names are unique.
    fn id(&self) -> &str;

    /// When the record changes by itself. [`Record::step`] is called then.
    fn due(&self) -> Option<Time> {
        None
    }

    /// Does what is due at `world.now` for the record `id`, which must move its [`Record::due`] on.
    fn step(world: &mut World, id: &str) {
        let _ = (world, id);
    }
}

/// Records of one kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    numbers: HashMap<String, u64>,
    next: u64,
    /// Rows touched since the timers were told.
    dirty: BTreeSet<u64>,
    /// Rows touched since the state was stored.
    unsaved: BTreeSet<u64>,
    limit: usize,
    /// What the timers were told, by row.
    dues: HashMap<u64, (Time, String)>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            numbers: HashMap::new(),
            next: 0,
            dirty: BTreeSet::new(),
            unsaved: BTreeSet::new(),
            limit: usize::MAX,
            dues: HashMap::new(),
        }
    }
}

/// One row that changed: its number, and the record unless it was removed.
pub(crate) type Change<'a, T> = (u64, Option<&'a T>);

impl<T: Record> Table<T> {
    pub(crate) fn limit(&mut self, records: usize) {
        self.limit = records;
    }

    /// Adds the record that a request makes. Refused when the table is full.
    pub(crate) fn add(&mut self, record: T) -> Result<(), Refusal> {
        if self.rows.len() >= self.limit && !self.contains(record.id()) {
            return Err(Refusal::new(
                507,
                format!(
                    "the emulator keeps at most {} {}; delete some, reset it, or raise the limit",
                    self.limit,
                    T::KIND
                ),
            ));
        }
        self.insert(record);
        Ok(())
    }

    /// Adds a record, or replaces the one with its id in place.
    pub(crate) fn insert(&mut self, record: T) {
        let number = match self.numbers.get(record.id()) {
            Some(number) => *number,
            None => {
                let number = self.next;
                self.next += 1;
                self.numbers.insert(record.id().to_owned(), number);
                number
            }
        };
        self.rows.insert(number, record);
        self.touch(number);
    }

    fn touch(&mut self, number: u64) {
        self.dirty.insert(number);
        self.unsaved.insert(number);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.numbers.get(id)?)
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.numbers.contains_key(id)
    }

    /// The record, to be changed. Its id must stay.
    pub(crate) fn edit(&mut self, id: &str) -> Option<&mut T> {
        let number = *self.numbers.get(id)?;
        self.touch(number);
        self.rows.get_mut(&number)
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let number = self.numbers.remove(id)?;
        self.touch(number);
        self.rows.remove(&number)
    }

    /// In order of creation.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Ids of the records that fit, in order of creation.
    pub(crate) fn ids(&self, fits: impl Fn(&T) -> bool) -> Vec<String> {
        self.iter()
            .filter(|record| fits(record))
            .map(|record| record.id().to_owned())
            .collect()
    }

    /// Puts back a row of the state file.
    pub(super) fn restore(&mut self, number: u64, record: T) {
        self.next = self.next.max(number.saturating_add(1));
        self.numbers.insert(record.id().to_owned(), number);
        self.rows.insert(number, record);
        self.dirty.insert(number);
    }

    /// Tells the timers what changed in the touched rows.
    pub(crate) fn schedule(&mut self, timers: &mut super::Timers) {
        for number in std::mem::take(&mut self.dirty) {
            if let Some((time, id)) = self.dues.remove(&number) {
                timers.remove(&(time, T::KIND, id));
            }
            if let Some(record) = self.rows.get(&number)
                && let Some(time) = record.due()
            {
                timers.insert((time, T::KIND, record.id().to_owned()));
                self.dues.insert(number, (time, record.id().to_owned()));
            }
        }
    }

    /// The rows to store, in order of creation.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change<'_, T>> {
        self.unsaved
            .iter()
            .map(|number| (*number, self.rows.get(number)))
    }

    /// All is stored, or nothing ever is.
    pub(crate) fn stored(&mut self) {
        self.unsaved.clear();
    }
}
