//! What a life on another node is made from, as far as that can be sent.

use super::wire::{GRANTS_MAX, Role};
use crate::portable::{MessageTable, to_bytes};
use crate::vitals::Vitals;
use crate::{Failure, Grant, Parcel, Portable};

/// One life's beginning.
pub(super) struct Start {
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) args: Vec<u8>,
    pub(super) grants: Vec<Grant>,
}

impl Start {
    /// Of an actor with these vitals; the arguments may have so many bytes.
    pub(super) fn pack<A: Portable>(
        vitals: &Vitals,
        table: &MessageTable<A>,
        parcel: Parcel<A>,
        bytes_max: usize,
    ) -> Result<Self, Failure> {
        if !parcel.luggage.descriptors.is_empty() {
            return Err(Failure::new("its luggage is not portable: open files stay on their node"));
        }
        let mut args = Vec::new();
        to_bytes(&parcel.args, &mut args)?;
        if args.len() > bytes_max {
            let bytes = args.len();
            let text = format!("its arguments are {bytes} bytes, over the limit of {bytes_max}");
            return Err(Failure::new(text));
        }
        let grants = parcel.luggage.grants;
        if grants.len() > GRANTS_MAX as usize {
            return Err(Failure::new(format!("its luggage has more than {GRANTS_MAX} grants")));
        }
        Ok(Self { role: Role::of(table), name: name(vitals), args, grants })
    }
}

/// Unique among those of this node there, and the same for every life: so one waits for the end of the one before.
fn name(vitals: &Vitals) -> String {
    let mut id = vitals.id.to_string();
    id.retain(|c| c.is_ascii_digit());
    match &vitals.name {
        Some(name) if name.len() + id.len() < 60 => format!("{name}-{id}"),
        Some(_) | None => format!("actor-{id}"),
    }
}
