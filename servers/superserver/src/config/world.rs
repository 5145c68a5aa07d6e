//! What reading looks up outside the text.

use std::collections::HashMap;
use std::ffi::{CString, OsString};
use std::fs::{File, metadata, read_dir};
use std::io::{self, Read as _};
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::OnceLock;

use nix::unistd::{AccessFlags, Gid, Group, Uid, User, access, getgrouplist};

use crate::spec::Account;

/// What reading looks up: names, accounts, files. The real one is [`System`]; tests give another.
pub trait World {
    /// The bytes of a file, of at most `max` bytes.
    ///
    /// # Errors
    /// As of opening and reading; [`io::ErrorKind::FileTooLarge`] beyond `max`, [`io::ErrorKind::InvalidInput`] for what is no
    /// regular file.
    fn bytes(&self, path: &Path, max: usize) -> io::Result<Vec<u8>>;

    /// The names in a directory, in any order.
    ///
    /// # Errors
    /// As of reading the directory.
    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// What is at the path of a program.
    fn program(&self, path: &Path) -> ProgramFile;

    /// The port of a service by name or alias, for `tcp` or `udp`.
    fn port(&self, name: &str, protocol: &str) -> Option<u16>;

    /// The addresses of a host or an address of its own.
    fn addresses(&self, name: &str) -> Vec<IpAddr>;

    /// An account by name or number, with this primary group or its own.
    fn account(&self, name: &str, gid: Option<u32>) -> Option<Account>;

    /// The id of a group by name or number.
    fn group(&self, name: &str) -> Option<u32>;

    /// Who the superserver is: its user and group.
    fn identity(&self) -> (u32, u32);

    /// Whether this machine has IPv6.
    fn has_ipv6(&self) -> bool;
}

/// What is at the path of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramFile {
    /// A program.
    Executable,
    /// Nothing that can be found.
    Missing,
    /// A directory.
    Directory,
    /// A file that may not be executed.
    NotExecutable,
}

/// This machine: `/etc/services`, `/etc/passwd`, `/etc/group` and what stands for them, the file system.
#[derive(Debug, Default)]
pub struct System {
    ports: OnceLock<HashMap<(String, String), u16>>,
}

impl World for System {
    fn bytes(&self, path: &Path, max: usize) -> io::Result<Vec<u8>> {
        // Looked at before it is opened: to open a pipe is to wait for who writes.
        if !metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let mut bytes = Vec::new();
        let most = u64::try_from(max).unwrap_or(u64::MAX);
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() > max {
            let text = format!("it has more than {max} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(bytes)
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
    }

    fn program(&self, path: &Path) -> ProgramFile {
        match metadata(path) {
            Err(_) => ProgramFile::Missing,
            Ok(found) if found.is_dir() => ProgramFile::Directory,
            Ok(found) if found.is_file() && access(path, AccessFlags::X_OK).is_ok() => {
                ProgramFile::Executable
            }
            Ok(_) => ProgramFile::NotExecutable,
        }
    }

    fn port(&self, name: &str, protocol: &str) -> Option<u16> {
        let ports = self.ports.get_or_init(|| {
            let bytes = self.bytes(Path::new("/etc/services"), 16 << 20).unwrap_or_default();
            services(&String::from_utf8_lossy(&bytes))
        });
        ports.get(&(name.to_owned(), protocol.to_owned())).copied()
    }

    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let mut found: Vec<IpAddr> = (name, 0)
            .to_socket_addrs()
            .map(|addresses| addresses.map(|address| address.ip()).collect())
            .unwrap_or_default();
        found.sort();
        found.dedup();
        found
    }

    fn account(&self, name: &str, gid: Option<u32>) -> Option<Account> {
        let by_name = User::from_name(name).ok().flatten();
        let by_number = || User::from_uid(Uid::from_raw(name.parse().ok()?)).ok().flatten();
        let user = by_name.or_else(by_number)?;
        let gid = gid.map_or(user.gid, Gid::from_raw);
        let groups = getgrouplist(&CString::new(user.name.as_str()).ok()?, gid).ok()?;
        Some(Account {
            name: user.name,
            user: palco_processes::User {
                uid: user.uid.as_raw(),
                gid: gid.as_raw(),
                groups: groups.into_iter().map(Gid::as_raw).collect(),
            },
            home: user.dir,
            shell: user.shell,
        })
    }

    fn group(&self, name: &str) -> Option<u32> {
        let by_name = Group::from_name(name).ok().flatten();
        let by_number = || Group::from_gid(Gid::from_raw(name.parse().ok()?)).ok().flatten();
        by_name.or_else(by_number).map(|group| group.gid.as_raw())
    }

    fn identity(&self) -> (u32, u32) {
        (Uid::effective().as_raw(), Gid::effective().as_raw())
    }

    fn has_ipv6(&self) -> bool {
        Path::new("/proc/net/if_inet6").exists()
    }
}

/// The ports of services(5), by name or alias and protocol. The first of a name wins.
fn services(text: &str) -> HashMap<(String, String), u16> {
    let mut ports = HashMap::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let (Some(name), Some(numbered)) = (words.next(), words.next()) else { continue };
        let Some((port, protocol)) = numbered.split_once('/') else { continue };
        let Ok(port) = port.parse() else { continue };
        for name in std::iter::once(name).chain(words) {
            ports.entry((name.to_owned(), protocol.to_owned())).or_insert(port);
        }
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_have_names_aliases_and_protocols() {
        let ports = services("ftp 21/tcp # x\nbad\nbad x/tcp\nhttp\t80/tcp www # y\nntp 123/udp\n");
        let port = |name: &str, protocol: &str| {
            ports.get(&(name.to_owned(), protocol.to_owned())).copied()
        };
        assert_eq!(port("ftp", "tcp"), Some(21));
        assert_eq!(port("www", "tcp"), Some(80));
        assert_eq!(port("ntp", "udp"), Some(123));
        assert_eq!(port("ntp", "tcp"), None);
    }

    #[test]
    fn this_machine_has_a_root_and_a_shell() {
        let system = System::default();
        assert_eq!(system.program(Path::new("/bin/sh")), ProgramFile::Executable);
        assert_eq!(system.program(Path::new("/bin")), ProgramFile::Directory);
        assert_eq!(system.program(Path::new("/etc/passwd")), ProgramFile::NotExecutable);
        assert_eq!(system.program(Path::new("/nowhere/at/all")), ProgramFile::Missing);
        let root = system.account("root", None).unwrap();
        assert_eq!((root.user.uid, root.user.groups.contains(&0)), (0, true));
        assert_eq!(system.account("0", None), Some(root));
        assert_eq!(system.account("nobody of this name", None), None);
        assert_eq!(system.group("root"), Some(0));
        assert_eq!(system.addresses("127.0.0.1"), [IpAddr::from([127, 0, 0, 1])]);
    }

    #[test]
    fn what_is_no_file_is_not_read_and_a_large_one_neither() {
        let system = System::default();
        let error = system.bytes(Path::new("/dev/zero"), 10).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [b'a'; 11]).unwrap();
        assert_eq!(system.bytes(file.path(), 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(system.bytes(file.path(), 11).unwrap(), [b'a'; 11]);
    }
}
