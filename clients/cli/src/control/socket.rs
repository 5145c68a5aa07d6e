//! The socket's file: one stage per path. A lock beside it tells a live stage from a stale file, and dies with its
//! holder, whatever ended that.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::unistd::Uid;

/// A path of one's own to listen on.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    path: PathBuf,
    listener: UnixListener,
    /// Held for as long as the stage lives.
    lock: File,
}

impl ControlSocket {
    /// Takes `path` (by default one per user) unless a live stage has it; a stale socket is replaced.
    pub(crate) fn claim(path: Option<PathBuf>) -> Result<Self> {
        let path = match path {
            Some(path) => path,
            None => default_path()?,
        };
        let lock_path = beside(&path, "lock");
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .with_context(|| format!("cannot open {}", lock_path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(&lock_path).unwrap_or_default();
                bail!(
                    "a stage is running already (pid {}) with control socket {}; \
                     give this one another with --control PATH",
                    pid.trim(),
                    path.display()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", lock_path.display()));
            }
        }
        lock.set_len(0)?;
        writeln!(lock, "{}", std::process::id())?;
        let listener = listen(&path)?;
        Ok(Self { path, listener, lock })
    }

    /// A path of this process's own, if a live stage has the default one; `None` if that is free.
    pub(crate) fn spare() -> Option<PathBuf> {
        let path = default_path().ok()?;
        let lock = File::open(beside(&path, "lock")).ok()?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => Some(path.with_file_name(spare_name())),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn listener(&self) -> std::io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

/// Listens on `path`, which appears only once its mode is right.
fn listen(path: &Path) -> Result<UnixListener> {
    match fs::symlink_metadata(path) {
        Ok(found) => {
            use std::os::unix::fs::FileTypeExt;
            ensure!(
                found.file_type().is_socket(),
                "{} exists and is no socket; it is left alone",
                path.display()
            );
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    }
    let fresh = beside(path, "new");
    let _ = fs::remove_file(&fresh);
    let listener = UnixListener::bind(&fresh)
        .with_context(|| format!("cannot listen on {}", path.display()))?;
    fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
    fs::rename(&fresh, path).with_context(|| format!("cannot put {} in place", path.display()))?;
    Ok(listener)
}

/// Removes the socket at the end. The lock file stays, for it belongs to whoever locks it, unless nobody else can want
/// this path.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    if path.file_name().is_some_and(|name| *name == *spare_name()) {
        let _ = fs::remove_file(beside(path, "lock"));
    }
}

/// The name of the socket of a process beside the stage that has the default one.
fn spare_name() -> String {
    format!("palco-{}.sock", std::process::id())
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        remove(&self.path);
        // Not only closed: a program that is being started has a copy of the descriptor until it begins.
        let _unlocked = self.lock.unlock();
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// `$XDG_RUNTIME_DIR/palco.sock`, or `control.sock` in a directory of one's own below the temporary directory.
pub(crate) fn default_path() -> Result<PathBuf> {
    if let Some(directory) = std::env::var_os("XDG_RUNTIME_DIR") {
        return Ok(Path::new(&directory).join("palco.sock"));
    }
    let uid = Uid::effective();
    let directory = std::env::temp_dir().join(format!("palco-{uid}"));
    match fs::DirBuilder::new().mode(0o700).create(&directory) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(&directory)?;
            let private =
                found.is_dir() && found.uid() == uid.as_raw() && found.mode() & 0o077 == 0;
            ensure!(
                private,
                "{} is not a private directory of yours; choose a path with --control PATH",
                directory.display()
            );
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot make {}", directory.display()));
        }
    }
    Ok(directory.join("control.sock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_live_socket_is_not_stolen_and_a_stale_one_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("control.sock");
        let first = ControlSocket::claim(Some(path.clone())).unwrap();
        let refused = ControlSocket::claim(Some(path.clone())).unwrap_err().to_string();
        assert!(refused.contains(&format!("pid {}", std::process::id())), "{refused}");
        drop(first);
        drop(UnixListener::bind(&path).unwrap()); // as after a crash: the file is still there
        let second = ControlSocket::claim(Some(path.clone())).unwrap();
        assert_eq!(fs::metadata(second.path()).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        fs::write(&path, "mine").unwrap();
        assert!(ControlSocket::claim(Some(path.clone())).is_err());
        assert_eq!(fs::read_to_string(path).unwrap(), "mine");
    }
}
