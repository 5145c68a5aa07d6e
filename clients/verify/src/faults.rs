//! What can go wrong on purpose, by name.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// SIGKILL, and later a start from the same directory.
    Kill,
    /// SIGSTOP, often for longer than every timeout, and later SIGCONT.
    Pause,
    /// Packets between some nodes are lost: two sides, one way only, or all but the neighbours in a ring.
    Partition,
    /// Other nodes become members.
    Replace,
    /// Reconfigurations through two nodes at once, again and again.
    Storm,
    /// SIGKILL, the directory is deleted, and somebody new of the same name takes the place.
    Wipe,
    /// Nothing more can be written to a node's disk.
    DiskFull,
    /// SIGKILL and a power cut in one: what had not reached the disk is lost.
    LostTail,
}

impl Fault {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Kill,
        Self::Pause,
        Self::Partition,
        Self::Replace,
        Self::Storm,
        Self::Wipe,
        Self::DiskFull,
        Self::LostTail,
    ];

    /// As on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Partition => "partition",
            Self::Replace => "replace",
            Self::Storm => "storm",
            Self::Wipe => "wipe",
            Self::DiskFull => "disk-full",
            Self::LostTail => "lost-tail",
        }
    }

    /// Whether each node needs a disk of its own for it.
    pub(crate) const fn needs_disks(self) -> bool {
        matches!(self, Self::DiskFull | Self::LostTail)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which faults are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Those that can be made here; what cannot is said in the report.
    Possible,
    /// These, each once, in the order of [`Fault::ALL`]; a run without one of them cannot be made. May be none.
    Only(Vec<Fault>),
}

impl FromStr for Faults {
    type Err = String;

    /// `all`, `none`, or names with commas between them.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => return Ok(Self::Possible),
            "none" => return Ok(Self::Only(Vec::new())),
            _ => {}
        }
        let named = text.split(',').map(|name| {
            Fault::ALL.into_iter().find(|fault| fault.name() == name).ok_or_else(|| {
                let known = Fault::ALL.map(Fault::name).join(", ");
                format!("`{name}` is no fault: all, none, or some of {known}, with commas between")
            })
        });
        let mut faults = named.collect::<Result<Vec<_>, _>>()?;
        faults.sort_unstable();
        faults.dedup();
        Ok(Self::Only(faults))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Possible => f.write_str("all"),
            Self::Only(faults) if faults.is_empty() => f.write_str("none"),
            Self::Only(faults) => {
                let names: Vec<_> = faults.iter().map(|fault| fault.name()).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_wrong_name_is_told_with_all_right_ones() {
        let error = "kill,fire".parse::<Faults>().unwrap_err();
        assert!(error.contains("`fire` is no fault") && error.contains("lost-tail"), "{error}");
        assert!("".parse::<Faults>().is_err());
        assert!("kill,".parse::<Faults>().is_err());
    }

    proptest! {
        #[test]
        fn what_is_shown_is_what_is_read(picks in prop::collection::vec(0..Fault::ALL.len(), 0..12)) {
            let names: Vec<_> = picks.iter().map(|pick| Fault::ALL[*pick].name()).collect();
            let text = if names.is_empty() { "none".to_owned() } else { names.join(",") };
            let faults: Faults = text.parse().unwrap();
            prop_assert_eq!(&faults, &faults.to_string().parse().unwrap());
            let Faults::Only(kinds) = faults else { panic!("none of them is `all`") };
            prop_assert!(kinds.is_sorted_by(|a, b| a < b));
            prop_assert!(picks.iter().all(|pick| kinds.contains(&Fault::ALL[*pick])));
        }

        #[test]
        fn any_words_are_read_or_refused(text in "[a-z,-]{0,40}") {
            if let Ok(faults) = text.parse::<Faults>() {
                prop_assert_eq!(&faults, &faults.to_string().parse().unwrap());
            }
        }
    }
}
