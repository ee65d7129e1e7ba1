//! The doors of a store that serves several requests by one statement: one for loads, one for saves.

use std::sync::Arc;

use crate::clock::Clock;
use crate::engine::door::{Ask, Door};
use crate::engine::threads::Threads;
use crate::error::Error;
use crate::store::{Loaded, Save, Store, Updated};
use crate::token::Key;

/// The threads of each door. Loads have their own, so that none waits for a disk.
const THREADS: u32 = 1;

/// Each door is `None` if the store serves these asks one by one.
pub(crate) struct Gathering {
    pub(super) loads: Option<Door<Load>>,
    pub(super) saves: Option<Door<Arc<Save>>>,
}

impl Gathering {
    pub(crate) fn of(
        store: &Arc<dyn Store>,
        clock: &Arc<Clock>,
        threads: &Threads,
        queue: usize,
    ) -> Result<Self, Error> {
        let gathers = store.gathers();
        let own_threads = |gathers: bool| gathers.then(|| threads.beside(THREADS, 1)).transpose();
        let (store, clock) = (store.clone(), clock.clone());
        let load = {
            let store = store.clone();
            move |loads: &[Load]| {
                let keys: Vec<_> = loads.iter().map(|Load(key)| key).collect();
                store.load_many(&keys, clock.millis())
            }
        };
        let save = move |saves: &[Arc<Save>]| {
            let saves: Vec<_> = saves.iter().map(|save| &**save).collect();
            store.save_many(&saves)
        };
        Ok(Self {
            loads: own_threads(gathers.loads)?.map(|threads| Door::new(threads, queue, load)),
            saves: own_threads(gathers.saves)?.map(|threads| Door::new(threads, queue, save)),
        })
    }
}

/// The load of a session with its user.
pub(super) struct Load(pub(super) Key);

impl Ask for Load {
    type Answer = Loaded;
    const DOOR: &'static str = "loads";

    fn locks(&self) -> Option<&Key> {
        None
    }

    fn bytes(&self) -> usize {
        0
    }
}

impl Ask for Arc<Save> {
    type Answer = Updated;
    const DOOR: &'static str = "saves";

    fn locks(&self) -> Option<&Key> {
        Some(self.key())
    }

    fn bytes(&self) -> usize {
        match &**self {
            Save::Insert(record) | Save::Update { record, .. } => record.data.len(),
            Save::Touch { .. } => 0,
        }
    }
}
