//! Who serves which line.

use std::sync::Arc;

use palco_actors::AnyRef;
use parking_lot::Mutex;

use super::issue::Issue;
use super::line::Line;
use super::lines::Lines;

/// Who serves which line of one server.
#[derive(Debug)]
pub(crate) struct Serving {
    lines: Lines,
    issue: Option<Arc<Issue>>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// Lines that have been used before; those behind `actors` have not.
    free: Vec<usize>,
    actors: Vec<Option<AnyRef>>,
}

impl Serving {
    pub(crate) fn new(lines: Lines, issue: Option<Arc<Issue>>) -> Arc<Self> {
        Arc::new(Self { lines, issue, table: Mutex::default() })
    }

    pub(crate) fn lines(&self) -> &Lines {
        &self.lines
    }

    pub(crate) fn issue(&self) -> Option<&Arc<Issue>> {
        self.issue.as_ref()
    }

    /// A line for a connection that is served in this process. There are as many as can be admitted.
    pub(crate) fn take(self: &Arc<Self>) -> Line {
        let mut table = self.table.lock();
        let index = table.free.pop().unwrap_or_else(|| {
            table.actors.push(None);
            table.actors.len() - 1
        });
        drop(table);
        let (lines, issue) = (self.lines.clone(), self.issue.clone());
        Line::new(lines, index, issue, Some(Arc::clone(self)))
    }

    pub(super) fn give_back(&self, index: usize) {
        let mut table = self.table.lock();
        let before = table.actors[index].take();
        table.free.push(index);
        drop(table);
        drop(before);
    }

    /// This actor serves it.
    pub(crate) fn set(&self, index: usize, actor: AnyRef) {
        let mut table = self.table.lock();
        if table.actors.len() <= index {
            table.actors.resize(index + 1, None);
        }
        let before = table.actors[index].replace(actor);
        drop(table);
        drop(before);
    }

    pub(crate) fn actor(&self, index: usize) -> Option<AnyRef> {
        self.table.lock().actors.get(index).cloned().flatten()
    }
}
