//! A file that is added to the page is only found by a crate that is compiled again.

fn main() {
    println!("cargo::rerun-if-changed=assets");
}
