//! Lists whose pages have numbers, and the counts that answers tell.

use std::ops::RangeInclusive;

use crate::Client;
use crate::error::{Error, Result, in_range};
use crate::page::Cursor;

/// Which page of a list is asked for, and how much of the list a page holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRequest {
    pub(super) number: u64,
    pub(super) size: Option<u32>,
}

impl PageRequest {
    pub(super) fn first() -> Self {
        Self {
            number: 1,
            size: None,
        }
    }

    /// Goes on where a page begins.
    pub(super) fn move_to(&mut self, cursor: Option<&Cursor>) {
        if let Some(Cursor::Page(number)) = cursor {
            self.number = *number;
        }
    }

    /// The number as it is sent: that of the first page is not.
    pub(super) fn sent_number(&self) -> Option<u64> {
        (self.number != 1).then_some(self.number)
    }

    /// Refuses what no page can be, and sizes that the API does not have.
    pub(super) fn check(
        &self,
        operation: &'static str,
        client: &Client,
        sizes: RangeInclusive<u64>,
    ) -> Result<()> {
        if !client.checks() {
            return Ok(());
        }
        for (name, zero) in [("page", self.number == 0), ("limit", self.size == Some(0))] {
            if zero {
                let message = format!("`{name}` is 0; it must be at least 1");
                return Err(Error::invalid(operation, message));
            }
        }
        match self.size {
            Some(size) => in_range(operation, "limit", size.into(), sizes),
            None => Ok(()),
        }
    }
}

/// A count; none if it is negative.
pub(super) fn count(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

/// A count that the API sends as a number of any kind; none if it is negative.
pub(super) fn whole(number: Option<f64>) -> Option<u64> {
    number
        .filter(|number| *number >= 0.0)
        .map(|number| number as u64)
}
