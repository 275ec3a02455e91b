//! One place for one frame between capture and screening: the latest frame wins.
//!
//! A stage that falls behind skips frames and the slot counts them; it never queues them, so what
//! is judged is what is before the camera now.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// A place for the newest value.
#[derive(Debug)]
pub struct Slot<T> {
    inside: Mutex<Inside<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct Inside<T> {
    value: Option<T>,
    dropped: u64,
    closed: bool,
}

/// What a wait at the slot came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// The newest value, and how many were overwritten since the start.
    Value(T, u64),
    /// Nothing came in time.
    Nothing,
    /// Nothing more will come.
    Closed,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            inside: Mutex::new(Inside {
                value: None,
                dropped: 0,
                closed: false,
            }),
            changed: Condvar::new(),
        }
    }
}

impl<T> Slot<T> {
    /// Puts a value in the place of whatever was there. False once the slot is closed.
    pub fn put(&self, value: T) -> bool {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.closed {
            return false;
        }
        if inside.value.replace(value).is_some() {
            inside.dropped += 1;
        }
        self.changed.notify_one();
        true
    }

    /// Nothing more will come, or nobody will take any more.
    pub fn close(&self) {
        self.inside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        self.changed.notify_all();
    }

    /// Waits for a value, at most this long. What was put before the slot was closed still comes.
    pub fn take(&self, at_most: Duration) -> Taken<T> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut inside, _) = self
            .changed
            .wait_timeout_while(inside, at_most, |inside| {
                inside.value.is_none() && !inside.closed
            })
            .unwrap_or_else(PoisonError::into_inner);
        match inside.value.take() {
            Some(value) => Taken::Value(value, inside.dropped),
            None if inside.closed => Taken::Closed,
            None => Taken::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_others_are_counted() {
        let slot = Slot::default();
        for n in 1..=5 {
            assert!(slot.put(n));
        }
        assert_eq!(slot.take(Duration::ZERO), Taken::Value(5, 4));
        assert_eq!(slot.take(Duration::ZERO), Taken::Nothing);
    }

    #[test]
    fn a_closed_slot_gives_its_last_value_and_then_ends() {
        let slot = Slot::default();
        slot.put(1);
        slot.close();
        assert!(!slot.put(2));
        assert_eq!(slot.take(Duration::from_mins(1)), Taken::Value(1, 0));
        assert_eq!(slot.take(Duration::from_mins(1)), Taken::Closed);
    }
}
