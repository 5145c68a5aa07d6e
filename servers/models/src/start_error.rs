//! What can keep a server from being started.

use std::io;

use palco_actors::SpawnError;
use palco_service::CannotRelaunch;

use crate::listener::BindError;
use crate::model::PlanError;

/// Why a server could not be started.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The settings do not fit the model.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The socket that was given cannot be served on.
    #[error("cannot serve on the socket that was given")]
    Inherited(#[source] io::Error),
    /// The listening socket does not tell its address.
    #[error("the listening socket does not tell its address")]
    Address(#[source] io::Error),
    /// Its actors cannot be started.
    #[error("cannot start an actor of the server")]
    Spawn(#[from] SpawnError),
    /// Place `process`, for a service that a process cannot make.
    #[error(
        "a service that is given to a server cannot be served in processes, which make their own: use `Server::launch`"
    )]
    NeedsLaunch,
    /// The service cannot be made from its configuration.
    #[error(transparent)]
    Service(#[from] CannotRelaunch),
    /// There is no memory to share with its processes.
    #[error("cannot share memory with processes")]
    Memory(#[source] io::Error),
}
