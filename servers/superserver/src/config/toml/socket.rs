//! What is set on the sockets of a service.

use toml::Spanned;

use crate::config::fault::{Fault, Read, quoted};
use crate::config::program::user_and_group;
use crate::config::reading::Reading;
use crate::config::units::umask;
use crate::spec::Listening;

use super::model::Socket;
use super::service::{At, at};
use super::value::bytes;

pub(super) fn listening(reading: &Reading<'_>, socket: &Socket) -> At<Listening> {
    let buffer = |size: &Option<Spanned<_>>| -> At<Option<usize>> {
        let size = size.as_ref().map(|size| {
            at(size, |size| {
                // The kernel takes an int.
                let bytes =
                    i32::try_from(bytes(size)?).ok().and_then(|bytes| usize::try_from(bytes).ok());
                bytes.ok_or_else(|| Fault::new("a buffer has at most 2 GiB", "write less"))
            })
        });
        size.transpose()
    };
    Ok(Listening {
        backlog: socket.backlog,
        send_buffer: buffer(&socket.send_buffer)?,
        receive_buffer: buffer(&socket.receive_buffer)?,
        keepalive: socket.keepalive.unwrap_or(false),
        nodelay: socket.nodelay.unwrap_or(false),
        reuse_port: socket.reuse_port.unwrap_or(false),
        device: socket
            .device
            .as_ref()
            .map(|device| at(device, |device| device_name(device)))
            .transpose()?,
        mode: socket.mode.as_ref().map(|mode| at(mode, |mode| umask(mode))).transpose()?,
        owner: socket
            .owner
            .as_ref()
            .map(|owner| at(owner, |owner| owner_ids(reading, owner)))
            .transpose()?,
    })
}

/// Linux takes 15 bytes.
fn device_name(name: &str) -> Read<String> {
    let is_name = !name.is_empty()
        && name.len() < 16
        && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
    if is_name {
        Ok(name.to_owned())
    } else {
        Err(Fault::new(format!("{} is no device", quoted(name)), "write it as \"eth0\""))
    }
}

fn owner_ids(reading: &Reading<'_>, word: &str) -> Read<(u32, u32)> {
    let (user, group) = user_and_group(reading.world, word);
    let gid = group.map(|group| {
        reading.world.group(group).ok_or_else(|| {
            Fault::new(format!("there is no group {}", quoted(group)), "name one of /etc/group")
        })
    });
    let gid = gid.transpose()?;
    let account = reading.world.account(user, gid).ok_or_else(|| {
        Fault::new(format!("there is no user {}", quoted(user)), "name one of /etc/passwd")
    })?;
    Ok((account.user.uid, account.user.gid))
}
