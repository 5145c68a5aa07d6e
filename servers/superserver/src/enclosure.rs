//! What a service's program gives up, made ready once for all its starts.

use std::sync::Arc;

use palco_processes::{ConfineError, Enclosure, Fence};

use crate::spec::{Confinement, Program};

/// None if it gives up nothing. `name` is that of the service.
pub(crate) fn prepare(name: &str, program: &Program) -> Result<Option<Arc<Fence>>, ConfineError> {
    let wish = &program.confinement;
    if *wish == Confinement::default() {
        return Ok(None);
    }
    let enclosure = Enclosure {
        program: Some(program.path.clone()),
        no_new_privileges: wish.no_new_privileges,
        read: wish.read.clone(),
        write: wish.write.clone(),
        no_administration: wish.no_administration,
        no_network: wish.no_network,
        private_tmp_bytes: wish.private_tmp_bytes,
        memory_bytes: wish.memory_bytes,
        processes: wish.processes,
        cpu_percent: wish.cpu_percent,
    };
    enclosure.prepare(name).map(|fence| Some(Arc::new(fence)))
}
