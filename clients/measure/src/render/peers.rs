//! What other tools print for the same thing, beside what the kernel counted meanwhile.

use super::units::{Measure, NONE, grouped};
use super::words::clean;
use crate::report::{PeerClaim, Report};

/// Headings of [`rows`].
pub(crate) const HEAD: [&str; 6] =
    ["command", "it says, a switch", "it says, switches", "counted", "true, a switch", "remark"];

/// A claim that is this far from the truth is off: 10 %.
const OFF: f64 = 0.1;

/// What the claims show, under their heading.
pub(crate) const ABOUT: &str = "Each was run on this machine. The kernel counted its context switches: wall time by that count is what a switch \
     took in truth.";

/// One line a tool.
pub(crate) fn rows(report: &Report) -> Vec<[String; 6]> {
    let time = |nanos: Option<f64>| nanos.map_or_else(none, |nanos| Measure::Time.show(nanos));
    let count = |count: Option<u64>| count.map_or_else(none, grouped);
    let row = |peer: &PeerClaim| {
        [
            clean(&peer.command),
            time(peer.claimed_nanos),
            count(peer.claimed_switches),
            count(peer.counted_switches),
            time(peer.true_nanos),
            clean(&peer.remark),
        ]
    };
    report.peers.iter().map(row).collect()
}

/// Whether what it says agrees with the kernel; nothing where one of the two is missing.
pub(crate) fn agrees(peer: &PeerClaim) -> Option<bool> {
    let (said, counted) = (peer.claimed_switches? as f64, peer.counted_switches? as f64);
    Some((said - counted).abs() <= OFF * counted.max(1.0))
}

fn none() -> String {
    NONE.to_owned()
}
