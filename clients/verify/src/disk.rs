//! A small disk for one node alone: a file system in a file.
//!
//! What a program has written is first in the kernel's memory and reaches the disk, that is the file, when the program
//! flushes it or the kernel sees fit. So a copy of the file is what a machine finds after a power cut.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;

use crate::VerifyError;
use crate::process::{found, run};

/// Its size in bytes. A node's log keeps room for itself to be compacted.
const BYTES: u64 = 96 << 20;

/// How often it is copied, at most, until two copies are the same.
const COPIES_MAX: usize = 20;

/// The file that fills it up.
const FILLER: &str = "filler";

/// A file system that is mounted at a directory; unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    image: PathBuf,
    mounted: PathBuf,
}

impl Disk {
    /// Why there can be none here.
    pub(crate) fn absence() -> Option<String> {
        if !geteuid().is_root() {
            return Some("only root can mount a disk for each node; run it as root".to_owned());
        }
        let missing =
            ["mkfs.ext4", "mount", "umount"].into_iter().find(|name| found(name).is_none());
        if let Some(name) = missing {
            return Some(format!("there is no `{name}`; apt-get install e2fsprogs mount"));
        }
        let has_loops = Path::new("/dev/loop-control").exists();
        (!has_loops).then(|| "the kernel has no loop devices here".to_owned())
    }

    /// Makes one below `directory` and mounts it at `mounted`.
    pub(crate) fn make(directory: &Path, name: &str) -> Result<Self, VerifyError> {
        let (image, mounted) = (directory.join(format!("{name}.disk")), directory.join(name));
        let failed = || VerifyError::system(format!("make a disk for {name}"));
        fs::create_dir_all(&mounted).map_err(failed())?;
        File::create(&image).and_then(|file| file.set_len(BYTES)).map_err(failed())?;
        run(&["mkfs.ext4", "-q", "-F", "-m", "0", &image.to_string_lossy()])?;
        let this = Self { image, mounted };
        this.mount()?;
        Ok(this)
    }

    /// Leaves no room, and says how many bytes that took.
    pub(crate) fn fill(&self) -> Result<u64, VerifyError> {
        let failed = || VerifyError::system(format!("fill {}", self.mounted.display()));
        let mut file = File::create(self.mounted.join(FILLER)).map_err(failed())?;
        // In ever smaller pieces, to the last byte.
        let mut piece = vec![b'f'; 1 << 20];
        let mut bytes = 0;
        while !piece.is_empty() {
            match file.write(&piece) {
                Ok(written) if written > 0 => bytes += written as u64,
                Ok(_) => piece.truncate(piece.len() / 8),
                Err(error) if error.raw_os_error() == Some(Errno::ENOSPC as i32) => {
                    piece.truncate(piece.len() / 8);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed()(error)),
            }
        }
        // What is only promised could still fail, and would leave room.
        let _ = file.sync_all();
        Ok(bytes)
    }

    /// There is room again.
    pub(crate) fn free(&self) -> Result<(), VerifyError> {
        match fs::remove_file(self.mounted.join(FILLER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(VerifyError::system(format!("free {}", self.mounted.display()))(error))
            }
            _ => Ok(()),
        }
    }

    /// As after a power cut at this moment: only what had reached the disk is there. Nobody must use it.
    pub(crate) fn cut_power(&self) -> Result<(), VerifyError> {
        let failed = || VerifyError::system(format!("copy {}", self.image.display()));
        let mut copy = fs::read(&self.image).map_err(failed())?;
        // Two copies one after the other that are the same are what the disk held at a moment between them.
        for attempt in 1.. {
            let again = fs::read(&self.image).map_err(failed())?;
            if again == copy {
                break;
            }
            if attempt == COPIES_MAX {
                let source = io::Error::other("the kernel writes to it again and again");
                return Err(failed()(source));
            }
            copy = again;
        }
        self.unmount()?;
        fs::write(&self.image, copy).map_err(failed())?;
        self.mount()
    }

    fn mount(&self) -> Result<(), VerifyError> {
        run(&[
            "mount",
            "-o",
            "loop",
            &self.image.to_string_lossy(),
            &self.mounted.to_string_lossy(),
        ])
        .map(drop)
    }

    fn unmount(&self) -> Result<(), VerifyError> {
        run(&["umount", &self.mounted.to_string_lossy()]).map(drop)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.unmount().is_err() {
            // Somebody looks into it.
            let _ = run(&["umount", "-l", &self.mounted.to_string_lossy()]);
        }
    }
}
