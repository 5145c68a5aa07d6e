//! Names of fibers: kept once, known by a number that a thread can say in one store.

use std::sync::Arc;

use parking_lot::Mutex;

/// All names in use.
#[derive(Default)]
pub(crate) struct Names(Mutex<Table>);

#[derive(Default)]
struct Table {
    names: Vec<Option<Arc<str>>>,
    free: Vec<u32>,
}

/// A name in use, and its number; free again when dropped.
pub(crate) struct Name {
    number: u32,
    text: Arc<str>,
    names: Arc<Names>,
}

impl Names {
    pub(crate) fn enter(self: &Arc<Self>, text: Arc<str>) -> Name {
        let mut table = self.0.lock();
        let number = match table.free.pop() {
            Some(number) => {
                table.names[number as usize] = Some(Arc::clone(&text));
                number
            }
            None => {
                table.names.push(Some(Arc::clone(&text)));
                u32::try_from(table.names.len() - 1).expect("fewer fibers than that")
            }
        };
        Name { number, text, names: Arc::clone(self) }
    }

    /// Whose number it is now.
    pub(crate) fn of(&self, number: u32) -> Option<Arc<str>> {
        self.0.lock().names.get(number as usize).cloned().flatten()
    }
}

impl Name {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut table = self.names.0.lock();
        table.names[self.number as usize] = None;
        table.free.push(self.number);
    }
}
