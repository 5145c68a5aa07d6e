//! Many files at once: while one answer is on its way, others are asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{FileClient, FileError};

/// The most threads of one fetch: 256.
pub const PARALLEL_MAX: usize = 256;

impl FileClient {
    /// Reads many files, by so many threads with a connection each; with 1 one after the other. They are cached as this
    /// client's options say, but not by this client. What they do is counted with what this client does.
    ///
    /// The results are in the order of the paths.
    ///
    /// # Errors
    /// [`FileError::Request`] if `parallel` is not from 1 to [`PARALLEL_MAX`], or the system has no thread.
    pub fn fetch_all<P: AsRef<str> + Sync>(
        &self,
        paths: &[P],
        parallel: usize,
    ) -> Result<Vec<Result<Vec<u8>, FileError>>, FileError> {
        if !(1..=PARALLEL_MAX).contains(&parallel) {
            return Err(FileError::Request("from 1 to 256 files are fetched at once"));
        }
        let next = AtomicUsize::new(0);
        let results: Vec<_> = paths.iter().map(|_| Mutex::new(None)).collect();
        let fetch = || {
            let mut client = None;
            while let Some((path, result)) = {
                let place = next.fetch_add(1, Ordering::Relaxed);
                paths.get(place).zip(results.get(place))
            } {
                *result.lock() = Some(self.fetch_one(&mut client, path.as_ref()));
            }
        };
        std::thread::scope(|scope| {
            for number in 0..parallel.min(paths.len()) {
                let thread = std::thread::Builder::new().name(format!("palco-fetch-{number}"));
                let no_thread = |_| FileError::Request("the system has no thread for a fetch");
                thread.spawn_scoped(scope, fetch).map_err(no_thread)?;
            }
            Ok(())
        })?;
        let result =
            |result: Mutex<Option<_>>| result.into_inner().expect("every path was fetched");
        Ok(results.into_iter().map(result).collect())
    }

    fn fetch_one(&self, client: &mut Option<Self>, path: &str) -> Result<Vec<u8>, FileError> {
        let client = match client {
            Some(client) => client,
            none => {
                let counting = Arc::clone(&self.shared.counting);
                none.insert(Self::counted(self.address.clone(), self.options.clone(), counting)?)
            }
        };
        client.read(path)
    }
}
