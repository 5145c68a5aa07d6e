//! Programs and accounts: looked up ahead, so that a mistake is found while reading.

use std::path::{Component, Path};

use crate::spec::Account;

use super::fault::{Fault, Read, quoted};
use super::world::{ProgramFile, World};

/// Most bytes of a path.
const PATH_BYTES_MAX: usize = 4095;

/// Objects to a path that no program can be started from.
pub(super) fn check(world: &dyn World, path: &Path) -> Read<()> {
    let shown = quoted(&path.to_string_lossy());
    absolute(path)?;
    match world.program(path) {
        ProgramFile::Executable => Ok(()),
        ProgramFile::Missing => Err(Fault::new(
            format!("there is no program {shown}"),
            "install it, or correct the path",
        )),
        ProgramFile::Directory => {
            Err(Fault::new(format!("{shown} is a directory"), "name the program in it"))
        }
        ProgramFile::NotExecutable => {
            let text = format!("{shown} cannot be executed");
            Err(Fault::new(text, "make it executable, or correct the path"))
        }
    }
}

/// Objects to a path that is not absolute, or longer than the kernel takes.
pub(super) fn absolute(path: &Path) -> Read<()> {
    let shown = quoted(&path.to_string_lossy());
    if path.components().next() != Some(Component::RootDir) {
        return Err(Fault::new(format!("{shown} is no absolute path"), "begin it with `/`"));
    }
    if path.as_os_str().len() > PATH_BYTES_MAX {
        return Err(Fault::new(format!("{shown} is too long for a path"), "shorten it"));
    }
    Ok(())
}

/// Objects to a path that no socket can be bound to: Linux takes 107 bytes.
pub(super) fn socket_path(path: &Path) -> Read<()> {
    absolute(path)?;
    if path.as_os_str().len() > 107 {
        let text = format!("{} is too long for a socket", quoted(&path.to_string_lossy()));
        return Err(Fault::new(text, "paths of sockets have at most 107 bytes"));
    }
    Ok(())
}

/// The account a program runs as. `None` is who the superserver is, which is all that another than root can give.
pub(super) fn account(world: &dyn World, user: &str, group: Option<&str>) -> Read<Option<Account>> {
    let gid = group
        .map(|group| {
            world.group(group).ok_or_else(|| {
                let text = format!("there is no group {}", quoted(group));
                Fault::new(text, "name one of /etc/group, or add it with groupadd")
            })
        })
        .transpose()?;
    let account = world.account(user, gid).ok_or_else(|| {
        let text = format!("there is no user {}", quoted(user));
        Fault::new(text, "name one of /etc/passwd, or add it with useradd")
    })?;
    let (uid, own_gid) = world.identity();
    if uid == 0 {
        return Ok(Some(account));
    }
    if account.user.uid != uid || gid.is_some_and(|gid| gid != own_gid) {
        let text = format!(
            "only root can start a program as {}{}, and this superserver runs as user {uid}",
            quoted(user),
            group.map(|group| format!(" and group {}", quoted(group))).unwrap_or_default(),
        );
        return Err(Fault::new(text, "run the superserver as root, or name that user"));
    }
    Ok(None)
}

/// `user`, `user:group` or `user.group`. A user whose name has a dot is a user.
pub(super) fn user_and_group<'w>(world: &dyn World, word: &'w str) -> (&'w str, Option<&'w str>) {
    if let Some((user, group)) = word.split_once(':') {
        return (user, Some(group));
    }
    match word.split_once('.') {
        Some((user, group)) if world.account(word, None).is_none() => (user, Some(group)),
        Some(_) | None => (word, None),
    }
}
