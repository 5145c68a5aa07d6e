//! Semaphores and message queues of System V (sysvipc(7)), made by a process for itself and those that it forks.
//!
//! The kernel keeps such an object until somebody removes it, and a removal ends every wait for it (`EIDRM`): it cannot be
//! removed early like a file. The process that made one removes it when it drops its value; a copy in another process
//! does not.

use std::ffi::{c_int, c_long};
use std::io;
use std::process;
use std::ptr;

const OWNER_ONLY: c_int = 0o600;

/// Some semaphores, all at 0.
#[derive(Debug)]
pub struct SysvSemaphores {
    id: c_int,
    maker: u32,
}

/// A queue of messages, each of a kind.
#[derive(Debug)]
pub struct SysvQueue {
    id: c_int,
    maker: u32,
    message_bytes_max: usize,
}

impl SysvSemaphores {
    /// Makes `count` semaphores.
    ///
    /// # Errors
    /// The kernel's: `ENOSPC` at its limit of them (`/proc/sys/kernel/sem`), `EINVAL` for no or too many semaphores.
    pub fn new(count: u16) -> io::Result<Self> {
        // SAFETY: plain system call.
        let id = unsafe { libc::semget(libc::IPC_PRIVATE, count.into(), OWNER_ONLY) };
        let id = checked(id)?;
        Ok(Self { id, maker: process::id() })
    }

    /// The kernel's number of the set, as in `/proc/sysvipc/sem`.
    #[must_use]
    pub const fn id(&self) -> i32 {
        self.id
    }

    /// Adds one; whoever waits goes on.
    ///
    /// # Errors
    /// The kernel's: `EFBIG` when there is no such semaphore, `ERANGE` beyond its greatest value, `EIDRM` or `EINVAL` when
    /// they have been removed.
    pub fn raise(&self, which: u16) -> io::Result<()> {
        self.operate(which, 1)
    }

    /// Takes one, and waits for it.
    ///
    /// # Errors
    /// As [`SysvSemaphores::raise`]; `Interrupted` when a handler has run while it waited.
    pub fn lower(&self, which: u16) -> io::Result<()> {
        self.operate(which, -1)
    }

    fn operate(&self, which: u16, by: i16) -> io::Result<()> {
        let mut operation = libc::sembuf { sem_num: which, sem_op: by, sem_flg: 0 };
        // SAFETY: one operation, which lives throughout the call.
        checked(unsafe { libc::semop(self.id, &raw mut operation, 1) }).map(drop)
    }
}

impl Drop for SysvSemaphores {
    fn drop(&mut self) {
        if process::id() == self.maker {
            // SAFETY: plain system call; the fourth argument is not looked at.
            unsafe { libc::semctl(self.id, 0, libc::IPC_RMID) };
        }
    }
}

impl SysvQueue {
    /// Makes a queue for messages of at most `message_bytes_max` bytes.
    ///
    /// # Errors
    /// `InvalidInput` for more than the kernel takes (`/proc/sys/kernel/msgmax`, usually 8192); the kernel's: `ENOSPC` at its
    /// limit of queues.
    pub fn new(message_bytes_max: usize) -> io::Result<Self> {
        let most = std::fs::read_to_string("/proc/sys/kernel/msgmax");
        let most = most.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(8192_usize);
        if message_bytes_max > most {
            let text = format!("messages of {message_bytes_max} bytes: the kernel takes {most}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        // SAFETY: plain system call.
        let id = checked(unsafe { libc::msgget(libc::IPC_PRIVATE, OWNER_ONLY) })?;
        Ok(Self { id, maker: process::id(), message_bytes_max })
    }

    /// The kernel's number of the queue, as in `/proc/sysvipc/msg`.
    #[must_use]
    pub const fn id(&self) -> i32 {
        self.id
    }

    /// Room for one message of this queue, to be used again and again.
    #[must_use]
    pub fn letter(&self) -> Box<[u64]> {
        vec![0; 1 + self.message_bytes_max.div_ceil(size_of::<u64>())].into()
    }

    /// Sends the bytes as one message of kind `kind`, at least 1; waits while the queue is full.
    ///
    /// # Errors
    /// `InvalidInput` for a message longer than the queue's, or a kind of 0; `Interrupted` when a handler has run while it
    /// waited; the kernel's: `EIDRM` or `EINVAL` when it has been removed.
    pub fn send(&self, letter: &mut [u64], kind: u32, bytes: &[u8]) -> io::Result<()> {
        let (head, body) = letter.split_first_mut().ok_or(io::ErrorKind::InvalidInput)?;
        if kind == 0 || bytes.len() > size_of_val(body) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        *head = kind.into();
        // SAFETY: the body is longer than the bytes, and they do not overlap.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), body.as_mut_ptr().cast(), bytes.len()) };
        // SAFETY: a long and `bytes.len()` bytes behind it, which live throughout the call.
        checked(unsafe { libc::msgsnd(self.id, letter.as_ptr().cast(), bytes.len(), 0) }).map(drop)
    }

    /// Takes the first message of kind `kind`, waits for it, and returns its length; what does not fit into `bytes` is an
    /// error and stays in the queue.
    ///
    /// # Errors
    /// `Interrupted` when a handler has run while it waited; the kernel's: `E2BIG` for a message that is too long, `EIDRM` or
    /// `EINVAL` when the queue has been removed.
    pub fn receive(&self, letter: &mut [u64], kind: u32, bytes: &mut [u8]) -> io::Result<usize> {
        let most = bytes.len().min(size_of_val(letter).saturating_sub(size_of::<u64>()));
        let kind = c_long::from(kind);
        // SAFETY: the letter has room for a long and `most` bytes behind it, and lives throughout the call.
        let length = unsafe { libc::msgrcv(self.id, letter.as_mut_ptr().cast(), most, kind, 0) };
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let body = letter.get(1..).unwrap_or(&[]);
        // SAFETY: the kernel has written `length` bytes, at most `most`, for which both have room.
        unsafe { ptr::copy_nonoverlapping(body.as_ptr().cast(), bytes.as_mut_ptr(), length) };
        Ok(length)
    }
}

impl Drop for SysvQueue {
    fn drop(&mut self) {
        if process::id() == self.maker {
            // SAFETY: plain system call; the third argument is not looked at.
            unsafe { libc::msgctl(self.id, libc::IPC_RMID, ptr::null_mut()) };
        }
    }
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_semaphore_lets_go_on_who_waits_for_it() {
        let semaphores = SysvSemaphores::new(2).unwrap();
        thread::scope(|threads| {
            let waiter = threads.spawn(|| {
                semaphores.lower(0)?;
                semaphores.raise(1)
            });
            semaphores.raise(0).unwrap();
            semaphores.lower(1).unwrap();
            waiter.join().unwrap().unwrap();
        });
        assert_eq!(semaphores.raise(2).unwrap_err().raw_os_error(), Some(libc::EFBIG));
    }

    #[test]
    fn messages_are_told_apart_by_kind() {
        let queue = SysvQueue::new(100).unwrap();
        let mut letter = queue.letter();
        queue.send(&mut letter, 1, b"first").unwrap();
        queue.send(&mut letter, 2, &[7; 100]).unwrap();
        let mut bytes = [0; 100];
        assert_eq!(queue.receive(&mut letter, 2, &mut bytes).unwrap(), 100);
        assert_eq!(bytes, [7; 100]);
        assert!(queue.receive(&mut letter, 1, &mut bytes[..4]).is_err(), "too long for four bytes");
        assert_eq!(queue.receive(&mut letter, 1, &mut bytes).unwrap(), 5);
        assert_eq!(&bytes[..5], b"first");
        assert!(queue.send(&mut letter, 1, &[0; 105]).is_err());
        assert!(queue.send(&mut letter, 0, b"").is_err());
    }

    #[test]
    fn nothing_is_left_behind() {
        let semaphores = SysvSemaphores::new(1).unwrap();
        let queue = SysvQueue::new(1).unwrap();
        let (set, id) = (semaphores.id(), queue.id());
        // Copies of another process remove nothing.
        let copy = SysvSemaphores { id: set, maker: 0 };
        drop((SysvQueue { id, maker: 0, message_bytes_max: 1 }, copy));
        semaphores.raise(0).unwrap();
        drop((semaphores, queue));
        let is_listed = |file: &str, id: i32| {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines().any(|line| line.split_whitespace().nth(1) == Some(&id.to_string()))
        };
        assert!(!is_listed("/proc/sysvipc/sem", set));
        assert!(!is_listed("/proc/sysvipc/msg", id));
    }

    #[test]
    fn what_the_kernel_does_not_take_is_refused() {
        assert!(SysvSemaphores::new(0).is_err());
        assert!(SysvQueue::new(usize::MAX).is_err());
    }
}
