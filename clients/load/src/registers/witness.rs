//! What the kernel has counted: bytes and segments between the servers, flushes of the disk.
//!
//! Bytes are those of TCP's own counters (`ss -ti`, that is `INET_DIAG_INFO`): payload that the sockets between servers
//! have sent, for every store alike, without anything in the way of a packet. Connections that were closed meanwhile take
//! their counts with them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::stat::{major, minor};
use serde::{Deserialize, Serialize};

/// Where the completed flushes are in `/sys/block/…/stat` (Documentation/ABI/stable/sysfs-block, since Linux 5.5).
const FLUSHES_FIELD: usize = 15;

/// Sent between servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) bytes: u64,
    /// TCP segments with payload; one may carry many messages.
    pub(super) segments: u64,
}

/// Everything that is counted outside the servers.
#[derive(Debug)]
pub(super) struct Witness {
    disk: Option<PathBuf>,
    has_sockets: bool,
}

impl Witness {
    /// Of the disk below this directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self { disk: disk_of(directory), has_sockets: sockets().is_some() }
    }

    /// What could not be counted, for people.
    pub(super) fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if !self.has_sockets {
            missing.push(
                "Bytes between servers are not counted: apt-get install iproute2 (ss).".to_owned(),
            );
        }
        if self.disk.is_none() {
            missing.push(
                "Flushes are not counted: the directory is on no block device with statistics, so durable rows may not be \
                 durable. Set TMPDIR to a directory on a disk."
                    .to_owned(),
            );
        }
        missing
    }

    /// Sent so far between the servers at these ports.
    pub(super) fn sent(&self, ports: &[u16]) -> Option<Sent> {
        self.has_sockets.then(sockets).flatten().map(|text| sent(&text, ports))
    }

    /// Flushes that the disk has completed so far, whoever asked for them.
    pub(super) fn flushes(&self) -> Option<u64> {
        flushes(&fs::read_to_string(self.disk.as_ref()?).ok()?)
    }
}

/// The statistics of the whole disk that a directory is on.
fn disk_of(directory: &Path) -> Option<PathBuf> {
    let device = fs::metadata(directory).ok()?.dev();
    let device = PathBuf::from(format!("/sys/dev/block/{}:{}", major(device), minor(device)));
    let device = fs::canonicalize(device).ok()?;
    // A partition has no flushes of its own.
    let is_part = device.join("partition").exists();
    let disk = if is_part { device.parent()?.to_owned() } else { device };
    let statistics = disk.join("stat");
    flushes(&fs::read_to_string(&statistics).ok()?).map(|_| statistics)
}

fn flushes(statistics: &str) -> Option<u64> {
    statistics.split_ascii_whitespace().nth(FLUSHES_FIELD)?.parse().ok()
}

/// All TCP sockets of this network namespace, one a line.
fn sockets() -> Option<String> {
    let output = Command::new("ss").args(["-tinHO"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Both ends of a connection on this machine are sockets of their own, so each counts what it has sent.
fn sent(sockets: &str, ports: &[u16]) -> Sent {
    let mut sum = Sent::default();
    for line in sockets.lines() {
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        let port = |word: &&str| word.rsplit_once(':')?.1.parse().ok();
        let mut ends = words.iter().skip(3).take(2).filter_map(port);
        if !ends.any(|port| ports.contains(&port)) {
            continue;
        }
        let count = |name: &str| {
            let value = words.iter().find_map(|word| word.strip_prefix(name))?;
            value.parse::<u64>().ok()
        };
        sum.bytes += count("bytes_sent:").unwrap_or(0);
        sum.segments += count("data_segs_out:").unwrap_or(0);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_connections_between_servers_count_and_no_others() {
        let text = "ESTAB 0 0 127.0.0.1:7401 127.0.0.1:40000 cubic bytes_sent:100 bytes_acked:99 data_segs_out:3\n\
                    ESTAB 0 0 127.0.0.1:40000 127.0.0.1:7401 cubic bytes_sent:10 segs_out:9 data_segs_out:2\n\
                    ESTAB 0 0 127.0.0.1:6380 127.0.0.1:40001 cubic bytes_sent:7 data_segs_out:7\n\
                    LISTEN 0 128 127.0.0.1:7401 0.0.0.0:* cubic cwnd:10\n";
        assert_eq!(sent(text, &[7401, 7402]), Sent { bytes: 110, segments: 5 });
        assert_eq!(sent(text, &[]), Sent::default());
        assert_eq!(sent("", &[7401]), Sent::default());
    }

    #[test]
    fn flushes_are_read_where_the_kernel_has_them() {
        let statistics = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 99 17\n";
        assert_eq!(flushes(statistics), Some(99));
        // Kernels before 5.5 have none.
        assert_eq!(flushes("1 2 3 4 5 6 7 8 9 10 11"), None);
    }
}
