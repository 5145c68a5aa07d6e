//! Reports are found again, and nothing in the directory does harm.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const GOOD: &str = r#"{"command":"palco bench switch","environment":{"date":"2026-03-01 12:00"},"grade":"B","rows":[]}"#;

fn own() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("palco/reports");
    (parent, directory)
}

fn topics(directory: &Path) -> Vec<String> {
    kept(directory).into_iter().map(|kept| kept.topic).collect()
}

#[test]
fn the_directory_is_that_of_the_users_state_or_one_of_their_own() {
    let at = |state: Option<&str>, home: Option<&str>| {
        place(state.map(Into::into), home.map(Into::into), Path::new("/tmp"))
    };
    assert_eq!(at(Some("/s"), Some("/h")), Path::new("/s/palco/reports"));
    for nothing in [None, Some(""), Some("relative")] {
        assert_eq!(at(nothing, Some("/h")), Path::new("/h/.local/state/palco/reports"));
        let own = format!("/tmp/palco-reports-{}", Uid::effective());
        assert_eq!(at(nothing, nothing), Path::new(&own));
    }
}

#[test]
fn what_is_kept_is_listed_and_its_page_is_read() {
    let (_parent, directory) = own();
    assert_eq!(kept(&directory), []);
    let html = keep(&directory, "switch", GOOD, "<p>one").unwrap();
    assert_eq!(html, directory.join("switch.html"));
    let listed = Kept {
        topic: "switch".into(),
        date: "2026-03-01 12:00".into(),
        grade: Grade::B,
        command: "palco bench switch".into(),
        html,
    };
    assert_eq!(kept(&directory), [listed]);
    assert_eq!(page(&directory, "switch").unwrap(), b"<p>one");
    assert_eq!(page(&directory, "ring").unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn the_next_report_takes_the_place_of_the_last_and_leaves_nothing_beside_it() {
    let (_parent, directory) = own();
    keep(&directory, "switch", GOOD, "<p>one").unwrap();
    keep(&directory, "switch", &GOOD.replace("\"B\"", "\"A\""), "<p>two").unwrap();
    keep(&directory, "memory", GOOD, "<p>three").unwrap();
    assert_eq!(page(&directory, "switch").unwrap(), b"<p>two");
    let listed = kept(&directory);
    let grades = listed.iter().map(|kept| (kept.topic.as_str(), kept.grade));
    assert_eq!(grades.collect::<Vec<_>>(), [("memory", Grade::B), ("switch", Grade::A)]);
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 4);
}

#[test]
fn only_the_owner_may_look_into_the_directories_that_are_made() {
    let (parent, directory) = own();
    let html = keep(&directory, "switch", GOOD, "").unwrap();
    for made in [&parent.path().join("palco"), &directory] {
        assert_eq!(fs::metadata(made).unwrap().mode() & 0o777, 0o700, "{}", made.display());
    }
    assert_eq!(fs::metadata(html).unwrap().mode() & 0o077, 0);
}

#[test]
fn a_directory_that_others_may_write_to_is_not_used() {
    let (parent, directory) = own();
    keep(&directory, "switch", GOOD, "").unwrap();
    let link = parent.path().join("link");
    symlink(&directory, &link).unwrap();
    let refused = |path: &Path| {
        assert_eq!(kept(path), []);
        let errors = [keep(path, "switch", GOOD, "").err(), page(path, "switch").err()];
        for error in errors {
            let error = error.unwrap();
            assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
            assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
        }
    };
    refused(&link);
    fs::set_permissions(&directory, Permissions::from_mode(0o777)).unwrap();
    refused(&directory);
}

#[test]
fn names_that_are_no_topics_are_refused() {
    let (_parent, directory) = own();
    let long = "a".repeat(TOPIC_BYTES_MAX + 1);
    for topic in ["", ".", "..", "../x", "a/b", "/etc/passwd", "Switch", "a.b", "a b", "é", &long]
    {
        let refused = keep(&directory, topic, GOOD, "").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{topic}");
        let refused = page(&directory, topic).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput, "{topic}");
    }
    assert!(!directory.exists());
}

#[test]
fn what_is_broken_is_left_out_and_the_rest_is_listed() {
    let (_parent, directory) = own();
    for topic in ["good", "array", "empty", "grade", "linked", "long", "pageless", "utf"] {
        keep(&directory, topic, GOOD, "<p>").unwrap();
    }
    let data = |topic: &str| directory.join(format!("{topic}.json"));
    fs::write(data("array"), "[1, 2]").unwrap();
    fs::write(data("empty"), "").unwrap();
    fs::write(data("grade"), GOOD.replace("\"B\"", "\"Z\"")).unwrap();
    fs::write(data("utf"), b"\xff\xfe").unwrap();
    File::options().write(true).open(data("long")).unwrap().set_len(1 << 40).unwrap();
    fs::remove_file(data("linked")).unwrap();
    symlink(data("good"), data("linked")).unwrap();
    fs::remove_file(directory.join("pageless.html")).unwrap();
    fs::create_dir(data("folder")).unwrap();
    fs::write(directory.join("Upper.json"), GOOD).unwrap();
    assert_eq!(topics(&directory), ["good"]);
}

#[test]
fn a_report_without_a_date_has_that_of_its_file() {
    let (_parent, directory) = own();
    keep(&directory, "switch", r#"{"grade":"C","environment":{"facts":[]}}"#, "").unwrap();
    let listed = kept(&directory);
    let written = fs::metadata(directory.join("switch.json")).unwrap().modified().unwrap();
    assert_eq!((listed[0].date.as_str(), listed[0].grade), (&*stamp(written), Grade::C));
}

#[test]
fn a_file_of_any_year_does_no_harm() {
    let (_parent, directory) = own();
    keep(&directory, "switch", r#"{"grade":"C"}"#, "").unwrap();
    let (epoch, second) = (SystemTime::UNIX_EPOCH, Duration::from_secs(1));
    let data = File::options().write(true).open(directory.join("switch.json")).unwrap();
    data.set_modified(epoch - second).unwrap();
    assert_eq!(kept(&directory)[0].date, "");
    let year_10000 = epoch + Duration::from_secs(YEAR_10000_S);
    assert_eq!(stamp(epoch), "1970-01-01T00:00:00Z");
    assert_eq!(stamp(year_10000 - second), "9999-12-31T23:59:59Z");
    assert_eq!(stamp(year_10000), "");
}

#[test]
fn long_files_and_long_words_are_bounded() {
    let (_parent, directory) = own();
    let long = "x".repeat(FILE_BYTES_MAX + 1);
    for (json, html) in [(GOOD, &*long), (&*long, "")] {
        let refused = keep(&directory, "switch", json, html).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
    }
    keep(&directory, "switch", &GOOD.replace("palco", &"é".repeat(5000)), "").unwrap();
    assert_eq!(kept(&directory)[0].command.chars().count(), WORDS_CHARS_MAX);
}

#[test]
fn at_most_so_many_are_listed_and_broken_ones_take_nobodys_place() {
    let (_parent, directory) = own();
    let name = |number: u8| {
        format!("t-{}{}", char::from(b'a' + number / 26), char::from(b'a' + number % 26))
    };
    for number in 0..40 {
        let json = if number < 3 { "broken" } else { GOOD };
        keep(&directory, &name(number), json, "").unwrap();
    }
    let expected: Vec<_> = (3..35).map(name).collect();
    assert_eq!(topics(&directory), expected);
    assert_eq!(expected.len(), TOPICS_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_in_a_report_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..512), text in ".{0,64}") {
        let (_parent, directory) = own();
        keep(&directory, "good", GOOD, "").unwrap();
        keep(&directory, "odd", &GOOD.replace("palco", &text), "").unwrap();
        keep(&directory, "raw", "", "").unwrap();
        fs::write(directory.join("raw.json"), &bytes).unwrap();
        prop_assert!(topics(&directory).contains(&"good".to_owned()));
    }

    #[test]
    fn no_topic_leads_out_of_the_directory(topic in "[a-z./-]{0,40}") {
        let (_parent, directory) = own();
        if let Ok(path) = keep(&directory, &topic, GOOD, "") {
            prop_assert_eq!(path.parent(), Some(directory.as_path()));
            prop_assert_eq!(topics(&directory), [topic]);
        }
    }
}
