//! End another thread's blocking system call with `EINTR`.
//!
//! A thread registers itself and hands out an [`Interrupter`]; [`Interrupter::interrupt`] sends it a real-time signal
//! whose handler does nothing and is installed without `SA_RESTART`, so that a blocking call returns `EINTR`.
//! A signal that arrives just before the call begins is lost by nature: who needs certainty repeats it until the
//! thread has answered.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::OnceLock;

use parking_lot::Mutex;

/// Sends `EINTR` to one registered thread; does nothing once that thread's [`Registration`] is gone.
#[derive(Clone, Debug)]
pub struct Interrupter {
    /// The kernel's thread id while the thread is registered. Held locked while a signal is sent, so that the id
    /// cannot be reused in between.
    thread: Arc<Mutex<Option<libc::pid_t>>>,
}

/// Keeps the current thread interruptible; ends with it. Cannot leave its thread.
#[derive(Debug)]
pub struct Registration {
    interrupter: Interrupter,
    stays_on_its_thread: PhantomData<*const ()>,
}

impl Registration {
    /// Makes the calling thread interruptible.
    ///
    /// # Errors
    /// The kernel's error if the signal handler cannot be installed.
    pub fn current_thread() -> io::Result<Self> {
        install_handler()?;
        // SAFETY: gettid takes no arguments and cannot fail.
        let tid = unsafe { libc::gettid() };
        Ok(Self {
            interrupter: Interrupter { thread: Arc::new(Mutex::new(Some(tid))) },
            stays_on_its_thread: PhantomData,
        })
    }

    /// The handle to give to others.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        *self.interrupter.thread.lock() = None;
    }
}

impl Interrupter {
    /// Makes the thread's current blocking system call return `EINTR`; without effect if there is none or the thread
    /// has ended.
    pub fn interrupt(&self) {
        let thread = self.thread.lock();
        if let Some(tid) = *thread {
            // SAFETY: plain system call. `tid` names a live thread of this process: it is cleared under this lock
            // before the thread ends. The signal has a handler: it was installed before `tid` was recorded.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, signal()) };
        }
    }

    /// The kernel's id of the thread, while it is registered.
    #[must_use]
    pub fn thread_id(&self) -> Option<i32> {
        *self.thread.lock()
    }
}

/// A real-time signal, so that no program's own use of the classic ones is disturbed.
fn signal() -> libc::c_int {
    libc::SIGRTMIN() + 6
}

extern "C" fn ignore(_signal: libc::c_int) {}

fn install_handler() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    INSTALLED
        .get_or_init(|| {
            // SAFETY: sigaction is a plain C struct for which all zeroes is a valid value.
            let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
            action.sa_sigaction = ignore as *const () as usize;
            action.sa_flags = 0; // no SA_RESTART: that is the point
            // SAFETY: `action` is initialised, its handler touches nothing, the old action is not asked for.
            let result =
                unsafe { libc::sigaction(signal(), &raw const action, std::ptr::null_mut()) };
            if result == 0 {
                Ok(())
            } else {
                Err(io::Error::last_os_error().raw_os_error().unwrap_or(0))
            }
        })
        .map_err(io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_blocked_read_ends_with_eintr() {
        let (mut here, _there) = UnixStream::pair().unwrap();
        let (sender, receiver) = mpsc::channel();
        let reader = thread::spawn(move || {
            let registration = Registration::current_thread().unwrap();
            sender.send(registration.interrupter()).unwrap();
            here.read(&mut [0; 1]).unwrap_err().kind()
        });
        let interrupter = receiver.recv().unwrap();
        // Repeated, because a signal just before the read begins is lost.
        while !reader.is_finished() {
            interrupter.interrupt();
            thread::yield_now();
        }
        assert_eq!(reader.join().unwrap(), io::ErrorKind::Interrupted);
    }

    #[test]
    fn interrupting_a_thread_that_has_ended_does_nothing() {
        let interrupter =
            thread::spawn(|| Registration::current_thread().unwrap().interrupter()).join().unwrap();
        interrupter.interrupt();
        assert_eq!(interrupter.thread_id(), None);
    }
}
