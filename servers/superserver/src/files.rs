//! How many descriptors this process may have: as many as it can get, and its programs as many as it was given.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::spec::ResourceLimit;

/// Lets this process have as many descriptors as its hard limit allows, once: an instance takes one or two. Programs are
/// given the limit that was there before, for some of them close all that there might be, or `select(2)`.
pub(crate) fn take_all() -> Option<ResourceLimit> {
    static BEFORE: OnceLock<Option<ResourceLimit>> = OnceLock::new();
    *BEFORE.get_or_init(|| {
        let resource = Resource::RLIMIT_NOFILE;
        let (soft, hard) = getrlimit(resource).ok()?;
        if soft == hard {
            return None;
        }
        match setrlimit(resource, hard, hard) {
            Ok(()) => Some(ResourceLimit { resource, soft, hard }),
            Err(error) => {
                tracing::warn!(%error, soft, "no more descriptors than these");
                None
            }
        }
    })
}
