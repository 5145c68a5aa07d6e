//! Where a plan is from.

use anyhow::{Result, bail};
use palco_superserver::Plan;
use palco_superserver::config::{self, Options};

use crate::args::Reading;

/// Where a plan is from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Files, which may say something else by the next time.
    Files(Reading),
    /// The command line of `palco activate`.
    Given(Box<Plan>),
}

impl Source {
    /// What is to be served now.
    pub(crate) fn plan(&self) -> Result<Plan> {
        match self {
            Self::Files(reading) => Ok(config::read(&reading.config, &options(reading))?),
            Self::Given(plan) => Ok(Plan::clone(plan)),
        }
    }

    /// Whether it makes sense to ask again.
    pub(crate) fn check_reloadable(&self) -> Result<()> {
        match self {
            Self::Files(_) => Ok(()),
            Self::Given(_) => bail!("there is no file to read again"),
        }
    }
}

fn options(reading: &Reading) -> Options {
    Options {
        dialect: reading.dialect,
        libwrap: reading.libwrap,
        environment: reading.environment,
        keep_environment: reading.keep_environment,
        default_rate: reading.rate.filter(|rate| *rate > 0),
        ..Options::default()
    }
}
