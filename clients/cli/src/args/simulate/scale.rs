//! Numbers of nodes for `--scale`.

use std::str::FromStr;

/// So many nodes, all of them members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u32);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = text.trim().parse().ok().filter(|size| (3..=1000).contains(size));
        size.map(Self).ok_or_else(|| {
            format!("`{text}` is no number of nodes from 3 to 1000; give some, as 10,100,1000")
        })
    }
}
