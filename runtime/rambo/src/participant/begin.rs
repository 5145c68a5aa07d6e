//! Founding, joining, coming back.

use super::{Participant, Turn};
use crate::flaw::flawed;
use crate::store::Store;
use crate::{Configuration, ConfigurationMap, Effect, NodeId, Record, Settings, Storage};
use palco_core::Time;

/// Why a log makes no participant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Nothing was stored: this is not the node it was (pitfall 4).
    #[error("the log of {0} is empty: whoever lost its data must join under a new identity")]
    Empty(NodeId),
    /// The log belongs to somebody else.
    #[error(
        "the log of {found} was given to {wanted}: start it as {found}, \
         or empty the directory and join under a new identity"
    )]
    Foreign {
        /// Whose it is.
        found: NodeId,
        /// Who was started.
        wanted: NodeId,
    },
    /// Participants that keep nothing cannot come back.
    #[error("{0} keeps its registers in memory: it must join under a new identity")]
    Memory(NodeId),
}

impl Participant {
    /// A participant that knows the configurations from the beginning: all members of the first are begun so, once.
    #[must_use]
    pub fn found(settings: Settings, first: Configuration, effects: &mut Vec<Effect>) -> Self {
        let mut participant = Self::begin(settings, effects);
        participant.map = Some(ConfigurationMap::of(first));
        participant.keep_map(&mut Turn { now: Time::START, effects });
        participant
    }

    /// A participant that asks its seeds, from its first timer on. It can be given requests as soon as one has answered,
    /// and be made a member by a reconfiguration.
    #[must_use]
    pub fn join(settings: Settings, effects: &mut Vec<Effect>) -> Self {
        Self::begin(settings, effects)
    }

    /// The participant that wrote this log, in a new life: which one is on disk before anything is said (pitfall 1).
    ///
    /// # Errors
    /// The log is empty, somebody else's, or that of one that keeps nothing.
    pub fn restore(
        settings: Settings,
        log: impl IntoIterator<Item = Record>,
        effects: &mut Vec<Effect>,
    ) -> Result<Self, RestoreError> {
        if settings.storage == Storage::Memory {
            return Err(RestoreError::Memory(settings.node));
        }
        let mut participant = Self::empty(settings);
        for record in log {
            participant.replay(record)?;
        }
        if participant.boot == 0 {
            return Err(RestoreError::Empty(participant.settings.node));
        }
        if !flawed!(participant.settings.flaws, SameBoot) {
            participant.boot += 1;
        }
        participant.began(effects);
        Ok(participant)
    }

    /// All that a log must say to make this participant again, for who replaces a long log by a short one.
    pub fn snapshot(&self) -> impl Iterator<Item = Record> {
        let began = Record::Began { node: self.settings.node, boot: self.boot };
        let registers = self.store.entries().flat_map(|(key, entry)| {
            let stored = (entry.tagged.tag != crate::Tag::ZERO)
                .then(|| Record::Stored(key.clone(), entry.tagged.clone()));
            let promised = (entry.promised != crate::Tag::ZERO)
                .then(|| Record::CasPromised(key.clone(), entry.promised));
            stored.into_iter().chain(promised)
        });
        [began]
            .into_iter()
            .chain(self.map.clone().map(Record::Learned))
            .chain(self.acceptor.snapshot())
            .chain(registers)
    }

    fn begin(settings: Settings, effects: &mut Vec<Effect>) -> Self {
        let mut participant = Self { boot: 1, ..Self::empty(settings) };
        participant.began(effects);
        participant
    }

    fn began(&mut self, effects: &mut Vec<Effect>) {
        self.dice = self.settings.seed ^ u64::from(self.boot) << 32;
        let began = Record::Began { node: self.settings.node, boot: self.boot };
        self.learned = self.persist(began, &mut Turn { now: Time::START, effects });
        self.wake_by(Time::START);
        self.set_timer(&mut Turn { now: Time::START, effects });
    }

    fn empty(settings: Settings) -> Self {
        let store = Store::new(settings.seed);
        Self {
            settings,
            boot: 0,
            map: None,
            store,
            acceptor: Default::default(),
            operations: Default::default(),
            drive: None,
            fetch: None,
            fetched: Default::default(),
            barrier: 0,
            durable: 0,
            learned: 0,
            own: Default::default(),
            own_waiting: Default::default(),
            phases: 0,
            tags: 0,
            rounds: 0,
            dice: 0,
            timers: Default::default(),
            doubts: Default::default(),
            refusals: Default::default(),
            followed: Vec::new(),
            nodes: Vec::new(),
        }
    }

    fn replay(&mut self, record: Record) -> Result<(), RestoreError> {
        match record {
            Record::Began { node, .. } if node != self.settings.node => {
                return Err(RestoreError::Foreign { found: node, wanted: self.settings.node });
            }
            Record::Began { boot, .. } => self.boot = self.boot.max(boot),
            Record::Learned(map) => self.map = Some(map),
            Record::Stored(key, tagged) => {
                self.store.put(&key, &tagged, 0);
            }
            Record::CasPromised(key, ballot) => {
                self.store.promise(&key, ballot, 0);
            }
            Record::Promised(index, ballot) => self.acceptor.promise(index, ballot),
            Record::Accepted(ballot, configuration) => self.acceptor.accept(ballot, configuration),
            Record::RoundZero(configuration) => self.acceptor.use_round_zero(configuration),
        }
        Ok(())
    }
}
