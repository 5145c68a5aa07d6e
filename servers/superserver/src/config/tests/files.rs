//! Files of this machine.

use std::error::Error;
use std::fs::write;

use crate::config::{FILE_BYTES_MAX, ReadError, read};

use super::*;

#[test]
fn a_file_is_read_with_what_it_includes() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    write(path("x.conf"), "service http\n{\n}\ninclude y\n").unwrap();
    write(path("y"), "service nosuch\n{\n disable = yes\n}\n").unwrap();
    let plan = read(&path("x.conf"), &Options::default()).unwrap();
    assert_eq!(plan.files, [path("x.conf"), path("y")]);
    assert!(plan.remarks.iter().all(|remark| remark.origin.file == path("x.conf")));
}

#[test]
fn what_is_no_text_of_a_bearable_size_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let failed = |path: &Path| read(path, &Options::default()).unwrap_err();
    write(path("elf"), b"\x7fELF\x02\x01\x01\0\0\0").unwrap();
    assert!(matches!(failed(&path("elf")), ReadError::NoText { .. }));
    write(path("junk"), [0; 100]).unwrap();
    assert!(matches!(failed(&path("junk")), ReadError::NoText { .. }));
    write(path("large"), vec![b'\n'; FILE_BYTES_MAX + 1]).unwrap();
    let error = failed(&path("large"));
    assert!(
        error.to_string().contains("large")
            && error.source().unwrap().to_string().contains("67108864")
    );
    assert!(matches!(failed(&path("missing")), ReadError::File { .. }));
    assert!(matches!(failed(directory.path()), ReadError::File { .. }));
}

#[test]
fn an_empty_file_serves_nothing_and_says_nothing() {
    for dialect in Dialect::ALL {
        let plan = plan(dialect, "");
        assert!(plan.services.is_empty() && plan.remarks.is_empty(), "{dialect}: {plan:?}");
    }
}
