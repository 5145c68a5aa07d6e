//! From one superserver process to the next: sockets and running programs change hands, no client notices.
//!
//! The old one offers copies of its sockets and goes on; the new one makes itself ready with them; the old one withdraws,
//! and says which programs still run; the new one opens. In between, clients wait in the kernel. If the new one fails, the
//! old one resumes.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use palco_actors::{SpawnError, SpawnOptions};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};
use socket2::Socket;

use super::Superserver;
use crate::door::Doorway;
use crate::guest::Guest;
use crate::spec::Endpoint;

/// Sockets that are bound already, by address.
#[derive(Debug, Default)]
pub struct Heritage {
    sockets: Vec<(String, Socket)>,
}

/// A program that runs while the superserver changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heir {
    /// The id of its service.
    pub service: String,
    /// The program.
    pub pid: i32,
    /// Its client's address.
    pub source: Option<IpAddr>,
    /// The sockets on which it accepts itself; empty if it serves one client.
    pub sockets: String,
}

impl Heritage {
    /// From the addresses and sockets of [`Superserver::offer`].
    #[must_use]
    pub fn new(addresses: Vec<String>, sockets: Vec<OwnedFd>) -> Self {
        Self { sockets: addresses.into_iter().zip(sockets.into_iter().map(Socket::from)).collect() }
    }

    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sockets.len()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    pub(super) fn take(&mut self, endpoint: &Endpoint) -> Option<Socket> {
        let address = endpoint.address.to_string();
        let place = self.sockets.iter().position(|(known, _)| *known == address)?;
        Some(self.sockets.swap_remove(place).1)
    }
}

impl Superserver {
    /// Copies of all sockets, each with its address, for a successor. Nothing changes.
    ///
    /// # Errors
    /// When descriptors have run out.
    pub fn offer(&self) -> std::io::Result<(Vec<String>, Vec<OwnedFd>)> {
        let state = self.state.lock();
        let (mut addresses, mut sockets) = (Vec::new(), Vec::new());
        for door in state.running.iter().flat_map(|running| &running.doors) {
            for (endpoint, socket) in door.way.copies()? {
                addresses.push(endpoint.address.to_string());
                sockets.push(socket.into());
            }
        }
        Ok((addresses, sockets))
    }

    /// Takes in nobody any more, without closing what others have copies of; says which programs still run.
    pub fn withdraw(&self) -> Vec<Heir> {
        let mut state = self.state.lock();
        let (mut heirs, mut withdrawn) = (Vec::new(), Vec::new());
        for running in &mut state.running {
            let closed = running.close(|_| true);
            for way in &closed {
                block_on(way.released());
                for (pid, source, is_single) in way.present.programs() {
                    let sockets = if is_single { way.addresses() } else { String::new() };
                    let service = running.service.id.clone();
                    heirs.push(Heir { service, pid, source, sockets });
                }
            }
            withdrawn.extend(closed);
        }
        state.withdrawn.extend(withdrawn);
        heirs
    }

    /// After [`Superserver::withdraw`]: takes in clients again, on the sockets that were offered.
    ///
    /// # Errors
    /// [`SpawnError`] when a door could not be started.
    pub fn resume(&self, mut offered: Heritage) -> Result<(), SpawnError> {
        let mut state = self.state.lock();
        for running in &mut state.running {
            let definition = running.service.definition();
            for group in super::changes::groups(&definition) {
                let sockets = group.into_iter().filter_map(|endpoint| {
                    let socket = offered.take(&endpoint)?;
                    Some((endpoint, socket))
                });
                running.add(Doorway::new(sockets.collect()));
            }
            running.open()?;
        }
        Ok(())
    }

    /// Counts programs of a predecessor as instances, until they end; sockets that one of them has are left to it until then.
    ///
    /// # Errors
    /// [`SpawnError`] when an actor could not be started.
    pub fn adopt(&self, heirs: &[Heir]) -> Result<(), SpawnError> {
        let state = self.state.lock();
        for heir in heirs {
            let known = state.running.iter().find(|running| running.service.id == heir.service);
            let Some(running) = known else { continue };
            if !heir.sockets.is_empty() {
                let mut doors = running.doors.iter();
                if let Some(door) = doors.find(|door| door.way.addresses() == heir.sockets) {
                    *door.way.predecessor.lock() = Some(heir.pid);
                }
                continue;
            }
            let permit = running.service.gate.admit_guest(heir.source);
            let mut guest = Some(Guest { pid: heir.pid, _permit: permit });
            running
                .supervisor
                .supervise(SpawnOptions::new(), move || guest.take().expect("never restarted"))?;
        }
        Ok(())
    }

    /// Waits until nothing of it runs any more: after [`Superserver::withdraw`], before this process ends.
    pub async fn drained(&self) {
        let presents: Vec<Arc<Doorway>> = std::mem::take(&mut self.state.lock().withdrawn);
        for way in presents {
            way.present.nobody().await;
        }
    }
}
