//! Where nodes run: each in a network of its own, or all on loopback, each at an address of its own.

mod namespaces;

use std::net::Ipv4Addr;
use std::path::Path;

use palco_processes::Launch;

use crate::VerifyError;
use namespaces::Namespaces;

/// What nodes stand on. Taken away when dropped.
#[derive(Debug)]
pub(crate) enum Ground {
    /// Loopback addresses that no other run has.
    Loopback,
    /// A network namespace for each, and cables between them.
    Namespaces(Namespaces),
}

impl Ground {
    /// Namespaces for so many nodes if they can be had, else loopback and why.
    pub(crate) fn lay(nodes: usize) -> (Self, Option<String>) {
        match Namespaces::make(nodes) {
            Ok(namespaces) => (Self::Namespaces(namespaces), None),
            Err(VerifyError::Absent { why, .. }) => (Self::Loopback, Some(why)),
            Err(error) => (Self::Loopback, Some(error.to_string())),
        }
    }

    /// In words.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Loopback => "on loopback",
            Self::Namespaces(_) => "in network namespaces",
        }
    }

    /// That of a node.
    pub(crate) fn address(&self, node: usize) -> Ipv4Addr {
        match self {
            Self::Loopback => {
                // All of 127/8 is loopback: no port of another run is in the way, nor any that a connection begins from.
                let [_, _, high, low] = std::process::id().to_be_bytes();
                Ipv4Addr::new(127, high.max(1), low, last_octet(node))
            }
            Self::Namespaces(namespaces) => namespaces.address(node),
        }
    }

    /// A program that runs where this node is.
    pub(crate) fn launch(&self, node: usize, program: &Path) -> Launch {
        match self {
            Self::Loopback => Launch::new(program),
            Self::Namespaces(namespaces) => namespaces.launch(node, program),
        }
    }

    /// This thread goes where clients are.
    pub(crate) fn enter(&self) -> Result<(), VerifyError> {
        match self {
            Self::Loopback => Ok(()),
            Self::Namespaces(namespaces) => namespaces.enter(),
        }
    }

    /// Whether packets can be lost here.
    pub(crate) fn can_cut(&self) -> bool {
        matches!(self, Self::Namespaces(_))
    }

    /// What one node sends to another is lost from now on, or arrives again.
    pub(crate) fn cut(&self, from: usize, to: usize, is_cut: bool) -> Result<(), VerifyError> {
        match self {
            Self::Loopback => Err(VerifyError::Absent {
                fault: "partition",
                why: "on loopback no packet is lost".to_owned(),
            }),
            Self::Namespaces(namespaces) => namespaces.cut(from, to, is_cut),
        }
    }
}

/// Of the node's address: never 0.
fn last_octet(node: usize) -> u8 {
    u8::try_from(node + 1).unwrap_or(u8::MAX)
}
