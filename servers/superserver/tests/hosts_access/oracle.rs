//! `tcpdmatch` of Debian's package tcpd: it says what libwrap would decide.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use palco_superserver::access::{Caller, Hosts, Judgement, Name, Names, Rules};

/// `tcpdmatch`, and where its libraries are if it is not installed.
pub(crate) struct Oracle {
    program: PathBuf,
    libraries: OsString,
}

/// What `tcpdmatch` says of one address of the client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Prediction {
    client_name: Option<String>,
    client: Option<IpAddr>,
    server_name: Option<String>,
    server: Option<IpAddr>,
    pub(crate) access: String,
}

impl Oracle {
    pub(crate) fn find() -> Self {
        let unpacked = env::var_os("PALCO_DAEMONS").map(PathBuf::from);
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = env::split_paths(&path)
            .chain([PathBuf::from("/usr/sbin")])
            .chain(unpacked.iter().map(|root| root.join("usr/sbin")));
        let mut programs = directories.map(|directory| directory.join("tcpdmatch"));
        let program = programs.find(|program| program.is_file()).expect(
            "there is no tcpdmatch in PATH or $PALCO_DAEMONS/usr/sbin: install Debian's package `tcpd`, or unpack it and \
             `libwrap0` (apt-get download, dpkg -x) below a directory and name that in PALCO_DAEMONS",
        );
        let libraries =
            unpacked.iter().flat_map(|root| ["usr/lib", "lib"].map(|lib| root.join(lib)));
        let libraries = libraries
            .filter_map(|directory| fs::read_dir(directory).ok())
            .flatten()
            .map(|entry| entry.expect("a directory of libraries").path());
        Self { program, libraries: env::join_paths(libraries).expect("paths without colons") }
    }

    /// Asks about the files of a directory.
    pub(crate) fn predict(&self, directory: &Path, daemon: &str, client: &str) -> Vec<Prediction> {
        let output = Command::new(&self.program)
            .args(["-d", "-i", "/dev/null", daemon, client])
            .current_dir(directory)
            .env("LD_LIBRARY_PATH", &self.libraries)
            .output()
            .expect("tcpdmatch runs");
        let (text, errors) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let mut predictions = vec![Prediction::default()];
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let last = predictions.last_mut().expect("one is begun");
            match words[..] {
                ["client:", "hostname", name] => last.client_name = Some(name.into()),
                ["client:", "address", address] => {
                    last.client = Some(address.parse().expect("an address"))
                }
                ["server:", "hostname", name] => last.server_name = Some(name.into()),
                ["server:", "address", address] => {
                    last.server = Some(address.parse().expect("an address"))
                }
                ["access:", access] => {
                    last.access = access.into();
                    predictions.push(Prediction::default());
                }
                _ => {}
            }
        }
        assert_eq!(predictions.pop(), Some(Prediction::default()), "{text}{errors}");
        assert!(!predictions.is_empty(), "{:?}: {text}{errors}", output.status);
        predictions
    }
}

impl Prediction {
    /// What is judged here of the same.
    pub(crate) fn judge(&self, directory: &Path, daemon: &str) -> (String, Judgement) {
        let hosts = Hosts {
            daemon: daemon.into(),
            allow: directory.join("hosts.allow"),
            deny: directory.join("hosts.deny"),
        };
        let socket = |address: Option<IpAddr>| address.map(|address| SocketAddr::new(address, 0));
        let caller = Caller { peer: socket(self.client), local: socket(self.server) };
        let known =
            [(self.client, self.client_name.clone()), (self.server, self.server_name.clone())];
        let names = Names::looked_up_by(move |address| {
            let mut known = known.iter().filter(|(of, _)| *of == Some(address));
            known.find_map(|(_, name)| name.clone()).map_or(Name::Unknown, Name::Known)
        });
        let rules = Rules { hosts: Some(hosts), ..Rules::default() };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let judgement = runtime.block_on(rules.judge(&caller, &names));
        let (word, extras) = match &judgement {
            Judgement::Granted(extras) => ("granted", extras),
            Judgement::Refused { extras, .. } => ("denied", extras),
        };
        let word = if extras.twist.is_some() { "delegated" } else { word };
        (word.to_owned(), judgement)
    }
}
