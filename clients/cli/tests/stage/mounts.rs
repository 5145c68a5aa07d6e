//! `palco serve files` as a file system: sshfs, rclone and sftp, unchanged, also when the server is killed. Behind feature
//! `real-clients`, for they must be there, and FUSE.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::support::{Stage, until};

/// More than is read ahead.
const LARGE_BYTES: usize = 1 << 20;

fn contents() -> Vec<u8> {
    (0..LARGE_BYTES).map(|at| (at.wrapping_mul(2_654_435_761) >> 7).to_le_bytes()[0]).collect()
}

fn start(root: &Path, listen: &str, options: &[&str]) -> Stage {
    let root = root.to_str().unwrap();
    Stage::run(&[&["serve", "files", "--root", root, "--listen", listen], options].concat())
}

/// A server, and the directory that it is mounted on.
struct Mounted {
    stage: Stage,
    root: TempDir,
    mount: TempDir,
    address: String,
    options: &'static [&'static str],
    _mounting: Option<std::process::Child>,
}

impl Mounted {
    /// Served over SFTP and mounted by sshfs, without its caches.
    fn by_sshfs(options: &'static [&'static str]) -> Self {
        Self::new(options, |address, mount| {
            let port = address.rsplit(':').next().unwrap();
            let port = format!("directport={port},reconnect,direct_io,dir_cache=no");
            let mut sshfs = Command::new("sshfs");
            sshfs.args(["-o", &port, "127.0.0.1:/"]).arg(mount);
            assert!(sshfs.status().unwrap().success());
            None
        })
    }

    /// Served over HTTP and mounted by rclone.
    fn by_rclone() -> Self {
        Self::new(&[], |address, mount| {
            let url = format!("http://{address}/");
            let mut rclone = Command::new("rclone");
            rclone.args(["mount", ":http:"]).arg(mount).args(["--http-url", &url, "--config", ""]);
            rclone.args(["--read-only", "--low-level-retries", "1", "--retries", "1"]);
            let child = rclone.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            until("rclone has mounted it", || mount.join("large").exists());
            Some(child)
        })
    }

    fn new(
        options: &'static [&'static str],
        mount_at: impl Fn(&str, &Path) -> Option<std::process::Child>,
    ) -> Self {
        let (root, mount) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(root.path().join("large"), contents()).unwrap();
        let stage = start(root.path(), "127.0.0.1:0", options);
        let address = stage.address("files").to_string();
        let mounting = mount_at(&address, mount.path());
        Self { stage, root, mount, address, options, _mounting: mounting }
    }

    fn mounted(&self, name: &str) -> PathBuf {
        self.mount.path().join(name)
    }

    fn kill(&mut self) {
        self.stage.kill("-KILL");
        self.stage.child.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.stage = start(self.root.path(), &self.address, self.options);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("fusermount3").arg("-uz").arg(self.mount.path()).status();
        if let Some(mounting) = &mut self._mounting {
            let _ = mounting.kill();
            let _ = mounting.wait();
        }
    }
}

fn is_right(file: &File, offset: u64) -> io::Result<bool> {
    let mut read = [0; 4096];
    file.read_exact_at(&mut read, offset)?;
    let start = usize::try_from(offset).unwrap();
    Ok(read == contents()[start..start + 4096])
}

const SFTP: &[&str] = &["--protocol", "sftp"];

#[test]
fn sshfs_reads_writes_lists_and_renames() {
    for options in [
        SFTP,
        &["--protocol", "sftp", "--place", "thread"],
        &["--protocol", "sftp", "--model", "team", "--place", "process"],
    ] {
        let mounted = Mounted::by_sshfs(options);
        assert!(fs::read(mounted.mounted("large")).unwrap() == contents(), "{options:?}");
        fs::create_dir(mounted.mounted(".d")).unwrap();
        fs::write(mounted.mounted(".d/new"), contents()).unwrap();
        let mut file = OpenOptions::new().append(true).open(mounted.mounted(".d/new")).unwrap();
        file.write_all(b"more").unwrap();
        file.sync_all().unwrap();
        drop(file);
        fs::rename(mounted.mounted(".d/new"), mounted.mounted("large")).unwrap();
        let written = fs::read(mounted.root.path().join("large")).unwrap();
        assert!(written == [&contents()[..], b"more"].concat(), "{options:?}");
        fs::remove_dir(mounted.mounted(".d")).unwrap();
        assert_eq!(fs::read_dir(mounted.mount.path()).unwrap().count(), 1);
        let outside = fs::read(mounted.mounted("../etc/hostname"));
        assert!(outside.is_err() && fs::metadata(mounted.mounted(".palco")).is_err());
    }
}

/// sshfs counts its connections, and believes no handle of an earlier one: journalled or not, the descriptor is lost.
#[test]
fn what_sshfs_has_open_is_lost_with_the_server_and_can_be_opened_again() {
    for options in [SFTP, &["--protocol", "sftp", "--handles", "journalled"]] {
        let mut mounted = Mounted::by_sshfs(options);
        let open = File::open(mounted.mounted("large")).unwrap();
        assert!(is_right(&open, 0).unwrap());
        mounted.kill();
        assert!(is_right(&open, 8192).is_err());
        mounted.start_again();
        until("sshfs has another connection", || File::open(mounted.mounted("large")).is_ok());
        let error = is_right(&open, 8192).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::errno::Errno::EIO as i32), "{options:?}");
        assert!(is_right(&File::open(mounted.mounted("large")).unwrap(), 8192).unwrap());
    }
}

#[test]
fn what_rclone_has_open_goes_on_with_the_next_server() {
    let mut mounted = Mounted::by_rclone();
    let open = File::open(mounted.mounted("large")).unwrap();
    assert!(is_right(&open, 0).unwrap());
    mounted.kill();
    assert!(is_right(&open, LARGE_BYTES as u64 - 4096).is_err(), "nobody is there");
    mounted.start_again();
    until("the same descriptor reads on", || is_right(&open, 512 << 10).is_ok_and(|right| right));
    assert!(is_right(&open, 4096).unwrap());
}

#[test]
fn sftp_speaks_to_it_without_ssh() {
    let root = tempfile::tempdir().unwrap();
    let own = tempfile::tempdir().unwrap();
    let stage = start(root.path(), "127.0.0.1:0", SFTP);
    let address = stage.address("files");
    let program = format!("nc {} {}", address.ip(), address.port());
    fs::write(own.path().join("up"), contents()).unwrap();
    let batch = "put up a\nrename a b\nmkdir d\nls\nget b down\nrm b\nrmdir d\nls ../..\n";
    let mut sftp = Command::new("sftp");
    sftp.args(["-q", "-b", "-", "-D", &program]).current_dir(own.path());
    let mut child = sftp.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(batch.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert!(fs::read(own.path().join("down")).unwrap() == contents());
    let said = String::from_utf8(output.stdout).unwrap();
    let listed = said.split("sftp> ls").nth(1).unwrap().split("sftp>").next().unwrap();
    assert_eq!(listed.split_whitespace().collect::<Vec<_>>(), ["b", "d"], "{said}");
    let left = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(left.into_iter().all(|name| name == ".palco"), "{said}");
}

/// Through the proxy the same descriptors go on, to read and to write, and nothing is lost.
#[test]
fn what_sshfs_has_open_through_the_proxy_goes_on_with_the_next_server() {
    let (root, mount) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(root.path().join("large"), contents()).unwrap();
    let options = ["--protocol", "sftp", "--handles", "journalled"];
    let mut stage = start(root.path(), "127.0.0.1:0", &options);
    let address = stage.address("files").to_string();
    let mut proxy = Proxy::to(&address);
    let mut sshfs = Command::new("sshfs");
    let through = format!("directport={},direct_io", proxy.port);
    assert!(
        sshfs.args(["-o", &through, "127.0.0.1:/"]).arg(mount.path()).status().unwrap().success()
    );
    let _unmount = Unmount(mount.path());
    let read = File::open(mount.path().join("large")).unwrap();
    let write = File::create(mount.path().join("written")).unwrap();
    assert!(is_right(&read, 0).unwrap());
    for (turn, block) in contents().chunks(64 << 10).enumerate() {
        if turn % 4 == 1 {
            stage.kill("-KILL");
            stage.child.wait().unwrap();
            stage = start(root.path(), &address, &options);
        }
        let offset = (turn * (64 << 10)) as u64;
        write.write_all_at(block, offset).unwrap();
        assert!(is_right(&read, offset).unwrap(), "{turn}");
    }
    drop(write);
    assert!(fs::read(root.path().join("written")).unwrap() == contents());
    assert!(proxy.child.try_wait().unwrap().is_none());
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("fusermount3").arg("-uz").arg(self.0).status();
    }
}

/// `palco files proxy`, until this is dropped.
struct Proxy {
    child: std::process::Child,
    port: u16,
}

impl Proxy {
    fn to(address: &str) -> Self {
        let mut palco = Command::new(env!("CARGO_BIN_EXE_palco"));
        palco.args(["files", "proxy", "--to", address, "--json"]);
        let mut child = palco.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let said = serde_json::Deserializer::from_reader(child.stdout.take().unwrap());
        let said: serde_json::Value = said.into_iter().next().unwrap().unwrap();
        let port = said["address"].as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap();
        Self { child, port }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
