//! Who still has a connection open, and who is left of a group: what /proc tells (proc(5)).

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// A file, by what fstat(2) says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// Whether somebody has a file open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
    /// It may not be looked at, or has just ended.
    Unknown,
}

/// Whether the program, or one of its group, has the file open. The program alone is asked if it has.
pub(super) fn is_held(file: Identity, pid: i32) -> Held {
    match has_open(file, pid) {
        Held::No => members(pid).map_or(Held::Unknown, |others| {
            let others = others.map(|other| has_open(file, other));
            // One that has ended since has it no more.
            if others.into_iter().any(|held| held == Held::Yes) { Held::Yes } else { Held::No }
        }),
        known @ (Held::Yes | Held::Unknown) => known,
    }
}

/// Whether anybody but its leader, whose end is known otherwise, is left of a group.
pub(crate) fn group_lives(leader: i32) -> bool {
    members(leader).is_ok_and(|mut members| members.next().is_some())
}

fn has_open(file: Identity, pid: i32) -> Held {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Held::Unknown };
    let is_it = |entry: io::Result<fs::DirEntry>| {
        let told = entry.and_then(|entry| fs::metadata(entry.path()));
        told.is_ok_and(|told| Identity { device: told.dev(), inode: told.ino() } == file)
    };
    if descriptors.into_iter().any(is_it) { Held::Yes } else { Held::No }
}

/// The living processes of a group, but for its leader.
fn members(group: i32) -> io::Result<impl Iterator<Item = i32>> {
    let of_entry = move |entry: io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        let pid = entry.file_name().to_str()?.parse::<i32>().ok()?;
        if pid == group {
            return None;
        }
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        is_living_member(&stat, group).then_some(pid)
    };
    Ok(fs::read_dir("/proc")?.filter_map(of_entry))
}

/// Whether the text of /proc/PID/stat is that of a process of this group that has not ended.
fn is_living_member(stat: &str, group: i32) -> bool {
    // The name before it may hold anything.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
    let mut fields = fields.unwrap_or_default().split_ascii_whitespace();
    let lives = !matches!(fields.next(), Some("Z" | "X") | None);
    lives && fields.nth(1).and_then(|field| field.parse().ok()) == Some(group)
}

#[cfg(test)]
mod tests {
    use std::process;

    use super::*;

    #[test]
    fn an_open_file_is_found_until_it_is_closed() {
        let file = tempfile::tempfile().unwrap();
        let told = file.metadata().unwrap();
        let identity = Identity { device: told.dev(), inode: told.ino() };
        let me = process::id().cast_signed();
        assert_eq!(has_open(identity, me), Held::Yes);
        assert_eq!(is_held(identity, me), Held::Yes);
        drop(file);
        assert_eq!(has_open(identity, me), Held::No);
        assert_eq!(is_held(identity, i32::MAX), Held::Unknown);
    }

    #[test]
    fn a_name_in_the_middle_of_a_line_confuses_nobody() {
        assert!(is_living_member("12 (x) Z 1 2) S 1 77 77 0", 77));
        assert!(!is_living_member("12 (x) S 1 77 77 0", 78));
        assert!(!is_living_member("12 (x) Z 1 77 77 0", 77));
        for odd in ["", ")", "12 (x) S", "12 (x) S 1 x", "12 x S 1 77"] {
            assert!(!is_living_member(odd, 77), "{odd}");
        }
    }
}
