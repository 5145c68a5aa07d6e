//! Which part of the protocol a message belongs to: its colour.

/// What messages of one colour are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    Ask,
    Tell,
    Change,
    Decide,
    Upgrade,
    Other,
}

impl Family {
    pub(super) const ALL: [Self; 6] =
        [Self::Ask, Self::Tell, Self::Change, Self::Decide, Self::Upgrade, Self::Other];

    /// By the name that the protocol gives a message.
    pub(super) fn of(kind: &str) -> Self {
        match kind {
            "query" | "queried" => Self::Ask,
            "propagate" | "propagated" => Self::Tell,
            "prepare" | "promised" | "accept" | "accepted" | "refused" => Self::Decide,
            "inform" | "informed" | "collect" | "collecting" | "collected" | "pull" | "pulled" => {
                Self::Upgrade
            }
            cas if cas.starts_with("cas") => Self::Change,
            _ => Self::Other,
        }
    }

    /// Of the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Tell => "tell",
            Self::Change => "change",
            Self::Decide => "decide",
            Self::Upgrade => "upgrade",
            Self::Other => "other",
        }
    }

    /// In the legend.
    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Ask => "query",
            Self::Tell => "propagate",
            Self::Change => "compare and swap",
            Self::Decide => "decide on a configuration",
            Self::Upgrade => "upgrade: inform, collect",
            Self::Other => "maps and pings",
        }
    }
}

/// Whether it is what somebody says when asked.
pub(super) fn is_answer(kind: &str) -> bool {
    kind.ends_with("ed") || matches!(kind, "pong" | "tell-map")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_and_its_answer_have_one_colour() {
        for pair in [
            ["query", "queried"],
            ["accept", "refused"],
            ["cas-accept", "cas-refused"],
            ["pull", "pulled"],
        ] {
            assert_eq!(Family::of(pair[0]), Family::of(pair[1]));
            assert_eq!(pair.map(is_answer), [false, true]);
        }
        assert_eq!(Family::of("something new"), Family::Other);
    }
}
