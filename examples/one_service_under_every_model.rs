//! One service, written once, is served under every dispatch policy in every place; a client cannot tell.
//!
//! `cargo run --example one_service_under_every_model`

#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use anyhow::Result;
use palco_actors::{PlaceKind, Repertoire, System};
use palco_models::{ModelKind, Server, ServerSettings, profile};
use palco_service::services::echo::EchoService;
use palco_threads::block_on;

fn main() -> Result<()> {
    palco_actors::enter(|| palco_models::players::<EchoService>(Repertoire::new()))?;
    let system = System::new()?;
    for model in ModelKind::ALL {
        for place in PlaceKind::OF_THIS_MACHINE {
            let settings = ServerSettings::new(format!("{model}-{place}"), model, place);
            let server = Server::launch::<EchoService>(&system, settings, ())?;
            let mut client = TcpStream::connect(server.address())?;
            client.write_all(b"the same bytes")?;
            client.shutdown(Shutdown::Write)?;
            let mut answer = String::new();
            client.read_to_string(&mut answer)?;
            assert_eq!(answer, "the same bytes");
            eprintln!("{model} × {place}: {}", profile(model, place).classic_name);
            assert_eq!(block_on(server.drain()).abandoned, 0);
        }
    }
    block_on(system.shutdown());
    Ok(())
}
