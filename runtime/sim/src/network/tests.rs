//! The network: what is sent arrives when it may, as often as it may, and is as large as it is said to be.

use super::*;

fn network(bandwidth: u64) -> Network {
    let scenario = Scenario { nodes: 4, bandwidth, ..Scenario::default() };
    Network::new(&scenario, 1)
}

fn arrivals(network: &mut Network, count: usize) -> Vec<Arrivals> {
    (0..count).map(|_| network.send(Time::START, 0, 1, 100)).collect()
}

#[test]
fn in_fair_weather_every_message_comes_once_within_the_delay() {
    let mut network = network(u64::MAX);
    for Arrivals { first, second } in arrivals(&mut network, 1_000) {
        let took = first.expect("it comes").since(Time::START);
        assert!((Duration::from_micros(100)..=Duration::from_millis(1)).contains(&took));
        assert_eq!(second, None);
    }
}

#[test]
fn what_is_sent_behind_a_bulk_transfer_waits_for_it_and_other_links_do_not() {
    let mut network = network(1_000_000);
    network.send(Time::START, 0, 1, 1_000_000);
    let behind = network.send(Time::START, 0, 1, 100).first.expect("it comes");
    assert!(behind >= Time::START + Duration::from_secs(1));
    let back = network.send(Time::START, 1, 0, 100).first.expect("it comes");
    assert!(back < Time::START + Duration::from_millis(2));
}

#[test]
fn rates_are_about_what_was_said_and_end_with_their_trouble() {
    let mut network = network(u64::MAX);
    let loss = network.weather.begin(Trouble::Loss(30));
    let double = network.weather.begin(Trouble::Duplicate(20));
    let all = arrivals(&mut network, 10_000);
    let lost = all.iter().filter(|arrivals| arrivals.first.is_none()).count();
    let doubled = all.iter().filter(|arrivals| arrivals.second.is_some()).count();
    assert!((2_700..3_300).contains(&lost), "{lost} lost");
    assert!((1_200..1_600).contains(&doubled), "{doubled} of 7000 doubled");
    network.weather.end(loss);
    network.weather.end(double);
    assert!(network.weather.is_fair());
}

#[test]
fn reordered_messages_are_overtaken_by_far() {
    let mut network = network(u64::MAX);
    network.weather.begin(Trouble::Reorder(10));
    let late = arrivals(&mut network, 1_000)
        .into_iter()
        .filter(|arrivals| {
            arrivals.first.expect("it comes") > Time::START + Duration::from_millis(10)
        })
        .count();
    assert!((30..150).contains(&late), "{late}");
}

#[test]
fn a_slow_machine_is_slow_both_ways() {
    let mut network = network(u64::MAX);
    network.weather.begin(Trouble::Slow(1));
    for (from, to, slow) in [(0, 1, true), (1, 2, true), (0, 2, false)] {
        let came = network.send(Time::START, from, to, 100).first.expect("it comes");
        assert_eq!(came > Time::START + Duration::from_millis(5), slow, "{from} to {to}");
    }
}
