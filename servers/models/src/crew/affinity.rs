//! On which cores workers run.
//!
//! A worker is confined to its cores before its service is made, so what it touches first lies in the memory that is near
//! them: Linux takes a page from the node of the core that touches it first (numa(7)). Nothing else is asked of the kernel.

use std::fmt;
use std::fs;
use std::io;
use std::process;
use std::str::FromStr;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::CrewError;

/// Where the kernel says which cores belong to which memory.
const NODES: &str = "/sys/devices/system/node";

const THIS_THREAD: Pid = Pid::from_raw(0);

/// On which cores the workers of a team run (nginx `worker_cpu_affinity`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Affinity {
    /// Where the kernel puts them.
    #[default]
    Off,
    /// Each on one core: those that this program may run on in turn, the first of each memory node, then the second, and
    /// again from the first when there are more workers than cores.
    Spread,
    /// Worker number i on the set number i, counted round.
    Sets(Vec<Vec<usize>>),
}

/// As it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "affinity is \"off\", \"spread\", or sets of cores like [[0], [1, 3]]"
)]
enum Written {
    Word(String),
    Sets(Vec<Vec<usize>>),
}

impl TryFrom<Written> for Affinity {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Word(word) => word.parse(),
            Written::Sets(sets) => Ok(Self::Sets(sets)),
        }
    }
}

impl From<Affinity> for Written {
    fn from(affinity: Affinity) -> Self {
        match affinity {
            Affinity::Sets(sets) => Self::Sets(sets),
            Affinity::Off | Affinity::Spread => Self::Word(affinity.to_string()),
        }
    }
}

impl FromStr for Affinity {
    type Err = String;

    /// `off`, `spread`, or sets of cores with `/` between them, each as the kernel writes it: `0/1,3/4-7`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "spread" => Ok(Self::Spread),
            _ => {
                let sets: Option<_> = text.split('/').map(cores_of).collect();
                sets.map(Self::Sets).ok_or_else(|| {
                    format!(
                        "`{text}` is no affinity: `off`, `spread`, or sets of cores like `0/1,3/4-7`"
                    )
                })
            }
        }
    }
}

impl fmt::Display for Affinity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Spread => f.write_str("spread"),
            Self::Sets(sets) => {
                let sets: Vec<_> = sets.iter().map(|set| list_of(set)).collect();
                f.write_str(&sets.join("/"))
            }
        }
    }
}

/// The cores of a list as the kernel writes it (cpuset(7)); none when it is no such list.
fn cores_of(list: &str) -> Option<Vec<usize>> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.trim().parse().ok()?;
        let last: usize = last.trim().parse().ok()?;
        if first > last || last >= CpuSet::count() {
            return None;
        }
        cores.extend(first..=last);
    }
    Some(cores)
}

/// Cores for people.
fn list_of(cores: &[usize]) -> String {
    let names: Vec<_> = cores.iter().map(usize::to_string).collect();
    names.join(",")
}

/// What workers can be confined to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Where this program may run.
    allowed: Vec<usize>,
    /// The cores of each memory node.
    nodes: Vec<Vec<usize>>,
}

impl Machine {
    /// This one, as this program may use it: its first thread is asked, because others may have been confined since.
    pub(crate) fn here() -> io::Result<Self> {
        let main = i32::try_from(process::id()).map_err(io::Error::other)?;
        let set = sched_getaffinity(Pid::from_raw(main))?;
        let allowed = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false));
        Ok(Self { allowed: allowed.collect(), nodes: nodes() })
    }

    /// The sets that workers get in turn; none if nothing is asked for.
    ///
    /// # Errors
    /// [`CrewError`] names the core that cannot be had, and those that can.
    pub(crate) fn sets(&self, affinity: &Affinity) -> Result<Vec<Vec<usize>>, CrewError> {
        match affinity {
            Affinity::Off => Ok(Vec::new()),
            Affinity::Spread => Ok(self.spread().into_iter().map(|core| vec![core]).collect()),
            Affinity::Sets(sets) => {
                if sets.is_empty() || sets.iter().any(Vec::is_empty) {
                    return Err(CrewError::NoCores);
                }
                match sets.iter().flatten().find(|core| !self.allowed.contains(core)) {
                    Some(core) => {
                        Err(CrewError::Core { core: *core, allowed: list_of(&self.allowed) })
                    }
                    None => Ok(sets.clone()),
                }
            }
        }
    }

    /// All allowed cores, the first of each node, then the second of each.
    fn spread(&self) -> Vec<usize> {
        let is_allowed = |core: &usize| self.allowed.contains(core);
        let nodes: Vec<Vec<usize>> = self
            .nodes
            .iter()
            .map(|node| node.iter().copied().filter(is_allowed).collect())
            .collect();
        let deepest = nodes.iter().map(Vec::len).max().unwrap_or(0);
        let mut spread: Vec<usize> = (0..deepest)
            .flat_map(|turn| nodes.iter().filter_map(move |node| node.get(turn).copied()))
            .collect();
        // Of no node that the kernel tells of.
        let rest = self.allowed.iter().filter(|core| !spread.contains(core));
        spread.extend(rest.copied().collect::<Vec<_>>());
        spread
    }
}

/// The cores of each memory node; none where the kernel does not tell.
fn nodes() -> Vec<Vec<usize>> {
    let Ok(entries) = fs::read_dir(NODES) else { return Vec::new() };
    let number = |name: &str| name.strip_prefix("node")?.parse::<usize>().ok();
    let mut nodes: Vec<(usize, Vec<usize>)> = entries
        .flatten()
        .filter_map(|entry| {
            let number = number(entry.file_name().to_str()?)?;
            let list = fs::read_to_string(entry.path().join("cpulist")).ok()?;
            Some((number, cores_of(&list)?))
        })
        .collect();
    nodes.sort_unstable();
    nodes.into_iter().map(|(_, cores)| cores).collect()
}

/// A thread that is confined to some cores, with what it starts; where it was allowed to run before. Dropped on that thread,
/// it lets it go there again.
#[derive(Debug)]
pub(crate) struct Confined(CpuSet);

impl Confined {
    /// Confines the calling thread.
    ///
    /// # Errors
    /// The kernel's: `EINVAL` when none of the cores can be had any more.
    pub(crate) fn to(cores: &[usize]) -> io::Result<Self> {
        let before = sched_getaffinity(THIS_THREAD)?;
        let mut only = CpuSet::new();
        for core in cores {
            only.set(*core)?;
        }
        sched_setaffinity(THIS_THREAD, &only)?;
        Ok(Self(before))
    }
}

impl Drop for Confined {
    fn drop(&mut self) {
        if let Err(error) = sched_setaffinity(THIS_THREAD, &self.0) {
            palco_threads::keep_apart(); // nobody else is to be confined with it
            tracing::warn!(%error, "a thread stays confined to the cores of a worker that has ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(allowed: &[usize], nodes: &[&[usize]]) -> Machine {
        let nodes = nodes.iter().map(|node| node.to_vec()).collect();
        Machine { allowed: allowed.to_vec(), nodes }
    }

    #[test]
    fn nodes_are_filled_evenly_and_only_with_cores_that_are_allowed() {
        let two = machine(&[0, 1, 2, 5, 6, 9], &[&[0, 1, 2, 3], &[4, 5, 6, 7]]);
        assert_eq!(two.spread(), [0, 5, 1, 6, 2, 9]);
        assert_eq!(machine(&[1, 3], &[]).spread(), [1, 3], "a kernel without nodes");
        let sets = two.sets(&Affinity::Spread).unwrap();
        assert_eq!(sets[1], [5]);
    }

    #[test]
    fn a_core_that_cannot_be_had_is_named_with_those_that_can() {
        let machine = machine(&[0, 1], &[&[0, 1]]);
        let error = machine.sets(&Affinity::Sets(vec![vec![0], vec![1, 7]])).unwrap_err();
        assert!(error.to_string().contains("core 7"), "{error}");
        assert!(error.to_string().contains("0,1"), "{error}");
        for empty in [vec![], vec![vec![0], vec![]]] {
            assert_eq!(machine.sets(&Affinity::Sets(empty)), Err(CrewError::NoCores));
        }
    }

    #[test]
    fn this_machine_has_a_core_for_everybody() {
        let machine = Machine::here().unwrap();
        let sets = machine.sets(&Affinity::Spread).unwrap();
        assert_eq!(sets.len(), machine.allowed.len());
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["off", "spread", "0", "0/1,3", "4,5,6/1"] {
            assert_eq!(text.parse::<Affinity>().unwrap().to_string(), text);
        }
        assert_eq!("2-4".parse(), Ok(Affinity::Sets(vec![vec![2, 3, 4]])));
        for text in ["", "on", "0/", "3-1", "0,,1", "-1", "99999"] {
            let error = text.parse::<Affinity>().unwrap_err();
            assert!(error.contains("`spread`"), "{error}");
        }
        for (json, expected) in [
            (r#""spread""#, Affinity::Spread),
            ("[[0],[1,3]]", Affinity::Sets(vec![vec![0], vec![1, 3]])),
        ] {
            let affinity: Affinity = serde_json::from_str(json).unwrap();
            assert_eq!(affinity, expected);
            assert_eq!(serde_json::to_string(&affinity).unwrap(), json);
        }
        let error = serde_json::from_str::<Affinity>("7").unwrap_err();
        assert!(error.to_string().contains("[[0], [1, 3]]"), "{error}");
    }
}
