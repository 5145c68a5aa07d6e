//! A name says what is inside; some names fit everything and therefore say nothing.

use crate::tree::{File, Finding};

const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "manager", "misc", "util", "utils"];

/// No folder and no file with a name that fits everything; `foo.rs` beside `foo/` instead of `mod.rs`.
pub(crate) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in file.path.split('/') {
        let stem = part.split('.').next().unwrap_or(part);
        if EMPTY_NAMES.contains(&stem) {
            let advice = format!("`{stem}` fits everything: name it after what it holds");
            findings.push(Finding::new(&file.path, 1, advice));
        }
    }
    if file.path.ends_with("/mod.rs") {
        findings.push(Finding::new(
            &file.path,
            1,
            "name it after its folder, and put it beside the folder",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::assert_objects;

    fn check_path(path: &str) -> Vec<Finding> {
        check(&File::new(path, ""))
    }

    #[test]
    fn objects_to_names_that_fit_everything() {
        assert_objects(&check_path("runtime/core/src/utils.rs"), &[1]);
        assert_objects(&check_path("runtime/actors/tests/common/probe.rs"), &[1]);
        assert_objects(&check_path("clients/dashboard/page/helpers.test.js"), &[1]);
        assert_objects(&check_path("runtime/core/src/commonality.rs"), &[]);
    }

    #[test]
    fn objects_to_module_files_without_a_name() {
        assert_objects(&check_path("runtime/core/src/ids/mod.rs"), &[1]);
        assert_objects(&check_path("runtime/core/src/ids.rs"), &[]);
    }
}
