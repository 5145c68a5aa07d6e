//! Who holds a port: from /proc, as `ss -ltnp` finds it.

use std::path::Path;
use std::{fs, iter, process};

/// State `LISTEN` in /proc/net/tcp.
const LISTEN: &str = "0A";

/// The process that listens on a TCP port of this network namespace, as `name (pid 17)`.
///
/// `None` when nobody does, or when the holder belongs to somebody else and the caller may not look.
#[must_use]
pub fn holder_of_port(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .collect();
    if inodes.is_empty() {
        return None;
    }
    // First this one: what it is about to start holds its sockets too, until it is another program.
    let own = Path::new("/proc").join(process::id().to_string());
    let others = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
    iter::once(own).chain(others).find_map(|process| holds(&process, &inodes))
}

/// The socket inodes that listen on `port`, from the text of /proc/net/tcp (proc(5)): fields are slot, local
/// address:port in hexadecimal, remote, state, …, the tenth is the inode.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let line = |line: &str| -> Option<String> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.rsplit(':').next()?;
        let same = u16::from_str_radix(local, 16) == Ok(port) && *fields.get(3)? == LISTEN;
        same.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]")))?
    };
    table.lines().skip(1).filter_map(line).collect()
}

fn holds(process: &Path, inodes: &[String]) -> Option<String> {
    let pid: u32 = process.file_name()?.to_str()?.parse().ok()?;
    let open = fs::read_dir(process.join("fd")).ok()?.flatten();
    let mut links = open.filter_map(|fd| fs::read_link(fd.path()).ok());
    links.find(|link| inodes.iter().any(|inode| link.as_os_str() == inode.as_str()))?;
    let name = fs::read_to_string(process.join("comm")).unwrap_or_else(|_| "?".into());
    Some(format!("{} (pid {pid})", name.trim_end()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_holder_of_a_port_of_ours_is_this_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = holder_of_port(listener.local_addr().unwrap().port()).unwrap();
        assert!(holder.ends_with(&format!("(pid {})", process::id())), "{holder}");
    }

    #[test]
    fn only_listening_sockets_on_that_port_count_and_odd_lines_do_no_harm() {
        let table = "  sl  local_address rem_address   st\n\
             0: 0100007F:1B59 00000000:0000 0A 0:0 0:0 0 0 0 4711 1\n\
             1: 0100007F:1B59 0100007F:9999 01 0:0 0:0 0 0 0 4712 1\n\
             2: garbage\n";
        assert_eq!(listening_inodes(table, 7001), ["socket:[4711]"]);
    }
}
