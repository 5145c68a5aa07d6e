//! Other programs that are measured: started with their words kept, ended when dropped, and gone when this process is.

use std::fs::{self, File};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::time::ClockId;
use nix::unistd::Pid;
use palco_processes::{Child, Exit, Launch, Signal, Spawner};

use crate::actors::Refusal;
use crate::cpu;

/// Who has not ended by then is killed.
const END_WITHIN: Duration = Duration::from_secs(3);

/// Between two looks.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Where Debian's openbsd-inetd writes its process id, whatever it is told.
const INETD_PID_FILE: &str = "/run/inetd.pid";

/// An openbsd-inetd would write over the file of another.
pub(crate) fn check_inetd_pid_file() -> Result<(), Refusal> {
    if Path::new(INETD_PID_FILE).exists() {
        let text =
            format_args!("{INETD_PID_FILE} is that of another inetd, and would be written over");
        return Err(Refusal::failed(text));
    }
    Ok(())
}

/// Removes the file of an openbsd-inetd that was killed.
pub(crate) fn remove_inetd_pid_file(pid: i32) {
    let said = fs::read_to_string(INETD_PID_FILE).unwrap_or_default();
    if said.trim() == pid.to_string() {
        let _ = fs::remove_file(INETD_PID_FILE);
    }
}

/// A process, asked to end when dropped, and waited for. The kernel kills it when this process ends in any other way.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// What it says goes to the end of a file.
    pub(crate) fn start(launch: Launch, said: &Path) -> Result<Self, Refusal> {
        let open = || File::options().append(true).create(true).open(said).map_err(Refusal::failed);
        let launch = launch.fd(1, open()?).fd(2, open()?).death_signal(Signal::SIGKILL);
        let spawner = Spawner::new().map_err(Refusal::failed)?;
        spawner.spawn_blocking(launch).map(Self).map_err(Refusal::failed)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.0.pid()
    }

    /// How it has ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<Exit>, Refusal> {
        self.0.try_wait().map_err(Refusal::failed)
    }

    /// Processor time of all its threads so far, in nanoseconds; zero once it has ended.
    pub(crate) fn cpu_nanos(&self) -> u64 {
        ClockId::pid_cpu_clock_id(Pid::from_raw(self.pid())).map_or(0, cpu::nanos)
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) -> Result<(), Refusal> {
        self.0.signal(Signal::SIGKILL).map_err(Refusal::failed)?;
        self.0.wait().map(drop).map_err(Refusal::failed)
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

/// What a program said last, for whoever asks why it ended.
pub(crate) fn last_line(path: &Path) -> String {
    let said = fs::read(path).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    said.trim_end().lines().next_back().unwrap_or("it has said nothing").to_owned()
}

/// Free ports of 127.0.0.1, as many as asked for and all different; free until somebody else takes them.
pub(crate) fn free_addresses(count: usize) -> io::Result<Vec<SocketAddr>> {
    let bind = |_| TcpListener::bind(("127.0.0.1", 0));
    let listeners: Vec<_> = (0..count).map(bind).collect::<io::Result<_>>()?;
    listeners.iter().map(TcpListener::local_addr).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_process_that_does_not_listen_is_ended_and_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let launch = Launch::new("/bin/sleep").arg("1000000");
        let process = Process::start(launch, &directory.path().join("said")).unwrap();
        let folder = format!("/proc/{}", process.pid());
        assert!(Path::new(&folder).exists());
        drop(process);
        assert!(!Path::new(&folder).exists());
    }

    #[test]
    fn a_killed_process_is_reaped_and_uses_no_more_time() {
        let directory = tempfile::tempdir().unwrap();
        let launch = Launch::new("/bin/sleep").arg("1000000");
        let mut process = Process::start(launch, &directory.path().join("said")).unwrap();
        assert!(process.ended().unwrap().is_none());
        process.kill().unwrap();
        assert_eq!(process.cpu_nanos(), 0);
    }

    #[test]
    fn addresses_are_different() {
        let addresses: BTreeSet<_> = free_addresses(20).unwrap().into_iter().collect();
        assert_eq!(addresses.len(), 20);
    }
}
