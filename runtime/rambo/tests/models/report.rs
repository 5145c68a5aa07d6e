//! Exploring a model, what came out, and the tests that hold it against what is expected.

use std::{fmt::Debug, hash::Hash, sync::OnceLock};

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::told::{Step, tell};

/// A mechanism that can be explored.
pub(crate) trait Mechanism:
    Model<State: Clone + Debug + Hash + PartialEq + Send + Sync, Action: Clone + Debug + PartialEq>
    + Clone
    + Send
    + Sync
    + 'static
{
    /// Whether this state must never be reached.
    fn is_violated(&self, state: &Self::State) -> bool;

    /// Whether everything has been done whose safety is in question: without such a state a model proves nothing.
    fn is_ended(&self, state: &Self::State) -> bool;

    /// The state that stands for all which differ from this one in names alone.
    fn canonical(&self, state: State<Self>) -> State<Self>;

    /// The same mechanism, of which each state stands for itself.
    fn with_own_names(&self) -> Self;

    /// What an action does, in words.
    fn step(&self, before: &Self::State, action: &Self::Action) -> Step;
}

/// A mechanism's state.
pub(crate) type State<M> = <M as Model>::State;

const SAFE: &str = "safe";
const ENDED: &str = "ended";

/// The properties of every mechanism.
pub(crate) fn properties<M: Mechanism>() -> Vec<Property<M>> {
    vec![
        Property::always(SAFE, |model: &M, state| !model.is_violated(state)),
        Property::sometimes(ENDED, |model: &M, state| model.is_ended(state)),
    ]
}

/// What exploring a model gave.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Different states that were seen: all there are, or those until a violation was found.
    pub(crate) states: usize,
    /// The steps to the farthest of them.
    pub(crate) depth: usize,
    /// Whether a state was seen in which everything was done.
    pub(crate) ended: bool,
    /// The shortest way to a violation.
    pub(crate) violation: Option<Vec<Step>>,
}

/// Explores a model breadth first, with one thread so that the same model gives the same figures, until there is
/// nothing left or a violation is found.
pub(crate) fn explore<M: Mechanism>(model: M) -> Outcome {
    let search = |depth_max: Option<usize>| {
        let builder = model.clone().checker().finish_when(HasDiscoveries::AnyFailures);
        let builder = match depth_max {
            Some(depth) => builder.target_max_depth(depth),
            None => builder,
        };
        builder.spawn_bfs().join()
    };
    let found = search(None);
    let mut shortest = found.discovery(SAFE);
    // Of the violations in one block of states the checker keeps the last, which can be a step longer than the first.
    while let Some(shorter) = shortest
        .as_ref()
        .and_then(|path| search(Some(path.clone().into_states().len())).discovery(SAFE))
    {
        shortest = Some(shorter);
    }
    Outcome {
        states: found.unique_state_count(),
        depth: found.max_depth() - 1,
        ended: found.discovery(ENDED).is_some(),
        violation: shortest.map(|path| retold(&model, &path.into_states())),
    }
}

/// The steps through these states, which were canonical, with every node keeping its name on the way.
fn retold<M: Mechanism>(model: &M, path: &[State<M>]) -> Vec<Step> {
    let plain = model.with_own_names();
    let mut state = path[0].clone();
    let mut steps = Vec::new();
    for target in &path[1..] {
        let mut actions = Vec::new();
        plain.actions(&state, &mut actions);
        let (action, next) = actions
            .into_iter()
            .find_map(|action| {
                let next = plain.next_state(&state, action.clone())?;
                (model.canonical(next.clone()) == *target).then_some((action, next))
            })
            .expect("what can be done under new names can be done under the old ones");
        steps.push(plain.step(&state, &action));
        state = next;
    }
    steps
}

/// What must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// No violation anywhere, in a space that was finished and that holds the end of everything.
    Safe,
    /// A violation, after this many steps at least.
    Unsafe(usize),
}

/// One variant of a model.
pub(crate) struct Case {
    /// The name of its test.
    pub(crate) name: &'static str,
    /// The rule that it keeps or breaks.
    pub(crate) variant: &'static str,
    /// Where the rule is written.
    pub(crate) section: &'static str,
    /// What must come out.
    pub(crate) expected: Expected,
    /// Explores it.
    pub(crate) explore: fn() -> Outcome,
    /// What came out: it is explored once, for its own test and for the page.
    pub(crate) outcome: OnceLock<Outcome>,
}

impl Case {
    /// What came out.
    pub(crate) fn outcome(&self) -> &Outcome {
        self.outcome.get_or_init(self.explore)
    }

    /// The line of the table.
    pub(crate) fn row(&self, model: &str) -> String {
        let Outcome { states, depth, violation, .. } = self.outcome();
        let (verdict, trace) = match violation {
            None => ("safe".to_owned(), "–".to_owned()),
            Some(steps) => (format!("**unsafe** in {}", steps.len()), tell(steps)),
        };
        let Self { variant, section, .. } = self;
        format!("| {model} | {variant} | {section} | {states} | {depth} | {verdict} | {trace} |")
    }
}

/// The test of one variant.
///
/// # Panics
/// If something else came out than was expected.
pub(crate) fn check(model: &str, cases: &[Case], name: &str) {
    let case = cases.iter().find(|case| case.name == name).expect("the macro made both");
    let outcome = case.outcome();
    let found = match &outcome.violation {
        None => Expected::Safe,
        Some(steps) => Expected::Unsafe(steps.len()),
    };
    assert_eq!(found, case.expected, "{}", case.row(model));
    let ended = outcome.ended || found != Expected::Safe;
    assert!(ended, "nothing was proved: everything done is never reached: {}", case.row(model));
}

/// The variants of one model: `name: section, variant, expected, model;`. Makes the list `CASES` and a test of each.
macro_rules! variants {
    ($model:literal: $($name:ident: $section:literal, $variant:literal, $expected:expr, $make:expr;)*) => {
        /// The variants, in the order of the page.
        pub(crate) static CASES: [$crate::report::Case; [$(stringify!($name)),*].len()] = [$(
            $crate::report::Case {
                name: stringify!($name),
                variant: $variant,
                section: $section,
                expected: $expected,
                explore: || $crate::report::explore($make),
                outcome: ::std::sync::OnceLock::new(),
            },
        )*];
        /// The model's name.
        pub(crate) const NAME: &str = $model;
        $(
            #[test]
            fn $name() {
                $crate::report::check(NAME, &CASES, stringify!($name));
            }
        )*
    };
}
pub(crate) use variants;
