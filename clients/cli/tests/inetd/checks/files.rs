//! Daemons that carry files: tftp (one `wait` instance for many datagrams), rsync, FTP.

use anyhow::{Result, ensure};

use super::{Check, Group};
use crate::world::{append, expect, noise, run, run_with, runs, until, write};

const LENGTH: usize = 300_000;

pub(super) const GROUPS: &[Group] = &[
    Group {
        lines: &["tftp dgram udp wait root /usr/sbin/in.tftpd in.tftpd -s -t 1 /srv/tftp"],
        prepare: || write("/srv/tftp/big", noise(LENGTH)),
        checks: &[
            Check { promise: "tftp gets a file, and gets it again", ask: tftp },
            Check { promise: "tftp is served again after its instance has left", ask: tftp_anew },
        ],
    },
    Group {
        lines: &["rsync stream tcp nowait root /usr/bin/rsync rsync --daemon"],
        prepare: || {
            write("/srv/rsync/big", noise(LENGTH))?;
            write("/etc/rsyncd.conf", "[module]\npath = /srv/rsync\nuse chroot = no\n")
        },
        checks: &[Check { promise: "rsync fetches a file of a module", ask: rsync }],
    },
    Group {
        lines: &["ftp stream tcp nowait root /usr/sbin/vsftpd vsftpd /etc/vsftpd.acceptance"],
        prepare: prepare_ftp,
        checks: &[
            Check { promise: "curl fetches a file by FTP", ask: ftp_by_curl },
            Check { promise: "ftp logs in and lists a directory", ask: ftp_by_ftp },
        ],
    },
];

fn is_as_sent(copy: &str) -> Result<()> {
    let bytes = std::fs::read(copy)?;
    std::fs::remove_file(copy)?;
    ensure!(bytes == noise(LENGTH), "the copy differs: {} bytes", bytes.len());
    Ok(())
}

fn tftp() -> Result<()> {
    for _ in 0..2 {
        run("tftp", &["-m", "binary", "127.0.0.1", "-c", "get", "big", "tftp.copy"])?;
        is_as_sent("/tmp/tftp.copy")?;
    }
    Ok(())
}

fn tftp_anew() -> Result<()> {
    tftp()?;
    until("in.tftpd leaves when it is idle", || Ok(!runs("in.tftpd")?))?;
    tftp()
}

fn rsync() -> Result<()> {
    let modules = run("rsync", &["rsync://127.0.0.1/"])?;
    expect(&modules, "module")?;
    run("rsync", &["rsync://127.0.0.1/module/big", "rsync.copy"])?;
    is_as_sent("/tmp/rsync.copy")
}

fn prepare_ftp() -> Result<()> {
    append("/etc/passwd", "ftp:x:1821:65534::/srv/ftp:/usr/sbin/nologin")?;
    write("/srv/ftp/big", noise(LENGTH))?;
    std::fs::create_dir_all("/run/vsftpd/empty")?;
    write(
        "/etc/vsftpd.acceptance",
        "listen=NO\nlisten_ipv6=NO\nanonymous_enable=YES\nanon_root=/srv/ftp\nftp_username=ftp\n\
         connect_from_port_20=NO\nseccomp_sandbox=NO\nsecure_chroot_dir=/run/vsftpd/empty\n",
    )
}

fn ftp_by_curl() -> Result<()> {
    run("curl", &["-sSf", "-o", "ftp.copy", "ftp://127.0.0.1/big"])?;
    is_as_sent("/tmp/ftp.copy")
}

fn ftp_by_ftp() -> Result<()> {
    let script = "user anonymous visitor@example.org\nls\nbye\n";
    let said = run_with("inetutils-ftp", &["-nv", "127.0.0.1"], script)?;
    for wanted in ["230 Login successful", "big", "226 Directory send OK", "221 Goodbye"] {
        expect(&said, wanted)?;
    }
    Ok(())
}
