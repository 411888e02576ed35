//! Repeats are paid for, so that many calls cannot multiply the load on a service that is down.

use std::sync::atomic::{AtomicU32, Ordering};

/// Counted in tenths of a token.
const CAPACITY: u32 = 500;
const COST: u32 = 10;
const GAIN: u32 = 1;

/// What repeats of all clones of a client are paid from.
pub(crate) struct Budget(AtomicU32);

impl Budget {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(CAPACITY))
    }

    /// An operation succeeded.
    pub(super) fn refill(&self) {
        let more = |left| (left < CAPACITY).then_some(left + GAIN);
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Pays for one repeat; `false` if there is too little left.
    pub(super) fn pay(&self) -> bool {
        let less = |left: u32| left.checked_sub(COST);
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_repeats_are_paid_and_ten_successes_pay_one_more() {
        let budget = Budget::new();
        budget.refill();
        assert_eq!((0..100).filter(|_| budget.pay()).count(), 50);
        (0..9).for_each(|_| budget.refill());
        assert!(!budget.pay());
        budget.refill();
        assert!(budget.pay() && !budget.pay());
    }
}
