//! What a dashboard is given by whoever has put the stage together.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use palco_models::{Server, Urgent};
use palco_observe::Observer;
use palco_replica::Cluster;
use palco_superserver::{Changes, Superserver};

/// What a dashboard shows and acts on.
#[derive(Clone, Debug)]
pub struct House {
    /// Watches the stage's system.
    pub observer: Observer,
    /// The stage's servers, in the order in which they were started.
    pub servers: Vec<Served>,
    /// The stage's superserver, if it has one.
    pub services: Option<Services>,
    /// The nodes that keep registers, if the stage has any.
    pub registers: Option<Arc<dyn Cluster>>,
    /// The urgent port of its servers, if one is open. Requests can be acted on without it too.
    pub urgent: Option<Arc<Urgent>>,
    /// Where reports of benchmarks are kept, if anywhere: see `palco_measure::kept`.
    pub reports: Option<PathBuf>,
    /// The version of the program.
    pub version: String,
    /// Threads that run event loops.
    pub event_loops: usize,
    /// The demonstration that runs, if one does.
    pub demo: Option<String>,
}

/// A server of the stage.
#[derive(Clone, Debug)]
pub struct Served {
    /// Its name, unique on the stage.
    pub name: String,
    /// The service it serves: `echo`, `time`, `daytime`, `kv`, `work`, `http`, or one that no load is known for.
    pub service: String,
    /// A command that shows it to be alive.
    pub command: String,
    /// A request that a load sends if none is given.
    pub example_request: String,
    /// The server itself.
    pub server: Arc<Server>,
}

/// A superserver of the stage.
#[derive(Clone)]
pub struct Services {
    /// The superserver itself.
    pub superserver: Arc<Superserver>,
    /// Has it take on what its files say now.
    pub reload: Reload,
}

/// Reads files again and takes on what they say, on a thread that may block. The error is for people, and says that nothing
/// has changed.
pub type Reload = Arc<dyn Fn() -> Result<Changes, String> + Send + Sync>;

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("superserver", &self.superserver).finish_non_exhaustive()
    }
}
