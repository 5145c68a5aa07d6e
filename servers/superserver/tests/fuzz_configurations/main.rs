//! Fuzzing: any bytes are read in any dialect without a panic, and every plan keeps its promises.
//!
//! `cargo test` plays the corpus and some thousand mutations of chance. With coverage, for as long as it is let:
//! `cargo bolero test -p palco-superserver fuzz_configurations --sanitizer NONE` (cargo-bolero, nightly).

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use palco_superserver::config::{ProgramFile, World};
use palco_superserver::{Account, Dialect, Options, Plan, Run, explain, read_text};

fn main() {
    bolero::check!().with_iterations(20_000).for_each(|input: &[u8]| {
        // The first byte chooses the language, so that the corpus of each stays with it.
        let (chosen, text) = input.split_first().map_or((0, input), |(first, text)| (*first, text));
        let dialect = Dialect::ALL.get(usize::from(chosen.wrapping_sub(b'0'))).copied();
        let options = Options { dialect, libwrap: chosen % 2 == 1, ..Options::default() };
        let plan = read_text(text, Path::new("/etc/a.conf"), &options, &Anything);
        assert_is_sound(&plan);
    });
}

/// What holds for every plan.
fn assert_is_sound(plan: &Plan) {
    let mut ids = HashSet::new();
    for service in &plan.services {
        assert!(ids.insert(&service.id), "{} is not unique", service.id);
        assert_eq!(service.endpoints.is_empty(), service.mux.is_some());
        assert!(service.limits.instances.max > 0);
        assert!(
            service.limits.rate.is_none_or(|rate| rate.max.count > 0 && !rate.max.per.is_zero())
        );
        match &service.run {
            Run::Program(program) => assert!(program.path.is_absolute()),
            Run::Builtin(_) => {}
        }
        assert_eq!(explain(service).id, service.id);
    }
    for remark in &plan.remarks {
        assert!(!remark.text.is_empty() && remark.to_string().len() < 4096, "{remark:?}");
    }
}

/// A world where everything is found that begins as it should, and a file that includes itself.
struct Anything;

impl World for Anything {
    fn bytes(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/etc/b") => Ok(b".include b\ninclude /etc/b\nincludedir /etc\n".to_vec()),
            Some("/etc/c") => Ok(b"80 stream tcp nowait root /x\nservice http\n{\n}\n".to_vec()),
            Some(_) | None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn names(&self, _: &Path) -> io::Result<Vec<OsString>> {
        Ok(vec!["b".into(), "c".into(), "d~".into()])
    }

    fn program(&self, _: &Path) -> ProgramFile {
        ProgramFile::Executable
    }

    fn port(&self, name: &str, _: &str) -> Option<u16> {
        [("echo", 7), ("time", 37), ("http", 80), ("tcpmux", 1)]
            .into_iter()
            .find_map(|(known, port)| (known == name).then_some(port))
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        if name == "localhost" { vec![[127, 0, 0, 1].into()] } else { Vec::new() }
    }

    fn account(&self, name: &str, gid: Option<u32>) -> Option<Account> {
        name.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| Account {
            name: name.to_owned(),
            user: palco_processes::User { uid: 1, gid: gid.unwrap_or(1), groups: Vec::new() },
            home: "/".into(),
            shell: "/bin/sh".into(),
        })
    }

    fn group(&self, name: &str) -> Option<u32> {
        name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some(2)
    }

    fn identity(&self) -> (u32, u32) {
        (0, 0)
    }

    fn has_ipv6(&self) -> bool {
        true
    }
}
