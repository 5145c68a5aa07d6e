//! The steps between `clone` and `exec`, and how the child tells its parent which of them failed: by two numbers.

/// One step on the way to a running program; they are taken in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Memory, descriptors and process of the child itself.
    Clone,
    /// Taking the descriptor at this place of [`Start::descriptors`](super::Start::descriptors) out of the way of another's
    /// number; after the last of them, one that the child needs for its restrictions.
    Lift(usize),
    /// Giving the descriptor at this place of [`Start::descriptors`](super::Start::descriptors) its number.
    Renumber(usize),
    /// Closing all others.
    CloseRange,
    /// Leading a session.
    Setsid,
    /// Scheduling policy.
    Scheduler,
    /// Niceness.
    Nice,
    /// The limit at this place of [`Start::limits`](super::Start::limits).
    Limit(usize),
    /// Joining the control group at this place of [`Restrictions::groups`](super::Restrictions::groups).
    ControlGroup(usize),
    /// A mount namespace of its own, whose changes nobody else sees.
    MountNamespace,
    /// The file system at this place of [`FreshDirectories::paths`](super::FreshDirectories::paths).
    Mount(usize),
    /// Supplementary groups.
    Setgroups,
    /// Group.
    Setgid,
    /// User.
    Setuid,
    /// Working directory.
    Chdir,
    /// The signal at the parent's death.
    DeathSignal,
    /// No new privileges.
    NoNewPrivileges,
    /// Files and network by Landlock.
    Landlock,
    /// System calls by seccomp.
    Seccomp,
    /// The program itself.
    Exec,
}

impl Step {
    /// Its number, and its place in a list.
    pub(super) fn number(self) -> (usize, usize) {
        match self {
            Self::Clone => (0, 0),
            Self::Lift(place) => (1, place),
            Self::Renumber(place) => (2, place),
            Self::CloseRange => (3, 0),
            Self::Setsid => (4, 0),
            Self::Scheduler => (5, 0),
            Self::Nice => (6, 0),
            Self::Limit(place) => (7, place),
            Self::ControlGroup(place) => (8, place),
            Self::MountNamespace => (9, 0),
            Self::Mount(place) => (10, place),
            Self::Setgroups => (11, 0),
            Self::Setgid => (12, 0),
            Self::Setuid => (13, 0),
            Self::Chdir => (14, 0),
            Self::DeathSignal => (15, 0),
            Self::NoNewPrivileges => (16, 0),
            Self::Landlock => (17, 0),
            Self::Seccomp => (18, 0),
            Self::Exec => (19, 0),
        }
    }

    /// The reverse of [`Step::number`].
    pub(super) fn of(number: usize, place: usize) -> Self {
        match number {
            1 => Self::Lift(place),
            2 => Self::Renumber(place),
            3 => Self::CloseRange,
            4 => Self::Setsid,
            5 => Self::Scheduler,
            6 => Self::Nice,
            7 => Self::Limit(place),
            8 => Self::ControlGroup(place),
            9 => Self::MountNamespace,
            10 => Self::Mount(place),
            11 => Self::Setgroups,
            12 => Self::Setgid,
            13 => Self::Setuid,
            14 => Self::Chdir,
            15 => Self::DeathSignal,
            16 => Self::NoNewPrivileges,
            17 => Self::Landlock,
            18 => Self::Seccomp,
            19 => Self::Exec,
            _ => Self::Clone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_comes_back_as_itself() {
        let steps: Vec<Step> = (0..20).map(|number| Step::of(number, 0)).collect();
        for (number, step) in steps.iter().enumerate() {
            assert_eq!(step.number(), (number, 0));
            assert_eq!(steps.iter().filter(|other| *other == step).count(), 1);
        }
        for step in [
            Step::Lift(3),
            Step::Renumber(4),
            Step::Limit(5),
            Step::ControlGroup(6),
            Step::Mount(1),
        ] {
            let (number, place) = step.number();
            assert_eq!(Step::of(number, place), step);
        }
    }
}
