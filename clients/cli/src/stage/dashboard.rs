//! The dashboard of a stage: where it listens, and who may act.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use palco_dashboard::{Dashboard, DashboardSettings, House, Served, Services, StartError, Token};
use palco_observe::Observer;

use super::{Port, Stage};

/// The variable that holds the token, if no file does.
const TOKEN_VARIABLE: &str = "PALCO_TOKEN";

/// What was said about the dashboard on the command line.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct DashboardArgs {
    /// Where the dashboard listens, or `off` [default: 127.0.0.1:7070, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    dashboard: Option<Port>,
    /// The secret of those who may act, in a file that only you can read [default: PALCO_TOKEN, or a random one]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl DashboardArgs {
    /// Without a word about it.
    pub(crate) fn default_ones() -> Self {
        Self { dashboard: None, token_file: None }
    }

    /// Starts the dashboard; none if it is off.
    pub(crate) fn open(
        &self,
        stage: &Stage,
        token: Token,
        demo: Option<&str>,
    ) -> Result<Option<Dashboard>> {
        if self.dashboard == Some(Port::Off) {
            return Ok(None);
        }
        let settings = DashboardSettings::new(token);
        let house = house(stage, demo);
        let dashboard = match self.dashboard {
            Some(Port::At(listen)) => {
                Dashboard::start(DashboardSettings { listen, ..settings }, house)
            }
            _ => match Dashboard::start(settings.clone(), house.clone()) {
                // Another stage's, most likely.
                Err(StartError::InUse { mut address, .. }) => {
                    address.set_port(0);
                    Dashboard::start(DashboardSettings { listen: address, ..settings }, house)
                }
                started => started,
            },
        };
        let advice = "the dashboard; choose another address with --dashboard ADDRESS, or `off`";
        dashboard.map(Some).context(advice)
    }

    /// The secret of those who may act on this stage.
    pub(crate) fn token(&self) -> Result<Token> {
        if let Some(path) = &self.token_file {
            return Ok(Token::from_file(path)?);
        }
        match std::env::var(TOKEN_VARIABLE) {
            Ok(text) => Token::parse(&text).context(TOKEN_VARIABLE),
            Err(_) => Ok(Token::random()?),
        }
    }
}

fn house(stage: &Stage, demo: Option<&str>) -> House {
    let served = stage.servers.iter().map(|(entry, server)| Served {
        name: entry.name().to_owned(),
        service: entry.service.name().to_owned(),
        command: entry.try_command(server.address()),
        example_request: entry.service.example_request().to_owned(),
        server: Arc::clone(server),
    });
    let services = stage.superserver.clone().map(|installed| Services {
        superserver: Arc::clone(&installed.superserver),
        reload: Arc::new(move || installed.reload()),
    });
    House {
        observer: Observer::attach(&stage.system),
        servers: served.collect(),
        services,
        registers: stage.registers.clone(),
        urgent: stage.urgent.clone(),
        reports: Some(palco_measure::kept::directory()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        event_loops: stage.system.event_loops(),
        demo: demo.map(str::to_owned),
    }
}
