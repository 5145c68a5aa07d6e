//! What a client may rely on, whatever serves it: each promise is written once and tested in every cell, which is
//! every model in every place. A new model or a new place is picked up from [`palco_models::ModelKind::ALL`] and
//! [`palco_actors::PlaceKind::OF_THIS_MACHINE`].
//!
//! | file | theme |
//! |---|---|
//! | `answers.rs`, `cuts.rs`, `slow_readers.rs` | every request of every service, however it arrives and is read |
//! | `malformed.rs`, `last_words.rs`, `panics.rs` | what one client does wrong is nobody else's harm |
//! | `deadlines.rs`, `overdue.rs` | time limits of clients, calls and processes |
//! | `crowds.rs`, `admission.rs`, `shedding.rs` | more clients than there is room for |
//! | `drain.rs`, `drain_limits.rs` | the end of a server |
//! | `suspension.rs`, `interrupts.rs`, `kills.rs` | signals to whoever serves |
//! | `requests.rs`, `rooms.rs`, `urgency.rs` | verbs for a request that is being served; at the urgent port, and by TCP urgent data |
//! | `activation.rs` | sockets that somebody else has bound or accepted |
//! | `crew.rs`, `lives.rs`, `own_sockets.rs`, `cores.rs` | who the workers are |
//! | `settings.rs` | what cannot be started |
//! | `crashes.rs`, `processes.rs`, `sharing.rs` | processes alone: how they die, what they may, what they share |
//! | `stage.rs`, `actors.rs`, `watched.rs`, `slots.rs` | a system with servers, and what can be seen of them |
//! | `client.rs`, `protocols.rs`, `http.rs` | a client, what it asks, and what is answered |
//!
//! The processes of the servers are this program again: `main` calls [`palco_actors::enter`] first.

#![cfg(test)]

mod activation;
mod actors;
mod admission;
mod answers;
mod client;
mod cores;
mod crashes;
mod crew;
mod crowds;
mod cuts;
mod deadlines;
mod drain;
mod drain_limits;
mod http;
mod interrupts;
mod kills;
mod last_words;
mod lives;
mod malformed;
mod overdue;
mod own_sockets;
mod panics;
mod processes;
mod protocols;
mod remembered;
mod requests;
mod rooms;
mod settings;
mod sftp;
mod sharing;
mod shedding;
mod slots;
mod slow_readers;
mod stage;
mod suspension;
mod urgency;
mod watched;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use palco_actors::Repertoire;
use palco_files::http::HttpService;
use palco_files::sftp::SftpService;
use palco_models::{players, players_that_share};
use palco_service::services::echo::EchoService;
use palco_service::services::ftp::FtpService;
use palco_service::services::kv::KvService;
use palco_service::services::telnet::TelnetService;
use palco_service::services::time::TimeService;
use palco_service::services::work::WorkService;

/// Tells an abort for want of memory from any other.
#[global_allocator]
static ALLOCATOR: palco_sys::NotingAllocator = palco_sys::NotingAllocator;

fn repertoire() -> Repertoire {
    let repertoire = players::<TimeService>(players::<EchoService>(Repertoire::new()));
    let repertoire =
        players::<WorkService>(players::<HttpService>(players::<SftpService>(repertoire)));
    let repertoire = players::<FtpService>(players::<TelnetService>(repertoire));
    let repertoire = players::<processes::Curious>(players::<crew::Who>(repertoire));
    players_that_share::<watched::Watched>(players_that_share::<KvService>(repertoire))
}

fn main() -> ExitCode {
    stage::keep_deliberate_panics_quiet();
    if let Err(error) = palco_actors::enter(repertoire) {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    let mut trials = Vec::new();
    for module in [
        activation::trials(),
        admission::trials(),
        answers::trials(),
        crashes::trials(),
        cores::trials(),
        crew::trials(),
        crowds::trials(),
        cuts::trials(),
        deadlines::trials(),
        drain::trials(),
        drain_limits::trials(),
        interrupts::trials(),
        kills::trials(),
        last_words::trials(),
        lives::trials(),
        malformed::trials(),
        overdue::trials(),
        own_sockets::trials(),
        panics::trials(),
        processes::trials(),
        remembered::trials(),
        requests::trials(),
        rooms::trials(),
        settings::trials(),
        sharing::trials(),
        shedding::trials(),
        slots::trials(),
        slow_readers::trials(),
        suspension::trials(),
        urgency::trials(),
    ] {
        trials.extend(module);
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
