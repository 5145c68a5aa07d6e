//! What a service's program gives up, made ready once for all its starts.

use std::sync::Arc;

use palco_processes::{ConfineError, Enclosure, Fence};

use crate::spec::Program;

/// None if it gives up nothing. `name` is that of the service.
pub(crate) fn prepare(name: &str, program: &Program) -> Result<Option<Arc<Fence>>, ConfineError> {
    if program.confinement == Enclosure::default() {
        return Ok(None);
    }
    let path = Some(program.path.clone());
    let enclosure = Enclosure { program: path, ..program.confinement.clone() };
    enclosure.prepare(name).map(|fence| Some(Arc::new(fence)))
}
