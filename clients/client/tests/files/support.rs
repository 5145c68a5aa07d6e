//! A file server on a directory of its own, that can be started again on the same port.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palco_actors::{PlaceKind, System};
use palco_client::{Caching, FileClient, FileOptions, FileProtocol};
use palco_files::http::{HttpCodec, HttpService};
use palco_files::sftp::{Handles, SftpCodec, SftpService};
use palco_files::{http, sftp};
use palco_models::{Listen, ModelKind, Server, ServerSettings};
use palco_threads::block_on;
use tempfile::TempDir;

/// For ever, as far as a test goes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Every way to ask for files and to believe what was read.
pub(crate) const WAYS: [(FileProtocol, Caching); 5] = [
    (FileProtocol::Http, Caching::None),
    (FileProtocol::Http, Caching::Ttl(LONG)),
    (FileProtocol::Sftp, Caching::None),
    (FileProtocol::Sftp, Caching::Ttl(LONG)),
    (FileProtocol::Sftp, Caching::Leases { wanted: Duration::ZERO }),
];

/// A server, its directory, and how to start it again.
pub(crate) struct Site {
    pub(crate) root: TempDir,
    pub(crate) address: SocketAddr,
    protocol: FileProtocol,
    handles: Handles,
    lease_term: Duration,
    system: System,
    server: Option<Server>,
}

impl Site {
    pub(crate) fn new(protocol: FileProtocol) -> Self {
        Self::with(protocol, Handles::Volatile, Duration::from_secs(10))
    }

    pub(crate) fn with(protocol: FileProtocol, handles: Handles, lease_term: Duration) -> Self {
        let mut site = Self {
            root: tempfile::tempdir().unwrap(),
            address: ([127, 0, 0, 1], 0).into(),
            protocol,
            handles,
            lease_term,
            system: System::new().unwrap(),
            server: None,
        };
        site.start();
        site
    }

    pub(crate) fn start(&mut self) {
        let settings = ServerSettings {
            listen: Listen::At(self.address),
            drain_within: Duration::from_millis(50),
            ..ServerSettings::new("files", ModelKind::PerConnection, PlaceKind::Task)
        };
        let root = self.root.path();
        let server = match self.protocol {
            FileProtocol::Http => {
                let service = HttpService::new(http::Config::read_write(root)).unwrap();
                let codec = HttpCodec::default();
                Server::start(&self.system, settings, Arc::new(service), codec)
            }
            FileProtocol::Sftp => {
                let config = sftp::Config {
                    handles: self.handles,
                    lease_term: Some(self.lease_term),
                    ..sftp::Config::read_write(root)
                };
                let service = SftpService::new(config).unwrap();
                Server::start(&self.system, settings, Arc::new(service), SftpCodec::default())
            }
        };
        let server = server.unwrap();
        self.address = server.address();
        self.server = Some(server);
    }

    /// The server ends; the directory stays.
    pub(crate) fn stop(&mut self) {
        let server = self.server.take().unwrap();
        block_on(server.drain());
        block_on(server.ended());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A file that was changed long ago, so that its version is settled.
    pub(crate) fn old_file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(1000);
        fs::File::options()
            .write(true)
            .open(self.path(name))
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }

    pub(crate) fn options(&self, caching: Caching) -> FileOptions {
        let block_bytes = 4096;
        FileOptions { caching, block_bytes, ..FileOptions::new(self.protocol) }
    }

    pub(crate) fn client(&self, caching: Caching) -> FileClient {
        FileClient::new(self.address.to_string(), self.options(caching)).unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        block_on(self.system.shutdown());
    }
}

/// Bytes of which no two blocks are the same.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at % 251) as u8).collect()
}

/// Waits until it is so.
#[track_caller]
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::yield_now();
    }
}
