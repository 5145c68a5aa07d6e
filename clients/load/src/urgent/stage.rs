//! Servers to send to, and a client with one request that would take a minute.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_actors::{PlaceKind, System};
use palco_client::Limits;
use palco_client::urgent::{UrgentLine, ask};
use palco_core::{RequestState, Ticket, Verb};
use palco_models::{ModelKind, Server, ServerSettings, Urgent, UrgentSettings};
use palco_service::services::work::WorkService;
use palco_threads::block_on;
use palco_urgent::{
    Call, Policy, ThreadSettings, Urgent as UrgentByte, of_acknowledgement, send_urgent,
    take_urgent,
};

use super::Error;
use super::kinds::Solution;

/// Against hanging only, and for an answer that does not come.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// The pause between two looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(1);

/// The longest line that a server of this bench answers, in bytes.
const LINE_BYTES_MAX: usize = 1024;

/// Every model in every place, once with an urgent thread of each policy.
pub(super) struct Stage {
    system: System,
    pub(super) servers: Vec<Standing>,
}

/// One server.
pub(super) struct Standing {
    pub(super) model: ModelKind,
    pub(super) place: PlaceKind,
    pub(super) policy: Policy,
    pub(super) address: SocketAddr,
    /// Stands as long as it is kept.
    _server: Server,
}

impl Stage {
    pub(super) fn start(policies: &[Policy]) -> Result<Self, Error> {
        let system = System::new().map_err(|error| Error::Prepare(io::Error::other(error)))?;
        let mut servers = Vec::new();
        for &policy in policies {
            let thread = ThreadSettings { policy, ..ThreadSettings::default() };
            let urgent = Urgent::open(UrgentSettings { thread, ..UrgentSettings::default() })
                .map_err(|error| Error::Prepare(io::Error::other(error)))?;
            for (model, place) in cells() {
                let name = format!("{model}-{place}-{}", servers.len());
                let urgent = Some(Arc::clone(&urgent));
                let settings =
                    ServerSettings { urgent, ..ServerSettings::new(name.clone(), model, place) };
                let server = Server::launch::<WorkService>(&system, settings, ())
                    .map_err(|source| Error::Start { server: name, source })?;
                let address = server.address();
                servers.push(Standing { model, place, policy, address, _server: server });
            }
        }
        Ok(Self { system, servers })
    }

    pub(super) fn stop(self) {
        block_on(self.system.shutdown());
    }
}

/// Every model in every place.
pub(super) fn cells() -> impl Iterator<Item = (ModelKind, PlaceKind)> {
    ModelKind::ALL
        .into_iter()
        .flat_map(|model| PlaceKind::OF_THIS_MACHINE.map(|place| (model, place)))
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It has come about.
    Done(RequestState),
    /// It has not come about so far.
    Pending(RequestState),
    /// Nothing, for a long time.
    Nothing,
}

/// A request that is being served, in the hands of its client.
pub(super) struct Running {
    pub(super) stream: TcpStream,
    ticket: Ticket,
    line: UrgentLine,
}

impl Running {
    /// Sends `request` and waits until it is being served.
    pub(super) fn begin(server: SocketAddr, request: &str) -> io::Result<Self> {
        let mut stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"ticket\n")?;
        let line = read_line(&mut stream)?;
        let ticket: Ticket = line
            .strip_prefix("ok ticket ")
            .and_then(|ticket| ticket.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no ticket: {line}")))?;
        writeln!(stream, "{request}")?;
        let line = UrgentLine::open(ticket.address, Limits::default()).map_err(io::Error::other)?;
        let running = Self { stream, ticket, line };
        running.until(RequestState::Running)?;
        Ok(running)
    }

    /// Sends the call and waits for what is said to it.
    pub(super) fn call(&mut self, solution: Solution, call: Call) -> io::Result<Told> {
        match solution {
            Solution::Port => {
                let answer = self.line.ask(&self.ticket, verb(call)).map_err(io::Error::other)?;
                Ok(told(answer.state, answer.is_reached()))
            }
            Solution::Data => {
                send_urgent(&self.stream, call.byte()).map_err(io::Error::other)?;
                self.acknowledged()
            }
        }
    }

    /// The same without waiting for an acknowledgement: before one stands what its request has sent.
    pub(super) fn call_only(&mut self, solution: Solution, call: Call) -> io::Result<()> {
        match solution {
            Solution::Port => self.call(solution, call).map(drop),
            Solution::Data => send_urgent(&self.stream, call.byte()).map_err(io::Error::other),
        }
    }

    fn acknowledged(&self) -> io::Result<Told> {
        let said = wait_urgent(&self.stream, LIMIT)?.and_then(of_acknowledgement);
        Ok(said.map_or(Told::Nothing, |(state, reached)| told(state, reached)))
    }

    /// Where it stands, as the port says.
    pub(super) fn state(&self) -> io::Result<RequestState> {
        let answer = ask(&self.ticket, Verb::Status, &Limits::default());
        answer.map(|answer| answer.state).map_err(io::Error::other)
    }

    /// Waits until it is in this state, by the word of the port.
    pub(super) fn until(&self, wanted: RequestState) -> io::Result<()> {
        let begun = Instant::now();
        loop {
            let state = self.state()?;
            if state == wanted {
                return Ok(());
            }
            if state == RequestState::Finished || begun.elapsed() > LIMIT {
                return Err(io::Error::other(format!("the request is {state}, not {wanted}")));
            }
            thread::sleep(LOOK_EVERY);
        }
    }

    /// Gives the request up.
    pub(super) fn cancel(&self) -> io::Result<()> {
        ask(&self.ticket, Verb::Cancel, &Limits::default()).map(drop).map_err(io::Error::other)
    }

    /// Gives the request up and reads its connection to the end.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.cancel()?;
        // A process that was killed resets it.
        let _ = io::copy(&mut self.stream, &mut io::sink());
        Ok(())
    }
}

const fn verb(call: Call) -> Verb {
    match call {
        Call::Hold => Verb::Hold,
        Call::Resume => Verb::Resume,
        Call::Cancel => Verb::Cancel,
    }
}

const fn told(state: RequestState, is_reached: bool) -> Told {
    if is_reached { Told::Done(state) } else { Told::Pending(state) }
}

/// The next urgent byte, if one comes in time and before the end of the connection.
pub(super) fn wait_urgent(stream: &TcpStream, within: Duration) -> io::Result<Option<u8>> {
    let begun = Instant::now();
    loop {
        let left = within.saturating_sub(begun.elapsed());
        let timeout = PollTimeout::try_from(left).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(stream.as_fd(), PollFlags::POLLPRI)];
        if poll(&mut polled, timeout)? == 0 {
            return Ok(None);
        }
        if let UrgentByte::Byte(byte) = take_urgent(stream)? {
            return Ok(Some(byte));
        }
        let seen = polled[0].revents().unwrap_or(PollFlags::empty());
        if seen.intersects(PollFlags::POLLERR | PollFlags::POLLHUP) {
            return Ok(None);
        }
    }
}

fn read_line(stream: &mut TcpStream) -> io::Result<String> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while line.len() < LINE_BYTES_MAX {
        stream.read_exact(&mut byte)?;
        if byte == *b"\n" {
            break;
        }
        line.extend(byte);
    }
    String::from_utf8(line).map_err(io::Error::other)
}
