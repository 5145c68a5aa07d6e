//! What one life of a worker has of its crew: how long it lasts, on which cores, and whom it tells that it serves.

use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::affinity::Confined;
use super::roster::Roster;
use super::stint::{Stint, Term};
use super::{Crew, CrewError};
use crate::books::Record;

/// What all workers of a server have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Duties {
    term: Option<Term>,
    /// The sets of cores that they get in turn.
    cores: Arc<[Vec<usize>]>,
}

/// One life, as another process is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DutyArgs {
    requests_max: Option<u64>,
    cores: Vec<usize>,
}

/// One life.
#[derive(Debug, Default)]
pub(crate) struct Duty {
    stint: Option<Arc<Stint>>,
    cores: Vec<usize>,
    confined: Option<Confined>,
    tells: Option<(Arc<Roster>, usize)>,
}

impl Duties {
    pub(crate) fn of(crew: &Crew) -> Result<Self, CrewError> {
        Ok(Self { term: crew.term(), cores: crew.cores()?.into() })
    }

    /// What a life of this worker is told; the first is number 0.
    pub(crate) fn args(&self, worker: usize, life: u64) -> DutyArgs {
        let cores = match self.cores.len() {
            0 => Vec::new(),
            sets => self.cores[worker % sets].clone(),
        };
        DutyArgs { requests_max: self.term.map(|term| term.of(worker, life)), cores }
    }
}

impl From<DutyArgs> for Duty {
    fn from(args: DutyArgs) -> Self {
        let DutyArgs { requests_max, cores } = args;
        Self { stint: requests_max.map(Stint::new), cores, ..Self::default() }
    }
}

impl Duty {
    /// It also says in the roster whether it serves.
    pub(crate) fn telling(self, roster: Arc<Roster>, worker: usize) -> Self {
        Self { tells: Some((roster, worker)), ..self }
    }

    /// Confines the calling thread to its cores, until this is dropped there: the thread goes on to others.
    ///
    /// # Errors
    /// The kernel's, with the cores.
    pub(crate) fn take_place(&mut self) -> io::Result<()> {
        if !self.cores.is_empty() {
            let confined = Confined::to(&self.cores).map_err(|error| {
                io::Error::new(error.kind(), format!("cores {:?}: {error}", self.cores))
            })?;
            self.confined = Some(confined);
        }
        Ok(())
    }

    /// A connection begins; it has ended when the answer is dropped.
    pub(crate) fn begin(&self, record: &mut Record) -> Serves<'_> {
        if let Some(stint) = &self.stint {
            record.counts_for(Arc::clone(stint));
        }
        if let Some((roster, worker)) = &self.tells {
            roster.set_busy(*worker, true);
        }
        Serves(self)
    }
}

/// As long as a connection is being served.
pub(crate) struct Serves<'a>(&'a Duty);

impl Drop for Serves<'_> {
    fn drop(&mut self) {
        if let Some((roster, worker)) = &self.0.tells {
            roster.set_busy(*worker, false);
        }
    }
}
