//! Who the workers of `palco serve` are.

use palco_models::{AcceptBy, Affinity, Crew};

#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct CrewArgs {
    /// Start more workers when fewer than N are idle [default with the next two: 5]
    ///
    /// With this or one of the next two the size of a team in place thread, fiber or process follows the load, and
    /// --workers is how many there are in the beginning (Apache MinSpareServers).
    #[arg(long, value_name = "N", conflicts_with = "inetd")]
    spare_min: Option<usize>,
    /// Stop the surplus when more than N have been idle for three seconds [default: 10]
    #[arg(long, value_name = "N", conflicts_with = "inetd")]
    spare_max: Option<usize>,
    /// Never have more than N workers [default: 256]
    #[arg(long, value_name = "N", conflicts_with = "inetd")]
    workers_max: Option<usize>,
    /// Have a worker begin another life, in a fresh process if it has one, after N requests
    ///
    /// A connection that asks nothing counts as one. What was asked is answered, then the connection is closed; who waits is
    /// served by the next life (Apache MaxConnectionsPerChild, gunicorn --max-requests).
    #[arg(long, value_name = "N", conflicts_with = "inetd")]
    requests_max: Option<u64>,
    /// Let each life last up to N requests more, drawn anew, so that workers do not begin anew together
    #[arg(long, value_name = "N", conflicts_with = "inetd")]
    requests_jitter: Option<u64>,
    /// On which cores the workers of a team run: off, spread, or a set for each in turn, as in 0/1,3/4-7 [default: off]
    #[arg(long, value_name = "CORES", conflicts_with = "inetd")]
    affinity: Option<Affinity>,
    /// Connections that the kernel keeps waiting before they are accepted, up to net.core.somaxconn [default: 1024]
    #[arg(long, value_name = "N", allow_negative_numbers = true, conflicts_with = "inetd")]
    pub(crate) backlog: Option<i32>,
}

impl CrewArgs {
    /// The crew that comes by its connections like this.
    pub(crate) fn crew(self, accept_by: Option<AcceptBy>) -> Crew {
        Crew {
            spare_min: self.spare_min,
            spare_max: self.spare_max,
            workers_max: self.workers_max,
            requests_max: self.requests_max,
            requests_jitter: self.requests_jitter,
            requests_seed: None,
            accept_by,
            affinity: self.affinity.unwrap_or_default(),
        }
    }
}
