//! `palco files`: what belongs to clients of served files.

use std::net::SocketAddr;
use std::time::Duration;

#[derive(clap::Subcommand, Debug)]
pub(crate) enum Files {
    /// Show the commands by which this machine's clients reach files that are served
    ///
    /// For each: the command as it is to be typed, and whether its program is here, or which Debian package has it.
    ///
    /// Examples:
    ///   palco files mount-hints
    ///   palco files mount-hints --http 127.0.0.1:7010 --sftp 127.0.0.1:7022 --json
    #[command(verbatim_doc_comment)]
    MountHints(MountHints),
    /// Stand between an SFTP client and its server, and keep the client's connection while the server is away
    ///
    /// sshfs gives up what it has open when its connection ends, even if the server knows its handles again
    /// (--handles journalled). Mounted through the proxy it waits instead: the proxy connects to the server again and sends
    /// again what has no answer yet. An append is never sent twice; its client is told that nobody knows.
    ///
    /// Examples:
    ///   palco serve files --protocol sftp --handles journalled --root DIR --listen 127.0.0.1:7022
    ///   palco files proxy --to 127.0.0.1:7022 --listen 127.0.0.1:7023
    ///   sshfs -o directport=7023 127.0.0.1:/ /mnt
    #[command(verbatim_doc_comment)]
    Proxy(FilesProxy),
}

#[derive(clap::Args, Debug)]
pub(crate) struct MountHints {
    /// Where files are served over HTTP
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7010")]
    pub(crate) http: SocketAddr,
    /// Where files are served over SFTP
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7022")]
    pub(crate) sftp: SocketAddr,
    /// Where they are mounted
    #[arg(long, value_name = "DIR", default_value = "/mnt")]
    pub(crate) at: String,
}

#[derive(clap::Args, Debug)]
pub(crate) struct FilesProxy {
    /// The server, as host:port
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// Where clients connect; only this machine's, for the proxy does not know who they are either
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// How long the server may be away before clients are told
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    pub(crate) patience: Duration,
}
