//! A gateway that takes so many requests at once.

use std::sync::Mutex;

/// The places that there are.
#[derive(Debug)]
pub(crate) struct Places {
    most: u32,
    taken: Mutex<u32>,
}

/// A place that is taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Place<'a>(&'a Places);

impl Places {
    pub(crate) fn new(most: u32) -> Self {
        Self {
            most,
            taken: Mutex::new(0),
        }
    }

    /// A place, if one is free.
    pub(crate) fn take(&self) -> Option<Place<'_>> {
        let mut taken = self.taken.lock().unwrap();
        (*taken < self.most).then(|| {
            *taken += 1;
            Place(self)
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap() -= 1;
    }
}
