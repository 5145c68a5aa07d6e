//! The sessions of a server: found by id, forgotten in the order in which they expire.

use std::collections::{BTreeSet, HashMap};

use super::{Items, Kept, Kind, Problem, Question, SessionsConfig};

/// Expired sessions that one request removes at most: 64. Each makes at most one, so the table shrinks.
const SWEEP_MAX: usize = 64;
/// What a client is told whose session is not there.
const GONE: &str = "session expired or unknown";

/// What names a session: 128 random bits, as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Id(u128);

#[derive(Debug)]
struct Session {
    items: Items,
    expires_ms: u64,
}

/// All sessions. Its size is bounded by [`SessionsConfig`].
#[derive(Debug)]
pub(super) struct Table {
    config: SessionsConfig,
    sessions: HashMap<Id, Session>,
    /// When each expires: what a sweep looks at, so that no session needs a timer.
    expiry: BTreeSet<(u64, Id)>,
}

impl Table {
    pub(super) fn new(config: SessionsConfig) -> Self {
        Self { config, sessions: HashMap::new(), expiry: BTreeSet::new() }
    }

    /// Answers one request, and with that refreshes its session.
    pub(super) fn serve(&mut self, question: Question) -> Result<Kept, Problem> {
        let Question { cookie, operation, now_ms } = question;
        self.sweep(now_ms);
        let found = cookie.as_deref().and_then(Id::parse).filter(|id| self.is_alive(*id, now_ms));
        if let Some(id) = found {
            self.refresh(id, now_ms);
        }
        let mut items = found
            .and_then(|id| self.sessions.get(&id))
            .map_or_else(Items::default, |session| session.items.clone());
        items.apply(operation);
        if items.bytes() > self.config.session_bytes_max {
            return Err(Problem::new(
                Kind::BasketFull,
                format!(
                    "With this the basket would be larger than {} bytes. Take something out first; it is as it was.",
                    self.config.session_bytes_max
                ),
            ));
        }
        let id = match found {
            Some(id) => Some(id),
            // Who only looks and has nothing costs no memory.
            None if cookie.is_none() && items.is_empty() => None,
            None => Some(self.make(now_ms)?),
        };
        if let Some(session) = id.and_then(|id| self.sessions.get_mut(&id)) {
            session.items.clone_from(&items);
        }
        let note = (cookie.is_some() && found.is_none()).then(|| GONE.to_owned());
        Ok(Kept { items, cookie: id.map(|Id(id)| format!("{id:032x}")), note })
    }

    fn is_alive(&self, id: Id, now_ms: u64) -> bool {
        self.sessions.get(&id).is_some_and(|session| session.expires_ms > now_ms)
    }

    /// Puts its expiry off.
    fn refresh(&mut self, id: Id, now_ms: u64) {
        let expires_ms = self.expires_ms(now_ms);
        if let Some(session) = self.sessions.get_mut(&id) {
            self.expiry.remove(&(session.expires_ms, id));
            session.expires_ms = expires_ms;
            self.expiry.insert((expires_ms, id));
        }
    }

    fn make(&mut self, now_ms: u64) -> Result<Id, Problem> {
        if self.sessions.len() >= self.config.sessions_max {
            let first_ms = self.expiry.first().map_or(now_ms, |(expires_ms, _)| *expires_ms);
            let wait_s = first_ms.saturating_sub(now_ms).div_ceil(1000).max(1);
            let most = self.config.sessions_max;
            let problem = Problem::new(
                Kind::Unavailable,
                format!(
                    "There are {most} sessions, and no more are kept. The first may end in {wait_s} s."
                ),
            );
            return Err(problem.retry_after(wait_s));
        }
        let id = Id::random()?;
        let expires_ms = self.expires_ms(now_ms);
        self.sessions.insert(id, Session { items: Items::default(), expires_ms });
        self.expiry.insert((expires_ms, id));
        Ok(id)
    }

    fn sweep(&mut self, now_ms: u64) {
        for _ in 0..SWEEP_MAX {
            match self.expiry.first() {
                Some((expires_ms, id)) if *expires_ms <= now_ms => {
                    self.sessions.remove(id);
                    self.expiry.pop_first();
                }
                Some(_) | None => return,
            }
        }
    }

    fn expires_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(u64::try_from(self.config.ttl.as_millis()).unwrap_or(u64::MAX))
    }
}

impl Id {
    fn random() -> Result<Self, Problem> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| {
            Problem::new(Kind::Failed, format!("There are no random bytes for a session: {error}"))
        })?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }

    fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u128::from_str_radix(text, 16).ok().filter(|_| is_id).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Operation;
    use super::*;

    fn table(sessions_max: usize) -> Table {
        let ttl = Duration::from_secs(10);
        Table::new(SessionsConfig { ttl, sessions_max, ..SessionsConfig::default() })
    }

    fn ask(table: &mut Table, cookie: Option<&str>, now_s: u64) -> Result<Kept, Problem> {
        let operation = Operation::Set { item: "tea".into(), count: 1 };
        let cookie = cookie.map(str::to_owned);
        table.serve(Question { cookie, operation, now_ms: now_s * 1000 })
    }

    #[test]
    fn a_full_table_refuses_new_sessions_until_one_expires_and_takes_none_away() {
        let mut table = table(2);
        let first = ask(&mut table, None, 0).unwrap().cookie;
        ask(&mut table, None, 3).unwrap();
        let refused = ask(&mut table, None, 4).unwrap_err();
        assert_eq!(refused, Problem::new(Kind::Unavailable, refused.detail()).retry_after(6));
        // The first is refreshed, so the second ends first.
        assert_eq!(ask(&mut table, first.as_deref(), 5).unwrap().note, None);
        assert!(ask(&mut table, None, 12).is_err());
        assert!(ask(&mut table, None, 13).is_ok());
        assert_eq!(ask(&mut table, first.as_deref(), 14).unwrap().note, None);
    }

    #[test]
    fn a_sweep_leaves_no_trace_of_what_has_expired() {
        let mut table = table(1000);
        for _ in 0..500 {
            ask(&mut table, None, 0).unwrap();
        }
        // An expired one is none, also before a sweep has come to it.
        let (_, Id(last)) = *table.expiry.last().unwrap();
        let kept = ask(&mut table, Some(&format!("{last:032x}")), 10).unwrap();
        assert_eq!(kept.note.as_deref(), Some(GONE));
        for _ in 0..500_usize.div_ceil(SWEEP_MAX) {
            ask(&mut table, kept.cookie.as_deref(), 11).unwrap();
        }
        assert_eq!((table.sessions.len(), table.expiry.len()), (1, 1));
    }
}
