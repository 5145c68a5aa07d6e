//! One append, as it is written down.

use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

use crate::http::target::encode;

/// Where the bytes of one append go, and what makes it recognizable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::http) struct Record {
    /// Of the key; `None` for an append without one.
    pub(in crate::http) digest: Option<Box<str>>,
    /// Of the path and the content.
    pub(in crate::http) fingerprint: Box<str>,
    /// Names percent-encoded, with slashes between them.
    path: String,
    pub(in crate::http) offset: u64,
    pub(in crate::http) length: u64,
    device: u64,
    inode: u64,
}

impl Record {
    /// An append of `length` bytes to the file at `path`, which is as `metadata` says.
    pub(in crate::http) fn new(
        digest: Option<&str>,
        fingerprint: &str,
        path: &Path,
        metadata: &Metadata,
        length: u64,
    ) -> Self {
        let names: Vec<String> = path.iter().map(|name| encode(name.as_bytes())).collect();
        Self {
            digest: digest.map(Into::into),
            fingerprint: fingerprint.into(),
            path: names.join("/"),
            offset: metadata.len(),
            length,
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }

    /// `None` if it is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers and strings are JSON")
    }

    pub(super) fn path(&self) -> PathBuf {
        let names = self.path.split('/').map(|name| percent_decode_str(name).collect::<Vec<u8>>());
        names.map(|name| PathBuf::from(OsStr::from_bytes(&name))).collect()
    }

    /// Whether it was meant for this file.
    pub(super) fn is_of(&self, metadata: &Metadata) -> bool {
        (self.device, self.inode) == (metadata.dev(), metadata.ino())
    }
}
