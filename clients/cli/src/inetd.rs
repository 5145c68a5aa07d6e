//! A superserver on a stage of its own: where its plan is from, running it, and changing it.
//!
//! | file | what |
//! |---|---|
//! | `source.rs` | where the plan is from: files that may be read again, or a command line |
//! | `run.rs` | until a signal says otherwise |
//! | `log.rs` | where START, EXIT and FAIL are written |
//! | `succession.rs`, `succession/` | one process takes the sockets over from another |

mod log;
mod run;
mod source;
mod succession;

use std::sync::Arc;

use palco_superserver::{Changes, Superserver};

pub(crate) use log::Log;
pub(crate) use run::{Running, run};
pub(crate) use source::Source;
pub(crate) use succession::hand_over;

/// A superserver, and where its plan is from.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) superserver: Arc<Superserver>,
    source: Source,
}

impl Installed {
    /// Reads the files again, and takes on what they say. The error is for people, and says that nothing has changed.
    pub(crate) fn reload(&self) -> Result<Changes, String> {
        let unchanged = |why: String| format!("nothing was changed:\n{why}");
        self.source.check_reloadable().map_err(|error| error.to_string())?;
        let plan = self.source.plan().map_err(|error| unchanged(format!("{error:#}")))?;
        self.superserver.reload(plan).map_err(|refused| {
            let lines: Vec<String> = refused.remarks.iter().map(ToString::to_string).collect();
            unchanged(lines.join("\n"))
        })
    }
}
