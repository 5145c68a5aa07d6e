//! What a run begins with: a directory, a cluster or the gateways of one, and the faults that can be made here.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::{Progress, directory_of};
use crate::client::Access;
use crate::cluster::Cluster;
use crate::disk::Disk;
use crate::figures::Counts;
use crate::ground::Ground;
use crate::{Fault, Faults, Settings, Target, VerifyError};

/// Everything is there, and nobody asks yet.
pub(super) struct Stage {
    pub(super) cluster: Option<Cluster>,
    pub(super) access: Access,
    pub(super) kinds: Vec<Fault>,
    /// What could not be had, for people.
    pub(super) remarks: Vec<String>,
    pub(super) directory: PathBuf,
    /// Deleted last.
    _temporary: Option<TempDir>,
}

impl Stage {
    pub(super) fn open(
        settings: &Settings,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, VerifyError> {
        let (directory, temporary) = directory_of(settings)?;
        let (nodes, spares, faults) = match &settings.target {
            Target::Running { gateways, password } => {
                let access = Access { gateways: gateways.clone(), password: password.clone() };
                let (kinds, remarks) = (Vec::new(), Vec::new());
                return Ok(Self {
                    cluster: None,
                    access,
                    kinds,
                    remarks,
                    directory,
                    _temporary: temporary,
                });
            }
            Target::Own { nodes, spares, faults, .. } => (*nodes, *spares, faults),
        };
        let mut tell = |what: &str| {
            let (elapsed, counts) = (Duration::ZERO, Counts::default());
            progress(Progress { what: what.to_owned(), elapsed, counts, judged: 0 });
        };
        let sizes = (usize::from(nodes), usize::from(spares));
        tell("networks are made");
        let (ground, why_not) = Ground::lay(sizes.0 + sizes.1);
        let mut remarks = Vec::new();
        let kinds = possible(faults, sizes, why_not, &mut remarks)?;
        let has_disks = kinds.iter().any(|kind| kind.needs_disks());
        tell("nodes are started");
        let cluster = Cluster::start(&settings.program, &directory, ground, sizes, has_disks)?;
        let access = cluster.access();
        Ok(Self {
            cluster: Some(cluster),
            access,
            kinds,
            remarks,
            directory,
            _temporary: temporary,
        })
    }
}

/// Those of the faults that can be made; of those that were named, all must be.
fn possible(
    faults: &Faults,
    (nodes, spares): (usize, usize),
    no_networks: Option<String>,
    remarks: &mut Vec<String>,
) -> Result<Vec<Fault>, VerifyError> {
    let all = nodes + spares;
    let no_disks = Disk::absence();
    let absence = |fault: Fault| match fault {
        Fault::Kill | Fault::Pause => None,
        Fault::Partition if all < 2 => {
            Some("one node has nobody to be parted from; give --nodes or --spares".to_owned())
        }
        Fault::Partition => no_networks.clone(),
        Fault::Replace | Fault::Storm if spares == 0 => {
            Some("nobody can take a place; give --spares 1 or more".to_owned())
        }
        Fault::Wipe if nodes < 3 => Some(
            "what fewer than three members hold is gone with one of them; give --nodes 3 or more"
                .to_owned(),
        ),
        Fault::Replace | Fault::Storm | Fault::Wipe => None,
        Fault::DiskFull | Fault::LostTail => no_disks.clone(),
    };
    let wanted = match faults {
        Faults::Possible => &Fault::ALL[..],
        Faults::Only(wanted) => wanted,
    };
    let mut kinds = Vec::new();
    for fault in wanted.iter().copied() {
        match (absence(fault), faults) {
            (None, _) => kinds.push(fault),
            (Some(why), Faults::Possible) => remarks.push(format!("No fault `{fault}`: {why}.")),
            (Some(why), Faults::Only(_)) => {
                return Err(VerifyError::Absent { fault: fault.name(), why });
            }
        }
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_made_is_said_or_refused_if_it_was_named() {
        let mut remarks = Vec::new();
        let no_networks = || Some("not root".to_owned());
        let kinds = possible(&Faults::Possible, (3, 0), no_networks(), &mut remarks).unwrap();
        assert!(kinds.contains(&Fault::Kill) && !kinds.contains(&Fault::Partition));
        assert!(remarks.iter().any(|remark| remark == "No fault `partition`: not root."));
        assert!(remarks.iter().any(|remark| remark.contains("--spares")));
        let named = Faults::Only(vec![Fault::Partition]);
        let error = possible(&named, (3, 1), no_networks(), &mut remarks).unwrap_err();
        assert!(matches!(error, VerifyError::Absent { fault: "partition", .. }), "{error}");
        let wiped = possible(&Faults::Only(vec![Fault::Wipe]), (2, 1), None, &mut remarks);
        assert!(wiped.is_err());
    }
}
