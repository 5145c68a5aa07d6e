//! The workspace as the laws see it: crates with what they declare, and what they reach once resolved.

use std::collections::{BTreeMap, HashMap};

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand, Package, PackageId, TargetKind};

use crate::tree::root;

/// palco runs on Linux; what other systems would add to the graph is not looked at.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Every crate of the workspace, all features on.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) crates: Vec<Crate>,
    /// Package to the packages that its normal dependencies resolve to. A member is called by its name, any other
    /// package by name and version.
    pub(crate) links: BTreeMap<String, Vec<String>>,
}

/// A member of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Crate {
    pub(crate) name: String,
    /// From the root, such as `runtime/core`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// The root files of its library, binaries and examples, such as `runtime/core/src/lib.rs`.
    pub(crate) roots: Vec<String>,
    /// The names of its binary targets.
    pub(crate) programs: Vec<String>,
}

/// A line in a manifest.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
    pub(crate) optional: bool,
    /// Where the manifest first names it, from one.
    pub(crate) line: usize,
}

impl Crate {
    /// The path of its manifest, from the root.
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// Reads the graph from cargo.
pub(crate) fn load() -> anyhow::Result<Graph> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--filter-platform".to_owned(), PLATFORM.to_owned()])
        .exec()?;
    let members: Vec<&PackageId> = metadata.workspace_members.iter().collect();
    let label = |package: &Package| match members.contains(&&package.id) {
        true => package.name.to_string(),
        false => format!("{} {}", package.name, package.version),
    };
    let labels: HashMap<&PackageId, String> =
        metadata.packages.iter().map(|package| (&package.id, label(package))).collect();
    let resolve = metadata.resolve.as_ref().context("cargo metadata resolved nothing")?;
    let links = resolve.nodes.iter().map(|node| {
        let normal = node.deps.iter().filter(|dependency| {
            dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        });
        (
            labels[&node.id].clone(),
            normal.map(|dependency| labels[&dependency.pkg].clone()).collect(),
        )
    });
    let workspace = metadata.workspace_root.as_str();
    let crates =
        metadata.workspace_packages().into_iter().map(|package| member(package, workspace));
    Ok(Graph { links: links.collect(), crates: crates.collect::<anyhow::Result<_>>()? })
}

fn member(package: &Package, workspace: &str) -> anyhow::Result<Crate> {
    let from_root = |path: &str| path.replacen(&format!("{workspace}/"), "", 1);
    let manifest = std::fs::read_to_string(&package.manifest_path)?;
    let folder = package.manifest_path.parent().context("a manifest stands in a folder")?;
    let programs = package.targets.iter().filter(|target| target.is_bin());
    let roots = package.targets.iter().filter(|target| {
        target.is_bin()
            || target.is_example()
            || target.is_proc_macro()
            || target.kind.contains(&TargetKind::Lib)
    });
    let dependencies = package.dependencies.iter().map(|dependency| Dependency {
        name: dependency.name.clone(),
        kind: dependency.kind,
        optional: dependency.optional,
        line: line_of(&manifest, &dependency.name),
    });
    Ok(Crate {
        name: package.name.to_string(),
        folder: from_root(folder.as_str()),
        dependencies: dependencies.collect(),
        roots: roots.map(|target| from_root(target.src_path.as_str())).collect(),
        programs: programs.map(|target| target.name.clone()).collect(),
    })
}

/// The line on which a manifest names a dependency; the first if it only does so as `package = "…"`.
fn line_of(manifest: &str, dependency: &str) -> usize {
    let names = |line: &str| {
        line.strip_prefix(dependency).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest.lines().position(names).map_or(1, |index| index + 1)
}

/// Small graphs for the tests in which a law must object.
#[cfg(test)]
pub(crate) mod example {
    use super::{Crate, Dependency, DependencyKind, Graph};

    /// A crate with normal dependencies, on the lines 1, 2, 3 ….
    pub(crate) fn krate(folder: &str, dependencies: &[&str]) -> Crate {
        Crate {
            name: format!("palco-{}", folder.rsplit('/').next().unwrap_or(folder)),
            folder: folder.to_owned(),
            dependencies: (1..).zip(dependencies).map(|(n, name)| dependency(name, n)).collect(),
            ..Crate::default()
        }
    }

    fn dependency(name: &str, line: usize) -> Dependency {
        Dependency { name: name.to_owned(), kind: DependencyKind::Normal, optional: false, line }
    }

    /// The same crate, all of its dependencies of one kind.
    pub(crate) fn of_kind(mut krate: Crate, kind: DependencyKind) -> Crate {
        krate.dependencies.iter_mut().for_each(|dependency| dependency.kind = kind);
        krate
    }

    /// A graph without resolved links.
    pub(crate) fn graph(crates: impl Into<Vec<Crate>>) -> Graph {
        Graph { crates: crates.into(), ..Graph::default() }
    }
}
