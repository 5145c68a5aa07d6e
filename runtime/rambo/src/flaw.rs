//! Rules that can be left out, so that checkers can be seen to object. None of this exists without feature `lab`: then
//! no participant has a flaw, and asking for one costs nothing.

/// A rule that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg(feature = "lab")]
#[repr(u8)]
pub enum Flaw {
    /// A write takes its own last sequence number plus one and asks nobody (pitfall 3).
    WriteSkipsQuery,
    /// A read is done in one round when all answers agree, whatever they are a quorum of (§1.6, O1).
    AgreementSuffices,
    /// A read never writes back (pitfall 14).
    NoWriteBack,
    /// The old configurations go as soon as the new one is decided (§1.4, A1).
    DropAtDecision,
    /// As above, after the new members have fetched the registers from who was not informed (§1.4, A2, B5).
    NoInform,
    /// The upgrade waits for a read quorum of the old configurations alone (§1.4, E1).
    InformReadsOnly,
    /// The upgrade waits for a write quorum of the old configurations alone (§1.4, E2).
    InformWritesOnly,
    /// The upgrade hands over nothing (§1.4, B3).
    NoCollect,
    /// The deferred removal of slide 28 without the register in the map (§1.4, C).
    MapWithoutRegister,
    /// An operation goes on with the answers it has when a configuration it uses is removed (§1.6, O7).
    KeepAnswers,
    /// Answers count for whatever phase is open (pitfall 7).
    AnyPhase,
    /// A restart forgets how often it was restarted (pitfall 1).
    SameBoot,
    /// A write that starts over takes a second tag (pitfall 18).
    SecondTag,
    /// Answers leave before what they say is on disk (pitfalls 5, 6, 15).
    AnswerBeforeDisk,
    /// Who lost its disk comes back under the same identity (pitfall 4).
    Amnesia,
    /// A proposal takes no notice of what was accepted before.
    IgnoreAccepted,
    /// A change of a key extends its accept phase into a new configuration (§2).
    ExtendAccept,
    /// A change that is tried again does not look whether it was applied (§2).
    NoOperationId,
    /// A state that was handed over, or voted for in an older configuration, is taken for chosen (§2).
    CopiesVote,
    /// A key's ballots are ordered by their rounds alone (pitfall 19).
    BallotsOfAnyAge,
    /// Each reconfiguration counts its rounds from the beginning: a ballot may be used twice.
    RoundsAnew,
    /// Preflight is skipped: a dead configuration may be decided (pitfall 9).
    NoPreflight,
}

/// Which rules are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flaws {
    #[cfg(feature = "lab")]
    bits: u32,
}

impl Flaws {
    /// None.
    pub const NONE: Self = Self {
        #[cfg(feature = "lab")]
        bits: 0,
    };
}

#[cfg(feature = "lab")]
impl Flaw {
    /// All, with the names that the command line takes.
    pub const ALL: [(Self, &'static str); 22] = [
        (Self::WriteSkipsQuery, "write-skips-query"),
        (Self::AgreementSuffices, "agreement-suffices"),
        (Self::NoWriteBack, "no-write-back"),
        (Self::DropAtDecision, "drop-at-decision"),
        (Self::NoInform, "no-inform"),
        (Self::InformReadsOnly, "inform-reads-only"),
        (Self::InformWritesOnly, "inform-writes-only"),
        (Self::NoCollect, "no-collect"),
        (Self::MapWithoutRegister, "map-without-register"),
        (Self::KeepAnswers, "keep-answers"),
        (Self::AnyPhase, "any-phase"),
        (Self::SameBoot, "same-boot"),
        (Self::SecondTag, "second-tag"),
        (Self::AnswerBeforeDisk, "answer-before-disk"),
        (Self::Amnesia, "amnesia"),
        (Self::IgnoreAccepted, "ignore-accepted"),
        (Self::ExtendAccept, "extend-accept"),
        (Self::NoOperationId, "no-operation-id"),
        (Self::CopiesVote, "copies-vote"),
        (Self::BallotsOfAnyAge, "ballots-of-any-age"),
        (Self::RoundsAnew, "rounds-anew"),
        (Self::NoPreflight, "no-preflight"),
    ];
}

#[cfg(feature = "lab")]
impl Flaws {
    /// With one more rule left out.
    #[must_use]
    pub const fn with(self, flaw: Flaw) -> Self {
        Self { bits: self.bits | 1 << flaw as u8 }
    }

    /// Whether a rule is left out.
    #[must_use]
    pub const fn has(self, flaw: Flaw) -> bool {
        self.bits & 1 << flaw as u8 != 0
    }
}

#[cfg(not(feature = "lab"))]
impl Flaws {
    /// No.
    #[inline]
    pub(crate) const fn are_any(self) -> bool {
        false
    }
}

/// Whether a rule is left out: never, without feature `lab`.
macro_rules! flawed {
    ($flaws:expr, $flaw:ident) => {{
        #[cfg(feature = "lab")]
        let left_out = $flaws.has($crate::flaw::Flaw::$flaw);
        #[cfg(not(feature = "lab"))]
        let left_out = $flaws.are_any();
        left_out
    }};
}
pub(crate) use flawed;
