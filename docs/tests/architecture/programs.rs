//! The command line is the only program: one composition root, one `--help`.

use crate::{graph::Graph, tree::Finding};

/// Binary targets outside `clients/cli`. Examples and benches are other kinds of target.
pub(crate) fn check(graph: &Graph) -> Vec<Finding> {
    let others = graph.crates.iter().filter(|krate| krate.folder != "clients/cli");
    others
        .flat_map(|krate| {
            krate.programs.iter().map(|program| {
                let advice =
                    format!("`{program}` is a binary: make it an example, or a command of palco");
                Finding::new(krate.manifest(), 1, advice)
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{
            Crate,
            example::{graph, krate},
        },
        tree::assert_objects,
    };

    #[test]
    fn objects_to_a_second_program() {
        let with = |folder| Crate { programs: vec!["run".to_owned()], ..krate(folder, &[]) };
        assert_objects(&check(&graph([with("clients/cli")])), &[]);
        assert_objects(&check(&graph([with("clients/cli"), with("clients/load")])), &[1]);
    }
}
