//! The end of a connection, so that the client has what it was told.

use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::time::Duration;

use palco_actors::{Actor, Context, Wait};

use super::{READ_BYTES, Stream};

/// After last words, how much of what the client still sends is read and thrown away, and for how long, so that the
/// kernel does not answer it with a reset that overtakes the words.
const LINGER_BYTES_MAX: usize = 256 << 10;
const LINGER_MAX: Duration = Duration::from_secs(2);

impl Stream {
    /// Says that nothing more will be written, then waits for the client to have read it: until its end of input,
    /// bounded in bytes and time. A stop does not end the wait: last words belong to the answer.
    pub(crate) async fn linger<A: Actor>(&mut self, cx: &Context<A>) {
        if self.prepare_to_linger().is_err() {
            return;
        }
        let clock = cx.system().clock();
        let deadline = clock.now() + LINGER_MAX;
        let mut scratch = [0; READ_BYTES];
        let mut thrown_away = 0;
        while thrown_away < LINGER_BYTES_MAX {
            // A limit on each read alone could be stretched byte by byte.
            let left = deadline - clock.now();
            if left.is_zero() {
                return;
            }
            let read = match self {
                Self::Polled(stream) => cx.system().within(left, stream.read(&mut scratch)).await,
                Self::Blocking(stream) => {
                    let call = || {
                        stream.set_read_timeout(Some(left))?;
                        stream.read(&mut scratch)
                    };
                    cx.blocking_call(Wait::ThroughStop, call).await
                }
            };
            match read {
                Some(Ok(read @ 1..)) => thrown_away += read,
                Some(Ok(0) | Err(_)) | None => return,
            }
        }
    }

    fn prepare_to_linger(&self) -> io::Result<()> {
        if let Self::Blocking(stream) = self {
            stream.set_nonblocking(false)?;
        }
        self.socket().shutdown(Shutdown::Write)
    }

    /// Closes without waiting, and in order as far as that is possible: what the client has sent by now is read and
    /// thrown away, because the kernel answers unread input with a reset.
    pub(crate) fn dismiss(self) {
        let socket = self.socket();
        let mut scratch = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut thrown_away = 0;
        if socket.shutdown(Shutdown::Write).is_err() || socket.set_nonblocking(true).is_err() {
            return;
        }
        while thrown_away < LINGER_BYTES_MAX
            && let Ok(read @ 1..) = socket.recv(&mut scratch)
        {
            thrown_away += read;
        }
    }
}
