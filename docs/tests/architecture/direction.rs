//! A room uses only rooms to its left, and inside a room a crate uses only the crates before it.

use cargo_metadata::DependencyKind;

use crate::{
    graph::{Crate, Graph},
    tree::Finding,
};

/// The rooms and their crates in dependency order. A room without a list holds crates that do not use each other.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "runtime",
        &[
            "core",
            "sys",
            "threads",
            "fibers",
            "processes",
            "urgent",
            "transport",
            "actors",
            "rambo",
            "sim",
            "observe",
        ],
    ),
    ("servers", &["service", "files", "models", "superserver", "replica"]),
    ("clients", &["client", "measure", "load", "verify", "dashboard", "cli"]),
    ("examples", &[]),
    ("docs", &[]),
];

/// Crates that must not see all that stands to their left. The simulator judges rambo, so it may name it.
const ONLY: &[(&str, &[&str])] = &[
    ("palco-core", &[]),
    ("palco-rambo", &["palco-core"]),
    ("palco-sim", &["palco-core", "palco-rambo"]),
    ("palco-service", &["palco-core"]),
];

/// What points right, stands nowhere, or is called by another name.
pub(crate) fn check(graph: &Graph) -> Vec<Finding> {
    graph.crates.iter().flat_map(|krate| check_crate(krate, graph)).collect()
}

fn check_crate(krate: &Crate, graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut object = |line, advice| findings.push(Finding::new(krate.manifest(), line, advice));
    let folder = krate.folder.rsplit('/').next().unwrap_or_default();
    if krate.name != format!("palco-{folder}") {
        object(1, format!("`{}` is in folder `{folder}`: call it `palco-{folder}`", krate.name));
    }
    let Some(own) = rank(&krate.folder) else {
        object(1, "no place in the order: enter it in ROOMS of docs/tests/architecture".to_owned());
        return findings;
    };
    let only = ONLY.iter().find(|(name, _)| *name == krate.name).map(|(_, only)| *only);
    for dependency in krate.dependencies.iter().filter(|dependency| dependency.name != krate.name) {
        let Some(used) = graph.crates.iter().find(|other| other.name == dependency.name) else {
            continue;
        };
        let (name, line) = (&used.name, dependency.line);
        if rank(&used.folder).is_none_or(|rank| rank >= own) {
            object(line, format!("`{name}` stands to the right: move what is needed to the left"));
        } else if dependency.kind != DependencyKind::Development
            && only.is_some_and(|only| !only.contains(&name.as_str()))
        {
            object(line, format!("this crate uses no other than {only:?}, so not `{name}`"));
        }
    }
    findings
}

/// The place in the order, room first.
fn rank(folder: &str) -> Option<(usize, usize)> {
    let (room, krate) = folder.split_once('/').unwrap_or((folder, ""));
    let room = ROOMS.iter().position(|(name, _)| *name == room)?;
    match ROOMS[room].1 {
        [] => Some((room, 0)),
        crates => Some((room, crates.iter().position(|name| *name == krate)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::example::{graph, krate, of_kind},
        tree::assert_objects,
    };

    #[test]
    fn left_is_allowed() {
        let graph = graph([
            krate("runtime/core", &["serde"]),
            krate("runtime/rambo", &["palco-core"]),
            krate("runtime/sim", &["palco-core", "palco-rambo"]),
            krate("servers/models", &["palco-core"]),
            krate("docs", &["palco-models", "palco-docs"]),
        ]);
        assert_objects(&check(&graph), &[]);
    }

    #[test]
    fn objects_to_a_room_on_the_right() {
        let wrong = krate("runtime/actors", &["serde", "palco-models"]);
        assert_objects(&check(&graph([wrong, krate("servers/models", &[])])), &[2]);
    }

    #[test]
    fn objects_to_a_crate_on_the_right_in_the_same_room() {
        let wrong = krate("runtime/threads", &["palco-actors"]);
        assert_objects(&check(&graph([wrong, krate("runtime/actors", &[])])), &[1]);
    }

    #[test]
    fn objects_to_build_and_dev_dependencies_on_the_right() {
        for kind in [DependencyKind::Build, DependencyKind::Development] {
            let wrong = of_kind(krate("servers/service", &["palco-models"]), kind);
            assert_objects(&check(&graph([wrong, krate("servers/models", &[])])), &[1]);
        }
    }

    #[test]
    fn objects_when_a_narrow_crate_uses_more_than_its_list() {
        let wrong = || krate("runtime/rambo", &["palco-core", "palco-actors"]);
        let others = || [krate("runtime/core", &[]), krate("runtime/actors", &[])];
        let crates: Vec<Crate> = others().into_iter().chain([wrong()]).collect();
        assert_objects(&check(&graph(crates)), &[2]);
        let dev = of_kind(wrong(), DependencyKind::Development);
        let crates: Vec<Crate> = others().into_iter().chain([dev]).collect();
        assert_objects(&check(&graph(crates)), &[]);
    }

    #[test]
    fn objects_to_a_crate_without_a_place_or_with_a_foreign_name() {
        let misnamed = Crate { name: "core".to_owned(), ..krate("runtime/core", &[]) };
        assert_objects(&check(&graph([krate("runtime/attic", &[]), misnamed])), &[1, 1]);
    }
}
