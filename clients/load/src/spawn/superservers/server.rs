//! A superserver that stands, and falls when it is dropped.

use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use super::client;
use super::programs::Program;
use super::subject::{Service, Subject};
use crate::account::Account;
use crate::actors::Refusal;
use crate::daemon::{LOOK_EVERY, Process, free_addresses, last_line};

/// Who does not serve by then does not serve at all.
const SERVE_WITHIN: Duration = Duration::from_secs(20);

/// Its processes, its files and the account of what it uses.
#[derive(Debug)]
pub(super) struct Server {
    addresses: Vec<SocketAddr>,
    // Falls in this order: who is in a control group goes before the group does.
    processes: Vec<Process>,
    account: Account,
    _directory: TempDir,
}

impl Server {
    /// Starts it, with a port for each program, and returns when each has been served once.
    pub(super) fn start(subject: &Subject, programs: &[Program]) -> Result<Self, Refusal> {
        let directory = tempfile::tempdir().map_err(Refusal::failed)?;
        let addresses = free_addresses(programs.len()).map_err(Refusal::failed)?;
        let services = programs.iter().zip(&addresses);
        let services: Vec<_> =
            services.map(|(program, &address)| Service { program, address }).collect();
        let user = User::from_uid(geteuid()).map_err(Refusal::failed)?;
        let user = user.ok_or_else(|| Refusal::failed("this user has no name"))?.name;
        let launches = subject.launches(&services, &user, directory.path())?;
        let said = directory.path().join("said");
        let start = |launch| Process::start(launch, &said);
        let processes = launches.into_iter().map(start).collect::<Result<Vec<_>, _>>()?;
        let pids: Vec<i32> = processes.iter().map(|process| process.pid()).collect();
        let account = Account::of(&pids);
        let mut server = Self { addresses, processes, account, _directory: directory };
        server.until_it_serves(&services, &said)?;
        Ok(server)
    }

    /// Where the program with this index is served.
    pub(super) fn address(&self, program: usize) -> SocketAddr {
        self.addresses[program]
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    fn until_it_serves(&mut self, services: &[Service<'_>], said: &Path) -> Result<(), Refusal> {
        let begun = Instant::now();
        for service in services {
            while let Err(error) = client::once(service.address, service.program.exchange) {
                for process in &mut self.processes {
                    if let Some(exit) = process.ended()? {
                        let why = last_line(said);
                        return Err(Refusal::failed(format_args!("it has {exit}: {why}")));
                    }
                }
                if begun.elapsed() > SERVE_WITHIN {
                    let name = service.program.name;
                    return Err(Refusal::failed(format_args!("it does not serve {name}: {error}")));
                }
                thread::sleep(LOOK_EVERY);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::programs;
    use super::*;

    #[test]
    fn who_ends_at_once_is_quoted() {
        // It knows no such option.
        let program = Some("/bin/cat".into());
        let subject = Subject::Palco { program, touched_mib: 0 };
        let (programs, _) = programs::all();
        let refusal = Server::start(&subject, &programs).unwrap_err().to_string();
        assert!(refusal.contains("exited with 1") && refusal.contains("cat"), "{refusal}");
    }
}
