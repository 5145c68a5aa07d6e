//! What the kernel will not do as it was asked, and says nothing about.

use std::fs;

use super::Crew;
use crate::process::AcceptBy;
use crate::settings::ServerSettings;

/// Longer queues than this are cut to it, without a word (listen(2)).
const SOMAXCONN: &str = "/proc/sys/net/core/somaxconn";

/// Whether who waits in a socket that is closed goes over to the others of its group (Linux 5.14).
const MIGRATE: &str = "/proc/sys/net/ipv4/tcp_migrate_req";

/// What the kernel is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kernel {
    somaxconn: Option<i64>,
    migrates: bool,
}

impl Kernel {
    fn here() -> Self {
        let number = |path| fs::read_to_string(path).ok()?.trim().parse::<i64>().ok();
        Self { somaxconn: number(SOMAXCONN), migrates: number(MIGRATE) == Some(1) }
    }

    fn advice(self, crew: &Crew, accept_by: AcceptBy, backlog: Option<i32>) -> Vec<String> {
        let mut advice = Vec::new();
        if let (Some(backlog), Some(most)) = (backlog, self.somaxconn)
            && i64::from(backlog) > most
        {
            advice.push(format!(
                "backlog {backlog} is more than the kernel gives: it keeps {most} connections waiting; raise net.core.somaxconn, or ask for less"
            ));
        }
        if accept_by == AcceptBy::OwnSockets && crew.has_spares() && !self.migrates {
            advice.push(
                "accept-by `own-sockets` with spares: when a worker is stopped, clients that come to its socket at that moment are reset; set net.ipv4.tcp_migrate_req=1 before the server starts, and they go over to other workers"
                    .to_owned(),
            );
        }
        advice
    }
}

impl ServerSettings {
    /// What will not be as it was asked for, though it can be started: one sentence each, for people.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        // The backlog of a socket that somebody else has bound is theirs.
        let backlog = matches!(self.listen, crate::Listen::At(_)).then_some(self.limits.backlog);
        Kernel::here().advice(&self.crew, self.accept_by(), backlog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_that_is_cut_is_said_to_be() {
        let kernel = Kernel { somaxconn: Some(4096), migrates: true };
        let crew = Crew::default();
        let of = |backlog| kernel.advice(&crew, AcceptBy::Workers, backlog);
        assert!(of(Some(4096)).is_empty() && of(None).is_empty());
        let advice = of(Some(4097));
        assert!(advice[0].contains("4097") && advice[0].contains("somaxconn"), "{advice:?}");
    }

    #[test]
    fn who_may_lose_clients_by_shrinking_is_told() {
        let shrinks = Crew { spare_max: Some(9), ..Crew::default() };
        for (migrates, crew, accept_by, count) in [
            (false, &shrinks, AcceptBy::OwnSockets, 1),
            (true, &shrinks, AcceptBy::OwnSockets, 0),
            (false, &shrinks, AcceptBy::Workers, 0),
            (false, &Crew::default(), AcceptBy::OwnSockets, 0),
        ] {
            let kernel = Kernel { somaxconn: None, migrates };
            assert_eq!(kernel.advice(crew, accept_by, Some(1)).len(), count);
        }
    }
}
