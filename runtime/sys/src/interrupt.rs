//! End another thread's blocking system call with `EINTR`.
//!
//! A thread registers itself and hands out an [`Interrupter`]; [`Interrupter::interrupt`] sends it a real-time signal
//! whose handler does nothing and is installed without `SA_RESTART`, so that a blocking call returns `EINTR`.
//! A signal that arrives just before the call begins is lost by nature: who needs certainty repeats it until the
//! thread has answered.
//!
//! However often it is repeated, a thread gets at most one signal in [`Interrupter::SPACING`]. A real-time signal queues, and one that
//! is pending when a handler returns is delivered before the thread's next instruction: without a space between them a
//! sender in a loop keeps the thread in its handler for ever, so that the call to be ended never even begins.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Sends `EINTR` to one registered thread; does nothing once that thread's [`Registration`] is gone.
#[derive(Clone, Debug)]
pub struct Interrupter {
    /// The thread while it is registered. Held locked while a signal is sent, so that its id cannot be reused in
    /// between.
    thread: Arc<Mutex<Option<Target>>>,
}

#[derive(Debug)]
struct Target {
    tid: libc::pid_t,
    /// When the next signal may be sent.
    next: Instant,
}

/// Keeps the current thread interruptible; ends with it. Cannot leave its thread.
#[derive(Debug)]
pub struct Registration {
    interrupter: Interrupter,
    stays_on_its_thread: PhantomData<*const ()>,
}

impl Registration {
    /// Makes the calling thread interruptible, also if the process was started with the signal blocked.
    ///
    /// # Errors
    /// The kernel's error if the signal handler cannot be installed.
    pub fn current_thread() -> io::Result<Self> {
        install_handler()?;
        unblock_signal();
        // SAFETY: gettid takes no arguments and cannot fail.
        let tid = unsafe { libc::gettid() };
        let target = Target { tid, next: Instant::now() };
        Ok(Self {
            interrupter: Interrupter { thread: Arc::new(Mutex::new(Some(target))) },
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
    /// The least time between two signals to one thread.
    pub const SPACING: Duration = Duration::from_micros(100);

    /// Makes the thread's current blocking system call return `EINTR`; without effect if there is none, if the thread
    /// has ended, or if it was sent a signal less than [`Interrupter::SPACING`] ago.
    pub fn interrupt(&self) {
        let mut thread = self.thread.lock();
        let Some(target) = &mut *thread else { return };
        let now = Instant::now();
        if now < target.next {
            return;
        }
        target.next = now + Self::SPACING;
        // SAFETY: plain system call. `tid` names a live thread of this process: it is cleared under this lock
        // before the thread ends. The signal has a handler: it was installed before `tid` was recorded.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), target.tid, signal()) };
    }

    /// The kernel's id of the thread, while it is registered.
    #[must_use]
    pub fn thread_id(&self) -> Option<i32> {
        self.thread.lock().as_ref().map(|target| target.tid)
    }
}

/// The number of the signal, for those who send it to a whole process of the same program. Until that process has a
/// [`Registration`] it would die of it.
#[must_use]
pub fn interrupt_signal() -> i32 {
    signal()
}

/// A real-time signal, so that no program's own use of the classic ones is disturbed.
fn signal() -> libc::c_int {
    libc::SIGRTMIN() + 6
}

/// A program may be started with any signals blocked; its threads inherit that.
fn unblock_signal() {
    // SAFETY: sigset_t is a plain C struct for which all zeroes is a valid value.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` lives throughout the calls, the signal's number is valid, the old mask is not asked for.
    unsafe {
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
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

    /// Interrupts a thread that reads what never comes, in a loop without a pause, until it has ended.
    fn interrupt_a_read(prepare: impl FnOnce() + Send + 'static) -> io::ErrorKind {
        let (mut here, _there) = UnixStream::pair().unwrap();
        let (sender, receiver) = mpsc::channel();
        let reader = thread::spawn(move || {
            prepare();
            let registration = Registration::current_thread().unwrap();
            sender.send(registration.interrupter()).unwrap();
            here.read(&mut [0; 1]).unwrap_err().kind()
        });
        let interrupter = receiver.recv().unwrap();
        while !reader.is_finished() {
            interrupter.interrupt();
        }
        reader.join().unwrap()
    }

    #[test]
    fn a_blocked_read_ends_with_eintr() {
        for _ in 0..20 {
            assert_eq!(interrupt_a_read(|| ()), io::ErrorKind::Interrupted);
        }
    }

    #[test]
    fn a_thread_that_inherited_the_signal_blocked_is_interrupted_too() {
        let block = || {
            // SAFETY: as in unblock_signal.
            unsafe {
                let mut set: libc::sigset_t = std::mem::zeroed();
                libc::sigfillset(&raw mut set);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
            }
        };
        assert_eq!(interrupt_a_read(block), io::ErrorKind::Interrupted);
    }

    #[test]
    fn interrupting_a_thread_that_has_ended_does_nothing() {
        let interrupter =
            thread::spawn(|| Registration::current_thread().unwrap().interrupter()).join().unwrap();
        interrupter.interrupt();
        assert_eq!(interrupter.thread_id(), None);
    }
}
