//! Why what is in the cache may be believed: for a while, or as long as a lease holds.

use std::sync::Arc;
use std::time::Instant;

use palco_files::sftp::wire::Secret;

use super::counters::{many, one};
use super::leases::{Lease, Taken};
use super::shared::Belief;
use super::transport::{LeaseAnswer, Target};
use super::{Caching, FileClient, FileError, FileKind, Metadata, OpenFile, Version};

impl FileClient {
    /// What is believed for a time; asks whether it is still so if there are blocks that this would save.
    pub(super) fn believed(
        &mut self,
        path: &Arc<str>,
        file: Option<&mut OpenFile>,
    ) -> Result<Option<Belief>, FileError> {
        if self.options.caching == Caching::None {
            return Ok(None);
        }
        let belief = |metadata: &Metadata, version: Version| Belief {
            version,
            size: (metadata.kind == FileKind::File).then_some(metadata.size),
            lease: None,
        };
        if let Some(known) = self.trusted.get(path, Instant::now()) {
            return Ok(Some(belief(known, known.version.clone())));
        }
        if !self.shared.state().cache.has_settled(path) {
            return Ok(None);
        }
        let asked_at = Instant::now();
        let metadata = match file {
            Some(file) => self.on_open(file, |transport, target| transport.look(target))?,
            None => self.transport.look(Target { path, handle: None })?,
        };
        let version = self.trusted.note(path, metadata.clone(), asked_at);
        Ok(Some(belief(&metadata, version)))
    }

    pub(super) fn believed_kind(&self, path: &str) -> Option<FileKind> {
        self.trusted.get(path, Instant::now()).map(|known| known.kind)
    }

    pub(super) fn believe(&mut self, path: &Arc<str>, metadata: Metadata, asked_at: Instant) {
        if matches!(self.options.caching, Caching::Ttl(_)) {
            self.trusted.note(path, metadata, asked_at);
        }
    }

    /// What is believed of the file that a path leads to, because of a lease.
    pub(super) fn named_by_lease(&self, path: &str) -> Option<Belief> {
        let lease = self.shared.state().leases.of_path(path, Instant::now())?;
        Some(believed_by(&lease))
    }

    /// What is believed of what is open, because of the lease that it was found to have.
    fn lease_held(&self, file: &OpenFile) -> Option<Belief> {
        let lease = self.shared.state().leases.get(&file.path, Instant::now())?;
        (file.lease == Some(lease.id)).then(|| believed_by(&lease))
    }

    /// A lease that holds; asks for one if there is none.
    pub(super) fn leased(&mut self, file: &mut OpenFile) -> Result<Option<Belief>, FileError> {
        if let Some(belief) = self.lease_held(file) {
            return Ok(Some(belief));
        }
        let path = Arc::clone(&file.path);
        let Caching::Leases { wanted } = self.options.caching else { return Ok(None) };
        let asked_at = Instant::now();
        {
            let mut state = self.shared.state();
            if !state.leases.may_ask(&path, asked_at) {
                return Ok(None);
            }
            state.leases.begin_to_ask();
        }
        let answer = self.on_open(file, |transport, target| transport.lease(target, wanted))?;
        let counting = &self.shared.counting;
        let grant = match answer {
            LeaseAnswer::Granted(grant) => grant,
            LeaseAnswer::NotNow(retry) => {
                one(&counting.leases_refused);
                self.shared.state().leases.put_off(&path, asked_at + retry);
                return Ok(None);
            }
        };
        let taken = {
            let mut state = self.shared.state();
            let taken = state.leases.take(&path, grant, asked_at, file.opened_under);
            // Blocks of an earlier lease may be older than this one, or of another file.
            if taken == Taken::New {
                state.cache.forget(&path);
            }
            taken
        };
        match taken {
            Taken::Same | Taken::New => {
                file.lease = Some(grant.lease);
                many(&counting.leases_granted, usize::from(taken == Taken::New));
                // The keeper's next renewal may be due earlier now.
                self.shared.wake();
                Ok(self.lease_held(file))
            }
            Taken::Worthless => {
                one(&counting.leases_refused);
                self.shared.wake();
                Ok(None)
            }
        }
    }

    /// Nothing is believed for a time any more of what has this path: it is going to be changed.
    pub(super) fn forget(&mut self, path: &Arc<str>) {
        if self.keeper.is_none() {
            self.trusted.forget(path);
            self.shared.state().cache.forget(path);
        }
    }

    /// Names are going to be changed: no path is believed to lead to the file that it led to.
    pub(super) fn forget_names(&mut self, path: &Arc<str>) {
        self.forget(path);
        if self.keeper.is_none() {
            self.trusted.forget_below(path);
            self.shared.state().cache.forget_below(path);
        } else {
            self.shared.state().leases.forget_names();
        }
    }

    /// What is open is going to be written to. The server asks only others for their leases, so the own one is given back,
    /// by whatever path it was got: that it is on the same file, only the server can tell.
    pub(super) fn give_back_open(&mut self, file: &mut OpenFile) -> Result<(), FileError> {
        let Caching::Leases { wanted } = self.options.caching else { return Ok(()) };
        let taken = {
            let mut state = self.shared.state();
            let taken = state.leases.taken();
            if state.leases.is_empty() || file.written_after == Some(taken) {
                return Ok(());
            }
            state.leases.begin_to_ask();
            taken
        };
        match self.on_open(file, |transport, target| transport.lease(target, wanted))? {
            LeaseAnswer::Granted(grant) => self.give_back(&file.path, [grant.lease]),
            // It may be any of them.
            LeaseAnswer::NotNow(_) => {
                let all = self.shared.state().leases.ids();
                self.give_back(&file.path, all);
            }
        }
        file.written_after = Some(taken);
        Ok(())
    }

    /// The same for what is going to be written to by its path.
    pub(super) fn give_back_path(&mut self, path: &Arc<str>) -> Result<(), FileError> {
        if self.keeper.is_none() || self.shared.state().leases.is_empty() {
            return Ok(());
        }
        let mut file = match self.open(path) {
            Ok(file) => file,
            // It is going to be a new one.
            Err(FileError::NotFound { .. }) => return Ok(()),
            Err(other) => return Err(other),
        };
        let given_back = self.give_back_open(&mut file);
        self.close(file)?;
        match given_back {
            // Nothing is known of the file, so it may be any.
            Err(FileError::HandleLost { .. }) => {
                let all = self.shared.state().leases.ids();
                self.give_back(path, all);
                Ok(())
            }
            other => other,
        }
    }

    fn give_back(&mut self, path: &Arc<str>, ids: impl IntoIterator<Item = Secret>) {
        for id in ids {
            self.shared.state().give_back(id);
            // If the server cannot be asked now, the keeper does it later.
            if self.transport.release(path, id).is_ok() {
                self.shared.state().leases.given_back(id);
            }
        }
    }

    /// After anything was asked: with another connection, the server may be another too.
    pub(super) fn note_connections(&mut self) {
        let connections = self.transport.connections();
        if connections != self.connections && self.keeper.is_some() {
            self.shared.state().leases.doubt();
            self.shared.wake();
        }
        self.connections = connections;
    }
}

fn believed_by(lease: &Lease) -> Belief {
    let version = Version::of_number(lease.version);
    Belief { version, size: None, lease: Some(lease.id) }
}
