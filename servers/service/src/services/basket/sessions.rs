//! State in the server: the cookie names a session, and whoever has lost the session has lost the basket.

use std::fmt;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::table::Table;
use super::{BasketCodec, BasketService, Keep, Kept, Kind, Problem, Question, TTL_DEFAULT};
use crate::{Ask, CannotRelaunch, Relaunch, SharedState};

/// What [`Sessions`] is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsConfig {
    /// How long a session lasts without a request; default [`TTL_DEFAULT`].
    pub ttl: Duration,
    /// Sessions at once; default 10 000. Further ones are refused until one expires.
    pub sessions_max: usize,
    /// Bytes of one basket: 16 for each item, and its name; default 16 KiB.
    pub session_bytes_max: usize,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self { ttl: TTL_DEFAULT, sessions_max: 10_000, session_bytes_max: 16 * 1024 }
    }
}

/// A table of sessions, or the way to whoever keeps it.
pub struct Sessions {
    ttl: Duration,
    whose: Whose,
}

enum Whose {
    Own(Mutex<Table>),
    /// Those of several processes: one process keeps it, the others ask.
    Keepers(Ask<BasketService<Sessions>>),
}

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(config: SessionsConfig) -> Self {
        Self { ttl: config.ttl, whose: Whose::Own(Mutex::new(Table::new(config))) }
    }
}

impl Keep for Sessions {
    const COOKIE: &'static str = "basket-session";
    const SIDE: &'static str = "server";

    fn ttl(&self) -> Duration {
        self.ttl
    }

    async fn serve(&self, question: Question) -> Result<Kept, Problem> {
        match &self.whose {
            Whose::Own(table) => table.lock().serve(question),
            Whose::Keepers(ask) => ask(question).await.unwrap_or_else(|| {
                Err(Problem::new(
                    Kind::Unavailable,
                    "Whoever keeps the sessions has not answered; the basket may have changed. Look at it.",
                ))
            }),
        }
    }
}

impl Relaunch for BasketService<Sessions> {
    const NAME: &'static str = "basket-server";
    type Config = SessionsConfig;
    type Codec = BasketCodec;

    fn relaunch(config: &SessionsConfig) -> Result<(Self, BasketCodec), CannotRelaunch> {
        Ok((Self::new(Sessions::new(config.clone())), BasketCodec::default()))
    }
}

impl SharedState for BasketService<Sessions> {
    type Question = Question;
    type Answer = Result<Kept, Problem>;

    fn answer(&self, question: Question) -> Result<Kept, Problem> {
        match &self.keep.whose {
            Whose::Own(table) => table.lock().serve(question),
            Whose::Keepers(_) => {
                Err(Problem::new(Kind::Failed, "This process does not keep the sessions."))
            }
        }
    }

    fn asking(
        config: &SessionsConfig,
        ask: Ask<Self>,
    ) -> Result<(Self, BasketCodec), CannotRelaunch> {
        let sessions = Sessions { ttl: config.ttl, whose: Whose::Keepers(ask) };
        Ok((Self::new(sessions), BasketCodec::default()))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}
