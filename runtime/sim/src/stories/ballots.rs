//! Several proposers for one configuration (slides 22 to 25): each ballot that could have been decided binds the later
//! ones, and a ballot that a read quorum promised not to vote for is dead.

use std::time::Duration;

use palco_rambo::{Command, Configuration, Flaw, Flaws, NodeId, Outcome, Settings, Target};

use super::Told;
use super::director::{Director, n};

pub(super) fn tell() -> Told {
    let mut director = Director::new("three proposers, five members, one configuration");
    let first = Configuration::majority(0, (1..=5).map(n)).expect("majorities meet");
    for node in 1..=5 {
        let flaws = Flaws::NONE.with(Flaw::NoPreflight);
        director.founded(Settings { flaws, ..Settings::new(n(node)) }, &first);
    }
    let among = |nodes: &'static [u64]| {
        move |from: u64, to: u64| nodes.contains(&from) && nodes.contains(&to)
    };
    let want = |director: &mut Director, driver: u64, nodes: [u64; 3]| {
        let what = format!("reconfigure to n{} n{} n{}", nodes[0], nodes[1], nodes[2]);
        director.ask(driver, &what, Command::Reconfigure(Target::majority(0, nodes.map(n))))
    };

    director.say("n1 owns round 0 and needs no promises: it asks for votes for {n1 n2 n3}. n1 and n2 vote: two of five.");
    want(&mut director, 1, [1, 2, 3]);
    let close = among(&[1, 2]);
    director.deliver(|from, to, _| close(from, to));
    director.lose_the_rest();
    tell_votes(&mut director);

    director.say("n3 begins round 1: n3, n4 and n5 promise, and none of them has voted. Round 0 is dead: it cannot get a third vote. So n3 may ask for what it wants, {n3 n4 n5}; it votes itself, and is cut off.");
    want(&mut director, 3, [3, 4, 5]);
    let close = among(&[3, 4, 5]);
    director.deliver(|from, to, body| {
        close(from, to) && !matches!(body, palco_rambo::Body::Accept { .. })
    });
    director.lose_the_rest();
    tell_votes(&mut director);

    director.say("n2 wants {n2 n3 n4}. Its first ballot, 1.n2, is below the 1.n3 that n3 has promised: refused. It waits a moment, by lot, and begins round 2.");
    let last = want(&mut director, 2, [2, 3, 4]);
    let close = among(&[1, 2, 3]);
    director.deliver(|from, to, _| close(from, to));
    director.wait(2, Duration::from_millis(50));
    director.say("n1, n2 and n3 promise, and tell that they voted in round 0 and in round 1. Nobody can know whether round 1 was decided, so n2 must ask for what that asked for.");
    director.deliver(|from, to, _| close(from, to));
    let decided = director.node(2).map().map(|map| map.top().clone());
    director.deliver(|_, _, _| true);
    tell_votes(&mut director);

    let expected: Vec<NodeId> = [3, 4, 5].map(n).to_vec();
    let holds = decided.as_ref().is_some_and(|top| top.index() == 1 && top.nodes().eq(expected))
        && matches!(director.answer(last), Some(Outcome::Superseded(_)));
    match director.answer(last) {
        Some(Outcome::Superseded(other)) => {
            director.say(format!("{other} is decided, and n2 is told that its own wish was not."))
        }
        other => director.say(format!("n2 was told {other:?}.")),
    }
    director.end(holds)
}

/// Who has voted for what by now.
fn tell_votes(director: &mut Director) {
    let votes: Vec<_> = (1..=5)
        .filter_map(|node| {
            let (_, accepted) = director.node(node).promised(1);
            accepted
                .map(|(ballot, configuration)| format!("n{node} for {configuration} in {ballot}"))
        })
        .collect();
    director.say(if votes.is_empty() {
        "No votes are left to tell.".to_owned()
    } else {
        format!("Votes: {}.", votes.join(", "))
    });
}
