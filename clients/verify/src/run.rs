//! A run: nodes are started, clients ask, faults come and go, the judge judges, and at the end everything is read.

mod stage;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{Scope, ScopedJoinHandle, scope, sleep};
use std::time::Duration;

use palco_core::Time;
use palco_sim::linearizability::Limits;
use parking_lot::Mutex;

use crate::client::{Access, Client};
use crate::cluster::Cluster;
use crate::endgame::{self, Ending};
use crate::figures::Counts;
use crate::ground::Ground;
use crate::judge::{Judged, Last, judge};
use crate::process::LOOK_EVERY;
use crate::recorder::{Complete, Named, Recorder};
use crate::report::{Findings, Report};
use crate::schedule::{Planned, schedule};
use crate::strike::{Stretch, Watch, strike};
use crate::{Fault, Settings, Target, VerifyError};
use stage::Stage;

/// Between two words about progress.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// How far a run is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is going on, if it is anything but clients asking.
    pub what: String,
    /// Since the start.
    pub elapsed: Duration,
    /// How operations ended until now.
    pub counts: Counts,
    /// Operations that have been judged.
    pub judged: u64,
}

/// What the judge has said.
#[derive(Debug, Default)]
struct Verdicts {
    judged: Judged,
    operations: u64,
    rounds: u64,
    lasts: Vec<(Named, Last)>,
}

/// What all threads of a run share.
struct Shared<'a> {
    settings: &'a Settings,
    recorder: Recorder,
    verdicts: Mutex<Verdicts>,
    /// Clients are to stop.
    stop: AtomicBool,
    directory: &'a Path,
}

/// Makes a run.
///
/// # Errors
/// It could not be made. What was found in a run that was made is in the report, whatever it is.
pub fn run(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<Report, VerifyError> {
    settings.check()?;
    let stage = Stage::open(settings, progress)?;
    let (sender, complete) = channel();
    let name = format!("verify.{:x}.{:x}", settings.seed, std::process::id());
    let shared = Shared {
        settings,
        recorder: Recorder::new(name, settings.keys, settings.time, sender),
        verdicts: Mutex::default(),
        stop: AtomicBool::new(false),
        directory: &stage.directory,
    };
    shared.run(stage.cluster, stage.access, &stage.kinds, stage.remarks, complete, progress)
}

impl Shared<'_> {
    fn run(
        &self,
        cluster: Option<Cluster>,
        access: Access,
        kinds: &[Fault],
        mut remarks: Vec<String>,
        complete: Receiver<Complete>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, VerifyError> {
        let ground = cluster.as_ref().map(|cluster| Arc::clone(&cluster.ground));
        let ground_name = ground.as_ref().map_or("of somebody else", |ground| ground.name());
        let planned = match &self.settings.target {
            Target::Own { period, .. } => {
                schedule(self.settings.seed, kinds, self.settings.time, *period)
            }
            Target::Running { .. } => Vec::new(),
        };
        let (findings, ending) = scope(|threads| {
            let _end = EndOnDrop(self);
            let judge = threads.spawn(move || self.judge(&complete));
            let clients = self.start_clients(threads, &access, ground.as_ref());
            let mut cluster = cluster;
            let broken = self.break_things(cluster.as_mut(), &planned, &mut remarks, progress);
            self.stop.store(true, Ordering::Relaxed);
            self.recorder.figures.lock().stop(self.recorder.now());
            let entered: Result<Vec<()>, _> = clients.into_iter().map(joined).collect();
            self.recorder.finish();
            joined(judge);
            entered?;
            let (stretches, mut objections) = broken?;
            let ending =
                self.end(cluster.as_mut(), &access, ground.as_ref(), &mut objections, progress);
            // Nodes end before their words are read by anybody else.
            drop(cluster);
            Ok::<_, VerifyError>(((stretches, objections), ending))
        })?;
        let (stretches, objections) = findings;
        let verdicts = std::mem::take(&mut *self.verdicts.lock());
        let was_interrupted = self.settings.stop.load(Ordering::Relaxed);
        Ok(Report::of(Findings {
            settings: self.settings,
            ground: ground_name,
            remarks,
            figures: &self.recorder.figures.lock(),
            stretches,
            judged: verdicts.judged,
            objections,
            operations: verdicts.operations,
            rounds: verdicts.rounds,
            ending,
            was_interrupted,
        }))
    }

    fn start_clients<'scope>(
        &'scope self,
        threads: &'scope Scope<'scope, '_>,
        access: &Access,
        ground: Option<&Arc<Ground>>,
    ) -> Vec<ScopedJoinHandle<'scope, Result<(), VerifyError>>> {
        let start = |number| {
            let client = Client::new(number, access.clone(), self.settings.seed);
            let ground = ground.cloned();
            threads.spawn(move || {
                ground.map_or(Ok(()), |ground| ground.enter())?;
                client.run(&self.recorder, &self.stop);
                Ok(())
            })
        };
        (0..u32::from(self.settings.clients)).map(start).collect()
    }

    /// Judges what is complete, until there is no more.
    fn judge(&self, complete: &Receiver<Complete>) {
        for Complete { number, keys, history } in complete {
            let Judged { objections, undecided } = judge(&history, Limits::default());
            if !objections.is_empty() {
                self.keep(number, &history);
                self.stop.store(true, Ordering::Relaxed);
            }
            let mut verdicts = self.verdicts.lock();
            verdicts.judged.objections.extend(objections);
            verdicts.judged.undecided.extend(undecided);
            verdicts.operations += history.len() as u64;
            verdicts.rounds += 1;
            for last in Last::of(&history) {
                if let Some(key) = keys.iter().find(|key| key.key == last.key) {
                    verdicts.lasts.push((key.clone(), last));
                }
            }
        }
    }

    /// A history that was objected to, for whoever looks for the cause.
    fn keep(&self, number: u32, history: &palco_sim::history::History) {
        if self.settings.keep.is_none() {
            return;
        }
        let file = self.directory.join(format!("history-{number}.json"));
        let written = serde_json::to_vec(history).map_err(std::io::Error::other);
        // The objection is told whether this can be written or not.
        let _ = written.and_then(|json| std::fs::write(file, json));
    }

    /// One fault after the other; then time goes by until the run is over. What was made, and what did not come back.
    fn break_things(
        &self,
        cluster: Option<&mut Cluster>,
        planned: &[Planned],
        remarks: &mut Vec<String>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Vec<Stretch>, Vec<String>), VerifyError> {
        let mut guard = Guard { shared: self, progress, told: None, fault: String::new() };
        let (mut stretches, mut objections) = (Vec::new(), Vec::new());
        let mut skipped = 0_u32;
        if let Some(cluster) = cluster {
            for planned in planned {
                if !guard.wait_until(planned.at) {
                    break;
                }
                match strike(cluster, planned, &mut guard) {
                    Ok(Some(stretch)) => stretches.push(stretch),
                    Ok(None) => skipped += 1,
                    Err(error @ (VerifyError::Ended { .. } | VerifyError::Late { .. })) => {
                        objections.push(format!("after fault `{}`: {error}", planned.fault));
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if skipped > 0 {
            remarks.push(format!(
                "{skipped} faults were left out: no node could say who the members are, or one of them was not replaced yet."
            ));
        }
        if objections.is_empty() {
            guard.wait_until(self.settings.time);
        }
        Ok((stretches, objections))
    }

    /// Everything is mended, and every key is read through every node.
    fn end(
        &self,
        cluster: Option<&mut Cluster>,
        access: &Access,
        ground: Option<&Arc<Ground>>,
        objections: &mut Vec<String>,
        progress: &mut dyn FnMut(Progress),
    ) -> Ending {
        let was_interrupted = self.settings.stop.load(Ordering::Relaxed);
        let was_answered = self.recorder.figures.lock().counts.done > 0;
        // A run that is to end at once, or was none, has no end that could be judged.
        if was_interrupted || !was_answered || !objections.is_empty() {
            return Ending::default();
        }
        progress(self.progress("the end: everything is mended and read"));
        if let Some(Err(error)) = cluster.map(Cluster::settle) {
            objections.push(format!("the cluster does not converge after all faults: {error}"));
            return Ending::default();
        }
        let lasts = std::mem::take(&mut self.verdicts.lock().lasts);
        let read = || endgame::read_all(access, &lasts, &self.recorder, Limits::default());
        scope(|threads| {
            let reading = threads.spawn(|| {
                ground.map_or(Ok(()), |ground| ground.enter())?;
                Ok::<_, VerifyError>(read())
            });
            joined(reading).unwrap_or_else(|error| {
                objections.push(format!("nothing could be read at the end: {error}"));
                Ending::default()
            })
        })
    }

    fn progress(&self, what: &str) -> Progress {
        Progress {
            what: what.to_owned(),
            elapsed: self.recorder.now() - Time::START,
            counts: self.recorder.figures.lock().counts,
            judged: self.verdicts.lock().operations,
        }
    }
}

/// Lets all threads of a run end, however it is left.
struct EndOnDrop<'a, 'b>(&'a Shared<'b>);

impl Drop for EndOnDrop<'_, '_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
        self.0.recorder.finish();
    }
}

/// What a thread has come to; its panic is one here.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Stands between faults and the run.
struct Guard<'a, 'b> {
    shared: &'a Shared<'b>,
    progress: &'a mut dyn FnMut(Progress),
    told: Option<Duration>,
    fault: String,
}

impl Watch for Guard<'_, '_> {
    fn now(&self) -> Duration {
        self.shared.recorder.now() - Time::START
    }

    fn wait_until(&mut self, then: Duration) -> bool {
        loop {
            let now = self.now();
            if self.told.is_none_or(|told| now >= told + TELL_EVERY) {
                self.told = Some(now);
                (self.progress)(self.shared.progress(&self.fault));
            }
            let shared = self.shared;
            if shared.stop.load(Ordering::Relaxed) || shared.settings.stop.load(Ordering::Relaxed) {
                return false;
            }
            let left = then.saturating_sub(now);
            if left.is_zero() {
                return true;
            }
            sleep(left.min(LOOK_EVERY));
        }
    }

    fn tell(&mut self, fault: Option<(Fault, &str)>) {
        self.shared.recorder.fault(fault.map(|(kind, _)| kind));
        self.fault = fault.map_or_else(String::new, |(_, what)| what.to_owned());
    }
}

/// Where the files of a run are.
pub(crate) fn directory_of(
    settings: &Settings,
) -> Result<(PathBuf, Option<tempfile::TempDir>), VerifyError> {
    let failed = || VerifyError::system("make a directory for the nodes");
    match &settings.keep {
        Some(directory) => {
            std::fs::create_dir_all(directory).map_err(failed())?;
            let is_empty = std::fs::read_dir(directory).map_err(failed())?.next().is_none();
            if !is_empty {
                let directory = directory.display();
                return Err(VerifyError::Settings(format!(
                    "{directory} is not empty: name a directory for this run alone"
                )));
            }
            Ok((directory.clone(), None))
        }
        None => {
            let directory = tempfile::Builder::new().prefix("palco-verify-").tempdir();
            let directory = directory.map_err(failed())?;
            Ok((directory.path().to_owned(), Some(directory)))
        }
    }
}
