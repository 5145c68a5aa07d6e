//! A superserver that stands, and falls when it is dropped.

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::unistd::{User, geteuid};
use palco_processes::{Child, Launch, Signal, Spawner};
use tempfile::TempDir;

use super::accounting::Account;
use super::client;
use super::programs::Program;
use super::subject::{Service, Subject, free_addresses};
use crate::actors::Refusal;

/// Who does not serve by then does not serve at all.
const SERVE_WITHIN: Duration = Duration::from_secs(20);

/// Who has not ended by then is killed.
const END_WITHIN: Duration = Duration::from_secs(3);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
        let pids: Vec<i32> = processes.iter().map(|process| process.0.pid()).collect();
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
                    if let Some(exit) = process.0.try_wait().map_err(Refusal::failed)? {
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

/// A process, asked to end when dropped, and waited for.
#[derive(Debug)]
struct Process(Child);

impl Process {
    /// What it says goes to the end of a file.
    fn start(launch: Launch, said: &Path) -> Result<Self, Refusal> {
        let open = || File::options().append(true).create(true).open(said).map_err(Refusal::failed);
        let launch = launch.fd(1, open()?).fd(2, open()?).death_signal(Signal::SIGKILL);
        let spawner = Spawner::new().map_err(Refusal::failed)?;
        spawner.spawn_blocking(launch).map(Self).map_err(Refusal::failed)
    }

    fn end(&mut self) -> io::Result<()> {
        let asked = Instant::now();
        self.0.signal(Signal::SIGTERM)?;
        while self.0.try_wait()?.is_none() {
            if asked.elapsed() > END_WITHIN {
                self.0.signal(Signal::SIGKILL)?;
                self.0.wait()?;
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Refused only when it has ended already.
        let _ = self.end();
    }
}

fn last_line(path: &Path) -> String {
    let said = fs::read(path).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    said.trim_end().lines().next_back().unwrap_or("it has said nothing").to_owned()
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

    #[test]
    fn a_process_that_does_not_listen_is_ended_and_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let launch = Launch::new("/bin/sleep").arg("1000000");
        let process = Process::start(launch, &directory.path().join("said")).unwrap();
        let folder = format!("/proc/{}", process.0.pid());
        assert!(Path::new(&folder).exists());
        drop(process);
        assert!(!Path::new(&folder).exists());
    }
}
