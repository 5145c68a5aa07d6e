//! Wishes in words.

use palco_core::Time;
use palco_rambo::ConfigurationMap;

use super::*;

fn view(names: &[(&str, u64)], members: &[u64]) -> ClusterView {
    let top = Configuration::majority(4, members.iter().copied().map(NodeId)).unwrap();
    let node = |(name, number): &(&str, u64)| NodeView {
        name: (*name).to_owned(),
        node: NodeId(*number),
        peer: None,
        addresses: Vec::new(),
        resp: None,
        http: None,
        is_connected: true,
        standings: vec![Standing {
            shard: 0,
            node: NodeId(*number),
            boot: 1,
            map: Some(ConfigurationMap::of(top.clone())),
            registers: 0,
            operations: 0,
            driving: None,
            at: Time::START,
        }],
    };
    ClusterView { nodes: names.iter().map(node).collect() }
}

fn four() -> ClusterView {
    view(&[("a", 1), ("b", 2), ("c", 3), ("d", 4)], &[1, 2, 3])
}

fn nodes(members: &[Member]) -> Vec<u64> {
    members.iter().map(|member| member.node.0).collect()
}

#[test]
fn members_are_named_weighed_and_replaced() {
    let wish = Wish { members: vec!["b".into(), "n3".into(), "d:2".into()], ..Wish::default() };
    let (members, quorums) = wish.resolve(&four()).unwrap();
    assert_eq!(nodes(&members), [2, 3, 4]);
    assert_eq!(members[2].weight, 2);
    assert_eq!(quorums, Quorums::Majority);

    let wish = Wish { replace: vec!["a=d".parse().unwrap()], ..Wish::default() };
    assert_eq!(nodes(&wish.resolve(&four()).unwrap().0), [4, 2, 3]);
    assert_eq!(four().newest_indices(), [4]);
}

#[test]
fn what_cannot_be_meant_is_said() {
    let failing = |wish: Wish| wish.resolve(&four()).unwrap_err().to_string();
    let members = |said: &str| Wish { members: vec![said.to_owned()], ..Wish::default() };
    assert_eq!(failing(members("x")), "there is no node `x`; nodes are: a, b, c, d");
    assert!(failing(members("a:0")).contains("weight"));
    let replace = vec!["d=a".parse().unwrap()];
    assert!(failing(Wish { replace, ..Wish::default() }).contains("`d` is no member"));
    let grid = Some("grid:2x3".parse().unwrap());
    assert_eq!(
        failing(Wish { quorum: grid, ..Wish::default() }),
        "a grid of 2x3 is for 6 nodes, and 3 are wanted"
    );
    let twins = view(&[("a", 1), ("a", 2)], &[1]);
    assert!(matches!(members("a").resolve(&twins), Err(WishError::Several(_))));
    assert_eq!(members("a").resolve(&ClusterView::default()), Err(WishError::NoConfiguration));
}

#[test]
fn who_came_back_as_somebody_else_takes_its_own_place() {
    let mut view = view(&[("a", 1), ("b", 2), ("c", 3), ("c", 4)], &[1, 2, 3]);
    view.nodes[2].is_connected = false;
    let wish = Wish { replace: vec!["c=c".parse().unwrap()], ..Wish::default() };
    assert_eq!(nodes(&wish.resolve(&view).unwrap().0), [1, 2, 4]);
    let members = ["a", "b", "c"].map(str::to_owned).to_vec();
    let wish = Wish { members, ..Wish::default() };
    assert_eq!(nodes(&wish.resolve(&view).unwrap().0), [1, 2, 4]);
}

#[test]
fn nobody_takes_its_own_place_before_its_new_self_is_known() {
    let mut view = view(&[("a", 1), ("b", 2), ("c", 3)], &[1, 2, 3]);
    view.nodes[2].is_connected = false;
    let wish = Wish { replace: vec!["c=c".parse().unwrap()], ..Wish::default() };
    assert_eq!(wish.resolve(&view), Err(WishError::Itself("c".to_owned())));
}

#[test]
fn kinds_of_quorums_are_read() {
    for (text, kind) in [
        ("majority", QuorumWish::Majority),
        ("thresholds:1,3", QuorumWish::Thresholds(1, 3)),
        ("weighted:2,5", QuorumWish::Weighted(2, 5)),
        ("grid:2x3", QuorumWish::Grid(2, 3)),
    ] {
        assert_eq!(text.parse(), Ok(kind));
    }
    for text in ["", "grid", "grid:2,3", "thresholds:1", "weighted:-1,2", "half"] {
        assert!(text.parse::<QuorumWish>().unwrap_err().contains("grid:ROWSxCOLUMNS"), "{text}");
    }
    assert!("a=".parse::<Replacement>().is_err());
}
