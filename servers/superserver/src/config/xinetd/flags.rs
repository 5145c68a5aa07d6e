//! `type` and `flags`.

use crate::config::fault::{Fault, Read, quoted};
use crate::config::reading::Reading;

use super::attributes::{Attributes, Faults};

/// What `type` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) internal: bool,
    pub(super) rpc: bool,
    pub(super) unlisted: bool,
    /// Started by tcpmux; whether tcpmux itself greets.
    pub(super) mux: Option<bool>,
}

impl Kinds {
    pub(super) fn read(words: &[&str]) -> Read<Self> {
        let mut kinds = Self::default();
        for word in words {
            match *word {
                "INTERNAL" => kinds.internal = true,
                "RPC" => kinds.rpc = true,
                "UNLISTED" => kinds.unlisted = true,
                "TCPMUX" => kinds.mux = Some(false),
                "TCPMUXPLUS" => kinds.mux = Some(true),
                _ => {
                    let text = format!("{} is no type", quoted(word));
                    return Err(Fault::new(
                        text,
                        "types are INTERNAL, RPC, UNLISTED, TCPMUX and TCPMUXPLUS",
                    ));
                }
            }
        }
        Ok(kinds)
    }
}

/// What `flags` says, as far as it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) name_in_args: bool,
    pub(super) nodelay: bool,
    pub(super) keepalive: bool,
    pub(super) no_libwrap: bool,
    pub(super) v4: bool,
    pub(super) v6: bool,
}

impl Flags {
    /// Reads the flags. Those that palco does not do are said.
    pub(super) fn read(
        reading: &mut Reading<'_>,
        attributes: &Attributes,
        name: &str,
        faults: &mut Faults,
    ) -> Self {
        let mut flags = Self::default();
        let Some(attribute) = attributes.get("flags") else { return flags };
        for word in faults.ok(&attribute.origin, attribute.texts()).unwrap_or_default() {
            let left_out = match word {
                "NAMEINARGS" => {
                    flags.name_in_args = true;
                    continue;
                }
                "NODELAY" => {
                    flags.nodelay = true;
                    continue;
                }
                "KEEPALIVE" => {
                    flags.keepalive = true;
                    continue;
                }
                "NOLIBWRAP" => {
                    flags.no_libwrap = true;
                    continue;
                }
                "IPv4" => {
                    flags.v4 = true;
                    continue;
                }
                "IPv6" => {
                    flags.v6 = true;
                    continue;
                }
                // Addresses are always reused, and a start that fails is not tried again.
                "REUSE" | "NORETRY" | "DISABLE" => continue,
                "SENSOR" => {
                    let text =
                        "palco has no sensors: to run the server instead would be the opposite";
                    faults.add(&attribute.origin, Fault::new(text, "remove the service"));
                    continue;
                }
                "INTERCEPT" => "INTERCEPT is not done: only the first datagram's sender is checked",
                "IDONLY" => "IDONLY is not done: palco asks no identification server",
                "LABELED" => {
                    "LABELED is not done: the program keeps the superserver's security context"
                }
                _ => {
                    let text = format!("{} is no flag", quoted(word));
                    faults.add(
                        &attribute.origin,
                        Fault::new(text, "remove it, or correct it after xinetd.conf(5)"),
                    );
                    continue;
                }
            };
            reading.warn(&attribute.origin, Some(name), Fault::new(left_out, "remove the flag"));
        }
        if flags.v4 && flags.v6 {
            let fault = Fault::new(
                "both IPv4 and IPv6 are set",
                "remove both: that is one socket for both",
            );
            faults.add(&attribute.origin, fault);
        }
        flags
    }
}
