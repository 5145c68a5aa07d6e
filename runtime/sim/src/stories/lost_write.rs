//! Slide 28: why the old configuration must not go as soon as the next is decided. When a member votes it does not know
//! yet what will be decided, so a write can finish among the old members without hearing of the new ones.

use palco_rambo::{
    Body, Command, Configuration, Flaw, Flaws, Key, Mode, Outcome, Settings, Tag, Target,
};

use super::Told;
use super::director::{Director, n};

/// When the old configuration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    /// At the decision: what slide 28 warns of.
    DropAtDecision,
    /// After an upgrade: what palco does.
    Upgrade,
    /// With the decision after the next: slide 28's remedy, for one register.
    Deferred,
}

pub(super) fn tell(rules: Rules) -> Told {
    let key = Key::register("x");
    let (title, mode, flaws) = match rules {
        Rules::DropAtDecision => (
            "a write is lost: c0 goes as soon as c1 is decided",
            Mode::Rambo2,
            Flaws::NONE.with(Flaw::DropAtDecision),
        ),
        Rules::Upgrade => {
            ("the write is kept: c0 stays until c1 holds all", Mode::Rambo2, Flaws::NONE)
        }
        Rules::Deferred => (
            "the write is kept: c0 goes when c2 is decided",
            Mode::Rambo3(key.clone()),
            Flaws::NONE,
        ),
    };
    let mut director = Director::new(title);
    let first = Configuration::majority(0, [1, 2, 3].map(n)).expect("majorities meet");
    for node in 1..=7 {
        // Nodes 6 and 7 are members of nothing: one coordinates the write, the other the reconfiguration and the read.
        let flaws = flaws.with(Flaw::NoPreflight);
        director.founded(Settings { mode: mode.clone(), flaws, ..Settings::new(n(node)) }, &first);
    }

    director.say(
        "n6 writes: its query is answered by n1 and n2, a read quorum of c0, who hold nothing.",
    );
    let write = director.ask(6, "write x", Command::Write(key.clone(), Some("new".into())));
    let is_query = |body: &Body| matches!(body, Body::Query { .. } | Body::Queried { .. });
    director.deliver(|from, to, body| {
        [from, to].iter().all(|node| [1, 2, 6].contains(node)) && is_query(body)
    });

    director.say(
        "n7 wants c1 = {n3 n4 n5}: n2 and n3 promise and vote, the write has not reached them.",
    );
    let target = Target::majority(0, [3, 4, 5].map(n));
    let reconfigure = director.ask(7, "reconfigure to n3 n4 n5", Command::Reconfigure(target));
    director.deliver(|from, to, body| {
        let late = to == 2 && matches!(body, Body::TellMap);
        [from, to].iter().all(|node| [2, 3, 7].contains(node)) && !late
    });
    let decided = director.node(7).map().is_some_and(|map| map.top().index() == 1);
    director.say(format!(
        "c1 is {}. The news is on its way to n1; n2 {} it.",
        if decided { "decided" } else { "not decided" },
        if director.node(2).map().is_some_and(|map| map.top().index() == 1) {
            "has heard of"
        } else {
            "has not heard of"
        },
    ));

    director.say("The write's second phase reaches n1 and n2, a write quorum of c0.");
    director.deliver(|from, to, body| {
        let propagation = matches!(body, Body::Propagate { .. } | Body::Propagated { .. });
        [from, to].iter().all(|node| [1, 2, 6].contains(node)) && propagation
    });
    let early = director.answer(write).cloned();
    director.say(match early {
        Some(Outcome::Written(tag)) => format!("The write is done, under {tag}."),
        _ => "The write is not done: n2 told n6 of c1, and now a write quorum of c1 must hold it too.".to_owned(),
    });

    director.say("n7 reads; whoever it asks answers, but for n1.");
    let read = director.ask(7, "read x", Command::Read(key));
    director.deliver(|from, to, _| from != 1 && to != 1 && from != 6 && to != 6);
    if director.answer(read).is_none() {
        director.say("It waits for who could know more: now all other messages arrive.");
        director.deliver(|_, _, _| true);
    }
    let found = director.answer(read).cloned();
    let holds = verdict(&mut director, early.as_ref(), found.as_ref());
    director.deliver(|_, _, _| true);
    if let Some(Outcome::Reconfigured(done)) = director.answer(reconfigure).cloned() {
        director.say(format!("{} took {} round trips.", done.configuration, done.phases));
    }
    director.end(holds)
}

/// A read that begins after a write is done must not find less (L3, slide 39).
fn verdict(director: &mut Director, written: Option<&Outcome>, read: Option<&Outcome>) -> bool {
    let floor = match written {
        Some(Outcome::Written(tag)) => *tag,
        _ => Tag::ZERO,
    };
    match read {
        Some(Outcome::Read(tagged)) if tagged.tag < floor => {
            let what = format!(
                "The read found tag {}, and the write under {floor} was done before it began",
                tagged.tag
            );
            director.say(format!("{what}. It is lost."));
            director.violation(what);
            false
        }
        Some(Outcome::Read(tagged)) => {
            director.say(format!("The read found tag {}, the floor was {floor}.", tagged.tag));
            true
        }
        _ => {
            director.say("The read waits for who could know more, and was not answered before.");
            true
        }
    }
}
