//! Crates that are pure reach no async runtime and no operating system, not even through another crate.

use std::collections::{BTreeMap, VecDeque};

use crate::{graph::Graph, tree::Finding};

const PURE: &[&str] = &["palco-core", "palco-rambo", "palco-sim", "palco-service"];

/// Packages that wait, listen or ask the kernel. Everything whose name begins with `actix` counts too.
const IMPURE: &[&str] = &["tokio", "mio", "nix", "rustix", "socket2", "polling", "async-io"];

/// The shortest way from each pure crate to each impure package, through normal dependencies.
pub(crate) fn check(graph: &Graph) -> Vec<Finding> {
    let pure = graph.crates.iter().filter(|krate| PURE.contains(&krate.name.as_str()));
    pure.flat_map(|krate| {
        impure_ways(graph, &krate.name).into_iter().map(|way| {
            let declared =
                krate.dependencies.iter().find(|d| way[1].split(' ').next() == Some(&d.name));
            let line = declared.map_or(1, |dependency| dependency.line);
            let advice =
                format!("{}: a pure crate must not reach it, cut the way", way.join(" -> "));
            Finding::new(krate.manifest(), line, advice)
        })
    })
    .collect()
}

fn impure_ways(graph: &Graph, start: &str) -> Vec<Vec<String>> {
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    let mut ways = Vec::new();
    while let Some(package) = queue.pop_front() {
        if is_impure(package) {
            let mut way = vec![package.to_owned()];
            let mut at = package;
            while let Some(&before) = came_from.get(at) {
                way.insert(0, before.to_owned());
                at = before;
            }
            ways.push(way);
            continue;
        }
        for next in graph.links.get(package).into_iter().flatten() {
            if next != start && !came_from.contains_key(next.as_str()) {
                came_from.insert(next, package);
                queue.push_back(next);
            }
        }
    }
    ways
}

fn is_impure(package: &str) -> bool {
    let name = package.split(' ').next().unwrap_or(package);
    name.starts_with("actix") || IMPURE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::example::{graph, krate},
        tree::assert_objects,
    };

    fn linked(links: &[(&str, &[&str])]) -> Graph {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let crates = [krate("runtime/core", &["serde", "helper"]), krate("runtime/sys", &["mio"])];
        let links = links.iter().map(|(from, to)| ((*from).to_owned(), owned(to))).collect();
        Graph { links, ..graph(crates) }
    }

    #[test]
    fn an_impure_crate_may_reach_the_system() {
        let links: &[(&str, &[&str])] =
            &[("palco-core", &["serde 1.0.0"]), ("palco-sys", &["mio 1.0.0"])];
        assert_objects(&check(&linked(links)), &[]);
    }

    #[test]
    fn objects_to_a_system_behind_other_crates() {
        let graph = linked(&[
            ("palco-core", &["serde 1.0.0", "helper 2.0.0"]),
            ("helper 2.0.0", &["deeper 0.1.0", "palco-core"]),
            ("deeper 0.1.0", &["tokio 1.0.0"]),
        ]);
        let findings = check(&graph);
        assert_objects(&findings, &[2]);
        let way = "palco-core -> helper 2.0.0 -> deeper 0.1.0 -> tokio 1.0.0";
        assert!(findings[0].to_string().contains(way), "{}", findings[0]);
    }

    #[test]
    fn objects_to_everything_of_actix() {
        let graph =
            linked(&[("palco-core", &["serde 1.0.0"]), ("serde 1.0.0", &["actix-rt 2.0.0"])]);
        assert_objects(&check(&graph), &[1]);
    }
}
