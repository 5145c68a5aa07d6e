//! The stateful service: files over SFTP version 3.

pub mod wire;
