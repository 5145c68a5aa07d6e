//! The superservers: what each is called, how it is told what to serve, and how it is started so that no limit of its own
//! acts.

use std::env;
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use palco_processes::Launch;

use super::Settings;
use super::programs::Program;
use crate::actors::Refusal;
use crate::daemon;

/// Starts in a minute, where there must be a number.
const RATE: &str = "1000000";

/// Connections that may wait, where that can be said; `somaxconn` of recent kernels.
const BACKLOG: &str = "4096";

/// The variable that names a directory with unpacked daemons.
const DAEMONS: &str = "PALCO_DAEMONS";

/// A superserver to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Palco {
        /// `None` when nobody has said which.
        program: Option<PathBuf>,
        /// What it has touched on purpose.
        touched_mib: usize,
    },
    Openbsd,
    Xinetd,
    Inetutils,
    Tcpserver,
}

/// A program, and where it is to be served.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service<'a> {
    pub(super) program: &'a Program,
    pub(super) address: SocketAddr,
}

/// All superservers, palco first.
pub(super) fn all(settings: &Settings) -> Vec<Subject> {
    let palco = |touched_mib| Subject::Palco { program: settings.palco.clone(), touched_mib };
    let others = [Subject::Openbsd, Subject::Xinetd, Subject::Inetutils, Subject::Tcpserver];
    [palco(0), palco(settings.ballast_mib)].into_iter().chain(others).collect()
}

impl Subject {
    /// The others are compared with this one.
    pub(super) const BASELINE: Self = Self::Openbsd;

    pub(super) fn name(&self) -> String {
        match self {
            Self::Palco { touched_mib: 0, .. } => "palco inetd".to_owned(),
            Self::Palco { touched_mib, .. } => format!("palco inetd, {touched_mib} MiB touched"),
            Self::Openbsd => "openbsd-inetd".to_owned(),
            Self::Xinetd => "xinetd".to_owned(),
            Self::Inetutils => "inetutils-inetd".to_owned(),
            Self::Tcpserver => "tcpserver".to_owned(),
        }
    }

    /// How it was started.
    pub(super) fn setting(&self) -> &'static str {
        match self {
            Self::Palco { .. } => "observed, with a control socket, log to /dev/null",
            Self::Openbsd => "-R 1000000 -q 4096",
            Self::Xinetd => "NOLIBWRAP, log to /dev/null",
            Self::Inetutils => "-d (else it leaves the foreground) -R 1000000",
            Self::Tcpserver => "one for each port, -H -R -l 0 -c 10000 -b 4096",
        }
    }

    /// What to start, with its files in this directory.
    pub(super) fn launches(
        &self,
        services: &[Service<'_>],
        user: &str,
        directory: &Path,
    ) -> Result<Vec<Launch>, Refusal> {
        let program = self.program()?;
        let config = directory.join("config");
        if let Some(text) = self.config(services, user) {
            fs::write(&config, text).map_err(Refusal::failed)?;
        }
        let launch = || {
            let names = ["PATH", "LD_LIBRARY_PATH"].into_iter();
            let variables = names.filter_map(|name| Some((name, env::var_os(name)?)));
            let launch = Launch::new(&program).quiet_stdin();
            variables.fold(launch, |launch, (name, value)| launch.env(name, value))
        };
        let only = |launch| Ok(vec![launch]);
        match self {
            Self::Palco { touched_mib, .. } => {
                let launch = launch().arg("inetd").arg("--config").arg(config);
                let launch = launch.args(["--dialect", "openbsd", "--dashboard", "off"]);
                let launch = launch.args(["--log", "/dev/null"]).arg("--control");
                let launch = launch.arg(directory.join("control"));
                only(match touched_mib {
                    0 => launch,
                    mib => launch.arg("--touch-mib").arg(mib.to_string()),
                })
            }
            Self::Openbsd => {
                daemon::check_inetd_pid_file()?;
                only(launch().args(["-i", "-R", RATE, "-q", BACKLOG]).arg(config))
            }
            Self::Xinetd => {
                let launch = launch().args(["-dontfork", "-filelog", "/dev/null", "-f"]);
                only(launch.arg(config))
            }
            Self::Inetutils => {
                let mut pid_file = OsString::from("--pidfile=");
                pid_file.push(directory.join("pid"));
                only(launch().args(["-d", "-R", RATE]).arg(pid_file).arg(config))
            }
            Self::Tcpserver => {
                let one = |service: &Service<'_>| {
                    let launch = launch().args(["-q", "-H", "-R", "-l", "0", "-c", "10000", "-b"]);
                    let launch = launch.arg(BACKLOG).arg(service.address.ip().to_string());
                    launch.arg(service.address.port().to_string()).arg(service.program.path())
                };
                Ok(services.iter().map(one).collect())
            }
        }
    }

    /// The text of its file, if it has one.
    fn config(&self, services: &[Service<'_>], user: &str) -> Option<String> {
        let lines = |protocol: &str| {
            services.iter().fold(String::new(), |mut text, Service { program, address }| {
                let (path, arg0) = (program.path().display(), program.arg0);
                let _ = writeln!(text, "{address} stream {protocol} nowait {user} {path} {arg0}");
                text
            })
        };
        match self {
            Self::Palco { .. } | Self::Openbsd => Some(lines("tcp4")),
            Self::Inetutils => Some(lines("tcp")),
            Self::Xinetd => {
                let mut text = String::from(
                    "defaults\n{\n instances = UNLIMITED\n per_source = UNLIMITED\n cps = 1000000 1\n}\n",
                );
                for Service { program, address } in services {
                    let (ip, port, path) = (address.ip(), address.port(), program.path().display());
                    let _ = write!(
                        text,
                        "service palco-bench-{port}\n{{\n type = UNLISTED\n socket_type = stream\n protocol = tcp\n \
                         bind = {ip}\n port = {port}\n flags = NOLIBWRAP\n wait = no\n user = {user}\n \
                         server = {path}\n}}\n"
                    );
                }
                Some(text)
            }
            Self::Tcpserver => None,
        }
    }

    fn program(&self) -> Result<PathBuf, Refusal> {
        let name = match self {
            Self::Palco { program, .. } => {
                let unknown = "only the program `palco` can start it: palco bench spawn";
                return program.clone().ok_or_else(|| Refusal::Absent(unknown.to_owned()));
            }
            Self::Openbsd => "inetd",
            Self::Xinetd => "xinetd",
            Self::Inetutils => "inetutils-inetd",
            Self::Tcpserver => "tcpserver",
        };
        let variable = |name| env::var_os(name).unwrap_or_default();
        let found = find(name, &search_path(variable("PATH"), variable(DAEMONS)));
        found.ok_or_else(|| {
            Refusal::Absent(format!("`{name}` is neither in PATH, /usr/sbin nor below ${DAEMONS}"))
        })
    }
}

/// What was unpacked on purpose comes first.
fn search_path(path: OsString, daemons: OsString) -> Vec<PathBuf> {
    let daemons = Some(PathBuf::from(daemons)).filter(|root| root.is_absolute());
    // Unpacked by hand, or by the script of the tests, which has a directory `root`.
    let roots = daemons.into_iter().flat_map(|root| [root.join("root"), root]);
    let unpacked = roots.flat_map(|root| [root.join("usr/sbin"), root.join("usr/bin")]);
    let installed = env::split_paths(&path).filter(|directory| directory.is_absolute());
    unpacked.chain(installed).chain([PathBuf::from("/usr/sbin")]).collect()
}

fn find(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let mut paths = directories.iter().map(|directory| directory.join(name));
    paths.find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::programs;
    use super::*;

    fn configured(subject: &Subject) -> Option<String> {
        let (programs, _) = programs::all();
        let program = &programs[0];
        let service = |port| Service { program, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        subject.config(&[service(7001), service(7002)], "visitor")
    }

    #[test]
    fn every_service_has_its_address_its_user_and_its_program() {
        let lines = configured(&Subject::Openbsd).unwrap();
        let first = "127.0.0.1:7001 stream tcp4 nowait visitor /bin/true true";
        assert_eq!(lines.lines().collect::<Vec<_>>(), [first, &first.replace("7001", "7002")]);
        assert!(configured(&Subject::Inetutils).unwrap().contains("7002 stream tcp nowait"));
        let sections = configured(&Subject::Xinetd).unwrap();
        for wanted in ["port = 7001", "port = 7002", "user = visitor", "server = /bin/true"] {
            assert!(sections.contains(wanted), "{sections}");
        }
        assert_eq!(sections.matches('{').count(), 3);
        assert_eq!(configured(&Subject::Tcpserver), None);
    }

    #[test]
    fn what_was_unpacked_is_found_before_what_is_installed() {
        let daemons = tempfile::tempdir().unwrap();
        let sbin = daemons.path().join("root/usr/sbin");
        fs::create_dir_all(&sbin).unwrap();
        let directories = search_path("/bin:relative".into(), daemons.path().into());
        assert!(directories.iter().all(|directory| directory.is_absolute()));
        assert_eq!(find("true", &directories), Some("/bin/true".into()));
        fs::write(sbin.join("true"), "").unwrap();
        assert_eq!(find("true", &directories), Some(sbin.join("true")));
        assert_eq!(find("no-such-superserver", &directories), None);
    }

    #[test]
    fn who_is_absent_is_so_by_name() {
        let nowhere = Subject::Palco { program: None, touched_mib: 0 };
        let refusal = nowhere.launches(&[], "visitor", Path::new("/")).unwrap_err();
        assert!(refusal.to_string().starts_with("absent: "), "{refusal}");
    }

    #[test]
    fn names_are_different() {
        let names: BTreeSet<_> = all(&Settings::default()).iter().map(Subject::name).collect();
        assert_eq!(names.len(), 6);
        assert!(names.contains(&Subject::BASELINE.name()));
    }
}
