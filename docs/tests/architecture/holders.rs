//! A framework is a detail of one place: actix of placement `task`, actix-web of the HTTP front ends, corosensei of
//! the fibers.

use cargo_metadata::DependencyKind;

use crate::{
    graph::{Crate, Dependency, Graph},
    scanner,
    tree::{File, Finding},
};

/// A framework and where it may be used.
struct Holding {
    crates: &'static [&'static str],
    /// May name it as an optional or dev-dependency, as a peer to measure against.
    measured_by: &'static [&'static str],
}

const EVENT_LOOP: Holding =
    Holding { crates: &["palco-actors"], measured_by: &["palco-load", "palco-measure"] };
const WEB: Holding = Holding { crates: &["palco-dashboard", "palco-replica"], measured_by: &[] };
const STACKS: Holding = Holding { crates: &["palco-fibers"], measured_by: &[] };

/// Where source may name actix: the placement, the test that both get along, and the peer it is measured against.
const ACTIX_SOURCES: &[&str] = &[
    "runtime/actors/src/placement/task",
    "runtime/actors/tests/actix_interop.rs",
    "clients/load/",
    "clients/measure/",
];

fn holding(package: &str) -> Option<Holding> {
    match package {
        "actix" | "actix-rt" | "actix-macros" | "actix_derive" => Some(EVENT_LOOP),
        "corosensei" => Some(STACKS),
        other => other.starts_with("actix").then_some(WEB),
    }
}

/// Direct dependencies on a framework outside its holders.
pub(crate) fn check_dependencies(graph: &Graph) -> Vec<Finding> {
    let declared =
        graph.crates.iter().flat_map(|krate| krate.dependencies.iter().map(move |d| (krate, d)));
    let wrong = declared.filter(|(krate, dependency)| {
        holding(&dependency.name).is_some_and(|holding| !holding.admits(krate, dependency))
    });
    wrong
        .map(|(krate, dependency)| {
            let advice =
                format!("`{}` has its place in another crate: ask that crate", dependency.name);
            Finding::new(krate.manifest(), dependency.line, advice)
        })
        .collect()
}

impl Holding {
    fn admits(&self, krate: &Crate, dependency: &Dependency) -> bool {
        let measures = dependency.optional || dependency.kind == DependencyKind::Development;
        let name = krate.name.as_str();
        self.crates.contains(&name) || (measures && self.measured_by.contains(&name))
    }
}

/// Source that names actix outside the placement that stands on it.
pub(crate) fn check_source(file: &File) -> Vec<Finding> {
    if !file.is_rust() || ACTIX_SOURCES.iter().any(|place| file.path.starts_with(place)) {
        return Vec::new();
    }
    let code = scanner::split(&file.text).code;
    let paths =
        scanner::words(&code, "actix").filter(|at| code[at + "actix".len()..].starts_with("::"));
    let mut lines: Vec<usize> = paths
        .chain(scanner::words(&code, "actix_rt"))
        .map(|at| scanner::line_at(&code, at))
        .collect();
    lines.sort_unstable();
    let advice = "actix stays below runtime/actors/src/placement/task: go through the placement";
    lines.into_iter().map(|line| Finding::new(&file.path, line, advice)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::example::{graph, krate, of_kind},
        tree::assert_objects,
    };

    #[test]
    fn holders_may_use_their_framework() {
        let graph = graph([
            krate("runtime/actors", &["actix", "actix-rt"]),
            krate("runtime/fibers", &["corosensei"]),
            krate("clients/dashboard", &["actix-web", "actix-files"]),
            of_kind(krate("clients/load", &["actix", "actix-rt"]), DependencyKind::Development),
        ]);
        assert_objects(&check_dependencies(&graph), &[]);
    }

    #[test]
    fn objects_to_a_framework_elsewhere() {
        let graph = graph([
            krate("runtime/transport", &["serde", "actix-rt"]),
            krate("runtime/threads", &["corosensei"]),
            krate("runtime/actors", &["actix", "actix-web"]),
            krate("clients/load", &["actix"]),
            krate("clients/cli", &["serde", "anyhow", "actix-http"]),
        ]);
        assert_objects(&check_dependencies(&graph), &[2, 1, 2, 1, 3]);
    }

    #[test]
    fn objects_to_actix_in_source_outside_the_placement() {
        let text =
            "//! Not actix::Addr.\nuse actix::Addr;\nuse actix_rt as rt;\nuse actix_web::web;\n";
        let lines = |path: &str| check_source(&File::new(path, text));
        assert_objects(&lines("runtime/actors/src/mailbox.rs"), &[2, 3]);
        assert_objects(&lines("runtime/actors/src/placement/task/context.rs"), &[]);
        assert_objects(&lines("runtime/actors/src/placement/task.rs"), &[]);
        assert_objects(&lines("runtime/actors/tests/actix_interop.rs"), &[]);
        assert_objects(&lines("runtime/actors/tests/wakeups.rs"), &[2, 3]);
        assert_objects(&lines("docs/NOTES.md"), &[]);
    }
}
