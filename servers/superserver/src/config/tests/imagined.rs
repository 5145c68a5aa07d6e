//! A world that is the same on every machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::config::{ProgramFile, World};
use crate::spec::Account;

/// Root's machine with IPv6, some services, accounts and programs.
pub(super) struct Imagined {
    pub(super) files: BTreeMap<PathBuf, String>,
    pub(super) identity: (u32, u32),
    pub(super) has_ipv6: bool,
}

impl Default for Imagined {
    fn default() -> Self {
        Self { files: BTreeMap::new(), identity: (0, 0), has_ipv6: true }
    }
}

impl Imagined {
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).into(), (*text).to_owned())).collect();
        Self { files, ..Self::default() }
    }
}

const PORTS: [(&str, u16, &str); 17] = [
    ("tcpmux", 1, "tcp"),
    ("echo", 7, "both"),
    ("discard", 9, "both"),
    ("sink", 9, "both"),
    ("daytime", 13, "both"),
    ("chargen", 19, "both"),
    ("ftp", 21, "tcp"),
    ("ssh", 22, "tcp"),
    ("telnet", 23, "tcp"),
    ("time", 37, "both"),
    ("tftp", 69, "udp"),
    ("finger", 79, "tcp"),
    ("http", 80, "tcp"),
    ("auth", 113, "tcp"),
    ("rsync", 873, "tcp"),
    ("cvspserver", 2401, "tcp"),
    ("git", 9418, "tcp"),
];

const USERS: [(&str, u32); 4] = [("root", 0), ("nobody", 65534), ("www.data", 33), ("palco", 1000)];
const GROUPS: [(&str, u32); 3] = [("root", 0), ("nogroup", 65534), ("www", 33)];

impl World for Imagined {
    fn bytes(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        let text = self.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        if text.len() > max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(text.clone().into_bytes())
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let inside = self.files.keys().filter(|path| path.parent() == Some(directory));
        let names: Vec<_> =
            inside.filter_map(|path| path.file_name().map(OsString::from)).collect();
        if names.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(names) }
    }

    fn program(&self, path: &Path) -> ProgramFile {
        match path.to_str() {
            Some("/bin" | "/usr/sbin") => ProgramFile::Directory,
            Some("/etc/passwd") => ProgramFile::NotExecutable,
            Some("/missing") => ProgramFile::Missing,
            Some(_) | None => ProgramFile::Executable,
        }
    }

    fn port(&self, name: &str, protocol: &str) -> Option<u16> {
        let is_it = |(known, _, of): &&(&str, u16, &str)| {
            *known == name && (*of == "both" || *of == protocol)
        };
        PORTS.iter().find(is_it).map(|(_, port, _)| *port)
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        match name {
            "localhost" => vec![[127, 0, 0, 1].into(), "::1".parse().unwrap()],
            "four" => vec![[10, 0, 0, 4].into()],
            _ => name.parse().into_iter().collect(),
        }
    }

    fn account(&self, name: &str, gid: Option<u32>) -> Option<Account> {
        let is_it = |(known, uid): &&(&str, u32)| *known == name || uid.to_string() == name;
        let (name, uid) = USERS.iter().find(is_it)?;
        let gid = gid.unwrap_or(*uid);
        Some(Account {
            name: (*name).to_owned(),
            user: palco_processes::User { uid: *uid, gid, groups: vec![gid, 7] },
            home: "/".into(),
            shell: "/bin/sh".into(),
        })
    }

    fn group(&self, name: &str) -> Option<u32> {
        GROUPS.iter().find(|(known, _)| *known == name).map(|(_, gid)| *gid)
    }

    fn identity(&self) -> (u32, u32) {
        self.identity
    }

    fn has_ipv6(&self) -> bool {
        self.has_ipv6
    }
}
