//! A superserver of one's own.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use palco_actors::System;
use palco_superserver::{
    Address, Builtin, Endpoint, Entry, Event, Heritage, Listening, Origin, Plan, Program, Run,
    ServiceSpec, Sink, Style, Superserver,
};
use palco_threads::block_on;
use parking_lot::{Condvar, Mutex};

/// What has happened so far.
#[derive(Clone, Default)]
pub(crate) struct Log {
    shared: Arc<(Mutex<Vec<Entry>>, Condvar)>,
}

impl Log {
    pub(crate) fn sink(&self) -> Sink {
        let shared = Arc::clone(&self.shared);
        Arc::new(move |entry: &Entry| {
            shared.0.lock().push(entry.clone());
            shared.1.notify_all();
        })
    }

    /// Waits until `count` entries are as wanted, and returns them.
    pub(crate) fn wait(&self, count: usize, is_wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut entries = self.shared.0.lock();
        loop {
            let found: Vec<Event> = entries
                .iter()
                .map(|entry| &entry.event)
                .filter(|event| is_wanted(event))
                .cloned()
                .collect();
            if found.len() >= count {
                return found;
            }
            self.shared.1.wait(&mut entries);
        }
    }
}

pub(crate) fn is_exit(event: &Event) -> bool {
    matches!(event, Event::Exit { .. })
}

pub(crate) fn is_start(event: &Event) -> bool {
    matches!(event, Event::Start { .. })
}

pub(crate) fn is_fail(event: &Event) -> bool {
    matches!(event, Event::Fail { .. })
}

/// A superserver, and what it says. Its programs end with it.
pub(crate) struct House {
    pub(crate) system: System,
    pub(crate) superserver: Superserver,
    pub(crate) log: Log,
}

impl House {
    pub(crate) fn new(services: impl IntoIterator<Item = ServiceSpec>) -> Self {
        let house = Self::closed(plan(services), Heritage::default());
        house.superserver.open().unwrap();
        house
    }

    /// Bound, and not yet open.
    pub(crate) fn closed(plan: Plan, heritage: Heritage) -> Self {
        let (system, log) = (System::new().unwrap(), Log::default());
        let superserver =
            Superserver::prepare(&system, "inetd", plan, heritage, log.sink()).unwrap();
        Self { system, superserver, log }
    }

    /// Where a service listens, by its id.
    pub(crate) fn address(&self, id: &str) -> SocketAddr {
        let listening = self.superserver.listening();
        let (_, addresses) = listening.iter().find(|(known, _)| known == id).expect("it is on");
        addresses[0].split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn connect(&self, id: &str) -> TcpStream {
        TcpStream::connect(self.address(id)).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        block_on(self.system.shutdown());
    }
}

pub(crate) fn plan(services: impl IntoIterator<Item = ServiceSpec>) -> Plan {
    Plan { services: services.into_iter().collect(), ..Plan::default() }
}

fn spec(id: &str, style: Style, run: Run, address: Address) -> ServiceSpec {
    let origin = Origin { file: "test".into(), line: 1 };
    let mut spec = ServiceSpec::new(id, origin, style, run);
    spec.endpoints.push(Endpoint { address, listening: Listening::default() });
    spec
}

pub(crate) fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A shell script per connection.
pub(crate) fn script(id: &str, script: &str) -> ServiceSpec {
    spec(id, Style::PerConnection, shell(script), Address::tcp(any_port()))
}

/// A shell script that gets the socket of this address.
pub(crate) fn single(id: &str, script: &str, address: Address) -> ServiceSpec {
    spec(id, Style::Single, shell(script), address)
}

pub(crate) fn builtin(builtin: Builtin, address: Address) -> ServiceSpec {
    spec("builtin", Style::PerConnection, Run::Builtin(builtin), address)
}

fn shell(script: &str) -> Run {
    let mut program = Program::new("/bin/sh", "sh");
    program.args = vec!["-c".into(), script.into()];
    Run::Program(Box::new(program))
}

/// The program of a service that has one.
pub(crate) fn program(spec: &mut ServiceSpec) -> &mut Program {
    match &mut spec.run {
        Run::Program(program) => program,
        Run::Builtin(_) => panic!("built in"),
    }
}

/// All that comes.
pub(crate) fn read(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}
