//! A zygote: a small process of one thread that forks children for this one, at the same price however large this one is.
//!
//! It copies itself with `CLONE_PARENT`: its children are this process's, which alone reaps them and whose death signal
//! they get. One request and one answer at a time, over the zygote's birth socket.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use palco_sys::Forked;
use parking_lot::Mutex;

use crate::birth::{
    Birth, BirthError, HEADER, PAYLOAD_MAX, Role, ZYGOTE, as_child, message_of, payload_of,
    receive, sockets,
};
use crate::child::Child;
use crate::confine::{Confinement, confine_ahead};
use crate::error::LaunchError;
use crate::launch::Launch;
use crate::spawner::Spawner;

/// An answer: an error or 0, and a process id or 0.
const ANSWER: usize = 8;

/// A program that has not answered by then has not called [`enter`](crate::enter), or hangs.
const PATIENCE_S: i64 = 10;

/// The parent's side. Dropped, the zygote ends; its children do not.
pub struct Zygote {
    pid: i32,
    line: Mutex<Line>,
    spawner: Spawner,
}

struct Line {
    socket: OwnedFd,
    zygote: Child,
}

impl Zygote {
    /// Starts the program in `launch`, which calls [`enter`](crate::enter), as a zygote of children that will be confined
    /// like this: it confines itself in their place, as far as they inherit that. They still have to call
    /// [`confine`](crate::confine), which does the rest; and everything, should the zygote not have been able to.
    ///
    /// # Errors
    /// As [`Spawner::spawn`]; `Invalid` for a confinement of too many paths. A program that runs but does not serve is
    /// found out by the first [`Zygote::fork`].
    pub async fn start(
        spawner: &Spawner,
        launch: Launch,
        confinement: &Confinement,
    ) -> Result<Self, LaunchError> {
        let invalid = |error: postcard::Error| LaunchError::Invalid(error.to_string());
        let payload = postcard::to_stdvec(confinement).map_err(invalid)?;
        let first = message_of(&payload, 0).map_err(LaunchError::Invalid)?;
        let (socket, there) = sockets().map_err(LaunchError::Socket)?;
        palco_sys::send_with(socket.as_fd(), &first, &[]).map_err(LaunchError::Socket)?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::seconds(PATIENCE_S))
            .map_err(|error| LaunchError::Socket(error.into()))?;
        let zygote = spawner.spawn(as_child(launch, ZYGOTE, there)).await?;
        let pid = zygote.pid();
        Ok(Self { pid, line: Mutex::new(Line { socket, zygote }), spawner: spawner.clone() })
    }

    /// Has a child forked, which gets this birth. Waits for the answer, which takes as long as one fork of a small process.
    ///
    /// # Errors
    /// `BrokenPipe`, with how it ended, when the zygote is no more; `TimedOut` when it did not answer and was killed;
    /// `InvalidInput` for too large a birth; otherwise the kernel's answer to the fork, as `EAGAIN` at a limit.
    pub fn fork(&self, payload: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<Child> {
        let message = message_of(payload, fds.len())
            .map_err(|text| io::Error::new(io::ErrorKind::InvalidInput, text))?;
        let pid = self.line.lock().ask(&message, fds)?;
        // Nobody else reaps this child, so the id is still its own.
        let pidfd = palco_sys::open_pidfd(pid).inspect_err(|_error| end(pid))?;
        Ok(Child::new(pid, pidfd, self.spawner.clone()))
    }

    /// The zygote's process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }
}

impl Line {
    /// One request, one answer.
    fn ask(&mut self, message: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<i32> {
        let mut answer = [0; ANSWER];
        let outcome = palco_sys::send_with(self.socket.as_fd(), message, fds)
            .and_then(|()| palco_sys::receive_into(self.socket.as_fd(), &mut answer, 0));
        match outcome {
            Ok((ANSWER, _)) => {}
            Ok((0, _)) => return Err(self.ended()),
            Ok((length, _)) => {
                let text = format!("an answer of {length} bytes from the zygote");
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            Err(error) => {
                return Err(match error.kind() {
                    io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => self.ended(),
                    io::ErrorKind::WouldBlock => self.silent(),
                    _ => error,
                });
            }
        }
        let (errno, pid) = answer.split_at(ANSWER / 2);
        match number(errno) {
            0 => Ok(number(pid)),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// The socket has ended, so the zygote is ending or of no more use.
    fn ended(&mut self) -> io::Error {
        let _sent = self.zygote.signal(Signal::SIGKILL);
        let text = match self.zygote.wait() {
            Ok(exit) => format!("the zygote has ended: {exit}"),
            Err(error) => format!("the zygote has ended: {error}"),
        };
        io::Error::new(io::ErrorKind::BrokenPipe, text)
    }

    /// An answer that came later would be taken for that to another request.
    fn silent(&mut self) -> io::Error {
        let _ended = self.ended();
        let text = format!("the zygote did not answer for {PATIENCE_S} s and was killed");
        io::Error::new(io::ErrorKind::TimedOut, text)
    }
}

impl fmt::Debug for Zygote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zygote").field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Ends a child that cannot be watched, as when descriptors have run out.
fn end(pid: i32) {
    let pid = Pid::from_raw(pid);
    if kill(pid, Signal::SIGKILL).is_ok() {
        while waitpid(pid, None) == Err(Errno::EINTR) {}
    }
}

/// The zygote's life. Returns in a child; exits when the parent has gone.
pub(crate) fn serve(socket: OwnedFd) -> Result<Birth, BirthError> {
    let outcome = serve_on(&socket);
    if outcome.is_err() {
        // Its end shall tell the parent that the process ends, and not come before.
        mem::forget(socket);
    }
    outcome
}

fn serve_on(socket: &OwnedFd) -> Result<Birth, BirthError> {
    if !palco_sys::is_single_threaded().map_err(BirthError::Socket)? {
        return Err(BirthError::Threads);
    }
    let mut buffer = vec![0; HEADER + PAYLOAD_MAX];
    let Some((length, descriptors)) = receive(socket.as_fd(), &mut buffer)? else {
        process::exit(0)
    };
    prepare(payload_of(&buffer[..length], descriptors.len())?)?;
    loop {
        let (errno, pid) = match receive(socket.as_fd(), &mut buffer) {
            Ok(None) => process::exit(0),
            Ok(Some((length, descriptors))) => match answer(&buffer[..length], descriptors) {
                Ok(Outcome::Born(birth)) => {
                    // Giving this memory back would copy the pages that say so; it is this copy's last use of them.
                    mem::forget(buffer);
                    return Ok(birth);
                }
                Ok(Outcome::Forked(pid)) => (0, pid),
                Err(errno) => (errno, 0),
            },
            Err(BirthError::Socket(error)) => return Err(BirthError::Socket(error)),
            Err(_) => (Errno::EBADMSG as i32, 0),
        };
        let mut answer = [0; ANSWER];
        answer[..ANSWER / 2].copy_from_slice(&errno.to_le_bytes());
        answer[ANSWER / 2..].copy_from_slice(&pid.to_le_bytes());
        if palco_sys::send_with(socket.as_fd(), &answer, &[]).is_err() {
            process::exit(0);
        }
    }
}

/// Makes the zygote what its copies are to begin with.
fn prepare(confinement: &[u8]) -> Result<(), BirthError> {
    let confinement = postcard::from_bytes(confinement)
        .map_err(|error| BirthError::Malformed(error.to_string()))?;
    // Forks are only dearer without it.
    let _bytes = palco_sys::move_text_to_huge_pages();
    // What cannot be had each copy will find out for itself, and say.
    let _tried = confine_ahead(confinement);
    Ok(())
}

enum Outcome {
    /// In the child.
    Born(Birth),
    /// In the zygote: the child's id.
    Forked(i32),
}

/// Forks, if the request makes sense. An error is the number to answer with.
fn answer(message: &[u8], descriptors: Vec<OwnedFd>) -> Result<Outcome, i32> {
    // Allocated by the zygote, whose pages are its own already; in the child each would have to be copied first.
    let payload = payload_of(message, descriptors.len())
        .map_err(|_malformed| Errno::EBADMSG as i32)?
        .to_vec();
    match palco_sys::fork_brother() {
        Ok(Forked::Copy) => Ok(Outcome::Born(Birth { payload, descriptors, role: Role::Zygote })),
        Ok(Forked::Original { pid }) => Ok(Outcome::Forked(pid)),
        Err(error) if error.kind() == io::ErrorKind::Deadlock => Err(Errno::EDEADLK as i32),
        Err(error) => Err(error.raw_os_error().unwrap_or(Errno::EIO as i32)),
    }
}

fn number(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(0, i32::from_le_bytes)
}
