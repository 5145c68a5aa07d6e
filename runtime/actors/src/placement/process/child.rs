//! In the process: be born, be confined, make the actor, and run its life on the main thread.
//!
//! The process has one loop and, as long as the actor starts nobody else, one thread: it polls the life, sends what
//! has come of it, and waits for frames. While a handler blocks or computes, nothing is read; signals reach it through
//! the shared page and `EINTR`.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::process;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context as Task, Poll, Waker};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_processes::{Birth, BirthError, Obtained, Role, confine};
use palco_sys::{Registration, RingEnd};
use serde::{Deserialize, Serialize};

use super::page::Page;
use super::post::Post;
use super::receipt::Receipt;
use super::repertoire::{Repertoire, play_from};
use super::ring::Ring;
use super::turn::Turn;
use super::wire::{FromChild, Incoming, Start, ToChild, WireError};
use crate::context::Context;
use crate::grant::Homeward;
use crate::life::live;
use crate::mailbox::LaneKind;
use crate::portable::to_bytes;
use crate::vitals::Cell;
use crate::{ExitReason, Failure, Grant, Luggage, MessageTable, Parcel, Portable, System};

/// The exit status of a process that was told nonsense, or told somebody nonsense.
const STATUS_PROTOCOL: i32 = 76;

/// What the birth message says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Introduction {
    pub(crate) identity: String,
    pub(crate) frame_bytes_max: u64,
    /// Whether a ring comes after the page.
    pub(crate) has_ring: bool,
    /// How often to look before waiting.
    pub(crate) spins_max: u32,
}

impl Introduction {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing into memory does not fail.
        let _ = to_bytes(self, &mut bytes);
        bytes
    }
}

/// Why a program that was started for an actor cannot be one.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum EnterError {
    /// It was not started by palco.
    #[error("this process was not started as a child")]
    Birth(#[from] BirthError),
    /// What it was given is not what palco gives.
    #[error("this process was started wrongly: {0}")]
    Luggage(String),
}

/// The first thing in the `main` of a program whose actors live in processes: returns in the program that a person has
/// started, and never returns in a process that was started for an actor, which is the same program with other work.
///
/// # Errors
/// [`EnterError`] when the environment says that this is a child and it is not.
pub fn enter(repertoire: fn() -> Repertoire) -> Result<(), EnterError> {
    let (repertoire, identity) = play_from(repertoire);
    let Some(birth) = palco_processes::enter()? else { return Ok(()) };
    begin(birth, repertoire, identity)
}

fn begin(birth: Birth, repertoire: &Repertoire, identity: &str) -> Result<(), EnterError> {
    let luggage = |what: &str| EnterError::Luggage(what.to_owned());
    let role = birth.role;
    let mut descriptors = birth.descriptors.into_iter();
    let mut next = || descriptors.next().ok_or_else(|| luggage("a socket is missing"));
    let (normal, urgent, page) = (next()?, next()?, next()?);
    let page = Page::open(page).map_err(|error| EnterError::Luggage(error.to_string()))?;
    let introduction = postcard::from_bytes::<Introduction>(&birth.payload);
    let ring = match &introduction {
        Ok(said) if said.has_ring => Some(RingEnd::open(next()?)),
        _ => None,
    };
    let ring = ring.transpose().map_err(|error| EnterError::Luggage(error.to_string()))?;
    let (own, frame_bytes_max, spins_max) = match &introduction {
        Ok(said) => {
            let frame_bytes_max = usize::try_from(said.frame_bytes_max).unwrap_or(usize::MAX);
            (&*said.identity, frame_bytes_max, said.spins_max)
        }
        Err(_) => ("a build that introduces itself differently", 1 << 20, 0),
    };
    let turn = Turn::new().map_err(|error| EnterError::Luggage(error.to_string()))?;
    let normal = UnixStream::from(normal);
    let stream = normal.try_clone().map_err(|error| EnterError::Luggage(error.to_string()))?;
    // It lives as long as the process, so that signal handlers may write to it.
    let page: &'static Page = Box::leak(Box::new(page));
    let part = Part {
        post: Arc::new(Post::new(
            stream,
            ring.map(|end| Ring::new(end, spins_max)),
            page,
            Arc::new(turn),
            frame_bytes_max,
            spins_max,
        )),
        normal,
        urgent: UnixStream::from(urgent),
        incoming: Incoming::default(),
        frame_bytes_max,
        start: None,
        args: Vec::new(),
        descriptors: descriptors.collect(),
    };
    if own != identity {
        part.refuse(format!("it is another build: it is `{identity}`, its parent is `{own}`"));
    }
    let status = part.run(repertoire);
    if role == Role::Once {
        process::exit(status);
    }
    // What the zygote's libraries registered for the end would only cost this copy of it pages.
    let _ = io::stdout().flush();
    palco_sys::exit_at_once(status)
}

/// What a process needs to play its part.
pub(super) struct Part {
    post: Arc<Post>,
    normal: UnixStream,
    urgent: UnixStream,
    /// What was read of the normal lane beyond the first frame.
    incoming: Incoming,
    frame_bytes_max: usize,
    start: Option<Start>,
    args: Vec<u8>,
    descriptors: Vec<OwnedFd>,
}

impl Part {
    fn refuse(&self, why: String) -> ! {
        let _ = self.post.send(&FromChild::Refused(why), &[]);
        let _ = self.post.flush();
        process::exit(STATUS_PROTOCOL)
    }

    /// Plays the actor that the first frame names; returns the exit status.
    fn run(mut self, repertoire: &Repertoire) -> i32 {
        let (start, args) = match self.first_frame() {
            Ok(Some(first)) => first,
            Ok(None) => return 0, // the parent has gone
            Err(error) => self.refuse(format!("the first frame is none: {error}")),
        };
        let Some(play) = repertoire.find(&start.kind) else {
            let known: Vec<_> = repertoire.kinds().collect();
            let known = known.join(", ");
            self.refuse(format!("there is no actor of kind `{}`; known are: {known}", start.kind));
        };
        palco_threads::set_name(start.path.rsplit('/').next().unwrap_or_default());
        let arranged = palco_sys::on_fatal_signal(Page::fatal_word(self.post.page))
            .and_then(|()| palco_sys::reset_memory_faults());
        if let Err(error) = arranged {
            self.refuse(format!("its last words cannot be arranged: {error}"));
        }
        match confine(&start.confinement, start.parent_pid) {
            Ok(obtained) => self.ready(obtained),
            Err(error) => self.refuse(Failure::from(error).into_text().into()),
        }
        self.start = Some(start);
        self.args = args;
        let post = Arc::clone(&self.post);
        let reason = match play(self) {
            Ok(reason) => reason,
            Err(error) => ExitReason::Failed(error.to_string().into()),
        };
        let status = match &reason {
            ExitReason::Panicked(_) => 101,
            reason if reason.is_failure() => 1,
            _ => 0,
        };
        let _ = post.report();
        let _ = post.send(&FromChild::Ended, &serde_json::to_vec(&reason).unwrap_or_default());
        let _ = post.flush();
        status
    }

    fn ready(&self, obtained: Obtained) {
        let _ = self.post.send(&FromChild::Ready(obtained), &[]);
    }

    fn first_frame(&mut self) -> Result<Option<(Start, Vec<u8>)>, WireError> {
        loop {
            if let Some((head, body)) = self.incoming.next::<ToChild>(self.frame_bytes_max)? {
                return match head {
                    ToChild::Start(start) => Ok(Some((start, body.to_vec()))),
                    _ => Err(WireError::Malformed(postcard::Error::DeserializeBadEnum)),
                };
            }
            if !self.post.wait_and_read(&self.normal, &mut self.incoming)? {
                return Ok(None);
            }
        }
    }
}

/// One life of an `A`, on this thread.
pub(super) fn play<A: Portable>(mut part: Part) -> Result<ExitReason, WireError> {
    let Some(start) = part.start.take() else { return Ok(ExitReason::Stopped) };
    let args = postcard::from_bytes::<A::Args>(&part.args).map_err(WireError::Malformed)?;
    let descriptors = mem::take(&mut part.descriptors);
    if descriptors.len() != start.descriptors as usize {
        let text =
            format!("{} descriptors came instead of {}", descriptors.len(), start.descriptors);
        return Ok(ExitReason::StartFailed(text.into()));
    }
    let home = |number| Grant::there(Arc::clone(&part.post) as Arc<dyn Homeward>, number);
    let grants = (0..start.grants).map(home);
    let luggage = Luggage { descriptors, grants: grants.collect() };
    let mut parcel = Some(Parcel::<A> { args, luggage });

    let system = System::of_process();
    let cell = Arc::new(Cell::<A>::in_process(&system, &start.path, Arc::clone(&part.post)));
    let registration = Registration::current_thread();
    match &registration {
        Ok(registration) => cell.vitals.signals.set_thread(Some(registration.interrupter())),
        Err(error) => return Ok(ExitReason::StartFailed(error.to_string().into())),
    }
    let mut cx = Context::new(Arc::clone(&cell));
    let mut make = move || match parcel.take() {
        Some(parcel) => parcel.unpack(),
        None => Err(Failure::new("a process has one life")),
    };
    let mut hall = Hall {
        cell: Arc::clone(&cell),
        table: MessageTable::of(),
        post: Arc::clone(&part.post),
        incoming: [part.incoming, Incoming::default()],
        passed: Default::default(),
        streams: [part.normal, part.urgent],
        frame_bytes_max: part.frame_bytes_max,
    };
    let ended = hall.drive(live(&cell, &mut cx, &mut make));
    // The actor is gone, and now the process ends: what that gives back need not be given back piece by piece before.
    mem::forget((hall, cx, cell));
    ended
}

/// Where the process waits and what it reads.
struct Hall<A: Portable> {
    cell: Arc<Cell<A>>,
    table: MessageTable<A>,
    post: Arc<Post>,
    incoming: [Incoming; 2],
    /// Descriptors for the next messages of each lane.
    passed: [VecDeque<OwnedFd>; 2],
    streams: [UnixStream; 2],
    frame_bytes_max: usize,
}

impl<A: Portable> Hall<A> {
    fn drive(&mut self, life: impl Future<Output = ExitReason>) -> Result<ExitReason, WireError> {
        let mut life = pin!(life);
        let turn = Arc::clone(&self.post.turn);
        let waker = Waker::from(Arc::clone(&turn));
        let mut task = Task::from_waker(&waker);
        loop {
            turn.take();
            self.post.page.beat();
            if let Poll::Ready(reason) = life.as_mut().poll(&mut task) {
                return Ok(reason);
            }
            if self.post.report().is_err() || !self.listen(&turn)? {
                return Ok(ExitReason::Killed); // the parent has gone
            }
        }
    }

    /// Waits for frames or for a turn, and takes in what has come. False if the parent has gone.
    fn listen(&mut self, turn: &Turn) -> Result<bool, WireError> {
        // Urgent messages come on a socket: it is looked at first.
        if !self.post.wants_a_turn() && self.post.spin() {
            // A ring, or a socket of which it is known that it has something.
            return self.read(0, !self.post.has_ring());
        }
        let may_sleep = self.post.may_wait() && turn.goes_to_sleep();
        let timeout = if may_sleep { PollTimeout::NONE } else { PollTimeout::ZERO };
        let mut waits = [
            PollFd::new(self.streams[0].as_fd(), PollFlags::POLLIN),
            PollFd::new(self.streams[1].as_fd(), PollFlags::POLLIN),
            PollFd::new(turn.bell().as_fd(), PollFlags::POLLIN),
        ];
        // An error is EINTR: a signal has come, and the life looks at it.
        let ready = poll(&mut waits, timeout).is_ok();
        let [normal, urgent] = [0, 1].map(|lane| ready && waits[lane].any() == Some(true));
        turn.has_slept();
        Ok((!urgent || self.read(1, true)?) && self.read(0, normal)?)
    }

    /// What was passed for the next message of a lane; none if the parent has gone. It was sent before the message.
    fn passed(
        &mut self,
        lane: usize,
        count: usize,
    ) -> Result<Option<VecDeque<OwnedFd>>, WireError> {
        while self.passed[lane].len() < count {
            if !self.read(1, true)? {
                return Ok(None);
            }
        }
        Ok(Some(self.passed[lane].drain(..count).collect()))
    }

    fn read(&mut self, lane: usize, heard: bool) -> Result<bool, WireError> {
        let incoming = &mut self.incoming[lane];
        let is_open = if lane == 0 {
            self.post.read(&self.streams[0], heard, incoming)?
        } else {
            went_well(incoming.receive(self.streams[1].as_fd()))?
        };
        if !is_open {
            return Ok(false);
        }
        let unknown = || WireError::Malformed(postcard::Error::DeserializeBadEnum);
        while let Some((head, body)) = self.incoming[lane].next::<ToChild>(self.frame_bytes_max)? {
            match head {
                ToChild::Message { number, is_ask, descriptors } => {
                    let post = Arc::clone(&self.post);
                    let receipt = Receipt { post, lane: lane as u8, is_ask };
                    let receipt = crate::placement::delivered::Receipt::Process(receipt);
                    let entry = self.table.entries.get(usize::from(number));
                    let receive = entry.ok_or_else(unknown)?.receive;
                    let envelope = if descriptors == 0 {
                        receive(body, VecDeque::new(), receipt)
                    } else {
                        let body = body.to_vec();
                        let Some(passed) = self.passed(lane, descriptors.into())? else {
                            return Ok(false);
                        };
                        receive(&body, passed, receipt)
                    };
                    let envelope = envelope.map_err(WireError::Malformed)?;
                    let kind = if lane == 0 { LaneKind::Normal } else { LaneKind::Urgent };
                    // Bounded by the address, which hands over only so many; closed only after the life.
                    let _ = self.cell.mailbox.force(kind, envelope, |envelope| envelope);
                    if lane == 1 {
                        self.post.turn.urgent_seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
                ToChild::Passed { lane, descriptors } => {
                    let came = &mut self.incoming[1].descriptors;
                    let passed = self.passed.get_mut(usize::from(lane)).ok_or_else(unknown)?;
                    if came.len() < usize::from(descriptors) {
                        return Err(unknown());
                    }
                    passed.extend(came.drain(..usize::from(descriptors)));
                }
                ToChild::Answer { call, outcome } => {
                    self.post.answered(call, outcome.map(|()| body.to_vec()));
                }
                ToChild::Start(_) | ToChild::Nudge => {}
            }
        }
        Ok(true)
    }
}

/// Whether there may be more after a read.
pub(super) fn went_well(read: io::Result<(usize, bool)>) -> Result<bool, WireError> {
    match read {
        Ok((bytes, _)) => Ok(bytes > 0),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(WireError::Descriptors),
        Err(error) => Ok(error.kind() == io::ErrorKind::Interrupted),
    }
}
