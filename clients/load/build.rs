//! Notes down what the library was built with: compiler, optimisation, versions of the peers.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Packages whose versions a report must name.
const NAMED: &[&str] = &["actix", "actix-rt", "crossbeam", "kameo", "ractor", "tokio"];

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    println!("cargo::rustc-env=PALCO_LOAD_RUSTC={}", version.unwrap_or_default());
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=PALCO_LOAD_OPT_LEVEL={level}");
    let manifest = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let lock = Path::new(&manifest).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    println!("cargo::rerun-if-changed=build.rs");
    let lock = fs::read_to_string(lock).unwrap_or_default();
    println!("cargo::rustc-env=PALCO_LOAD_VERSIONS={}", versions(&lock).join(", "));
}

/// The versions of the named packages, in the order of the lock file.
fn versions(lock: &str) -> Vec<String> {
    let packages = lock.split("[[package]]").filter_map(|package| {
        let field = |name: &str| {
            let start = package.find(&format!("\n{name} = \""))? + name.len() + 5;
            package[start..].split('"').next()
        };
        Some((field("name")?, field("version")?))
    });
    packages
        .filter(|(name, _)| NAMED.contains(name))
        .map(|(name, version)| format!("{name} {version}"))
        .collect()
}
