//! Cancel, hold, resume, status: by signals to whoever serves, and with an eye on whether the right request was met.

use std::time::Duration;

use palco_actors::{AnyRef, Effect, PlaceKind, Signal};
use palco_core::{Answer, RequestId, RequestState, Verb};

use super::{Found, Requests};

/// How long an effect is waited for. A process is made to obey by its parent within 100 ms; a thread that reaches no
/// checkpoint in this time is reported.
const EFFECT_WITHIN: Duration = Duration::from_millis(300);

/// How long a killed process may take to be gone.
const KILL_WITHIN: Duration = Duration::from_secs(2);

/// How often a request is looked at whose end is waited for: its process cannot tell.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// How often it is told again: an interrupt between two steps of a connection is nobody's.
const TELL_EVERY: Duration = Duration::from_millis(20);

impl Requests {
    /// Does it, and says where the request stands then. Cancel-safe: what was begun stays begun.
    pub(crate) async fn act(&self, request: &RequestId, verb: Verb) -> Answer {
        let Some(found) = self.find(request.connection) else {
            return Answer::reached(self.state_of_gone(request));
        };
        let number = request.number;
        let (state, actor) = (self.state(found, number), self.actor(found));
        match (state, verb, actor) {
            (_, Verb::Status, actor) => self.status(found, state, actor),
            (RequestState::NotFound | RequestState::Finished, ..) => Answer::reached(state),
            (RequestState::Queued, Verb::Cancel, _) => {
                self.line(found).ask_to_cancel(number);
                Answer::noted(state, "it will be given up when its turn comes")
            }
            (RequestState::Queued, ..) => Answer::pending(state, "it has not begun"),
            // Its process is about to begin, or has just gone.
            (_, _, None) => Answer::pending(state, "nobody is known to serve it"),
            (_, Verb::Cancel, Some(actor)) => self.cancel(found, number, &actor).await,
            (_, Verb::Hold, Some(actor)) => self.hold(found, number, &actor).await,
            (_, Verb::Resume, Some(actor)) => self.resume(found, number, &actor).await,
            (_, Verb::Priority(nice), Some(actor)) => self.prioritize(found, number, nice, &actor),
        }
    }

    fn status(&self, found: Found, state: RequestState, actor: Option<AnyRef>) -> Answer {
        let is_served = matches!(state, RequestState::Running | RequestState::Held);
        let Some(actor) = actor.filter(|_| is_served) else { return Answer::reached(state) };
        let line = self.line(found);
        let nice = line.nice().map_or(String::new(), |nice| format!(", nice {nice}"));
        Answer::noted(state, format!("for {} ms by {}{nice}", line.age_ms(), actor.path()))
    }

    /// By an interrupt; a process that does not obey is killed.
    async fn cancel(&self, found: Found, number: u64, actor: &AnyRef) -> Answer {
        if self.is_given_up(found, number, actor, EFFECT_WITHIN).await {
            return Answer::reached(RequestState::Finished);
        }
        if self.place != PlaceKind::Process {
            return self.out_of_reach(found, number);
        }
        // Still the same request: its process has nobody else to serve.
        if self.is_served(found, number) {
            actor.signal(Signal::Resume);
            actor.signal(Signal::Kill);
            let clock = self.system.clock();
            let deadline = clock.now() + KILL_WITHIN;
            while self.is_served(found, number) && clock.now() < deadline {
                clock.sleep(LOOK_EVERY).await;
            }
        }
        match self.state(found, number) {
            RequestState::Finished => Answer::noted(
                RequestState::Finished,
                "its process was killed: it had reached no checkpoint",
            ),
            state => Answer::pending(state, "its process does not end"),
        }
    }

    /// Interrupts until the request is over.
    async fn is_given_up(
        &self,
        found: Found,
        number: u64,
        actor: &AnyRef,
        within: Duration,
    ) -> bool {
        let clock = self.system.clock();
        let deadline = clock.now() + within;
        while clock.now() < deadline {
            self.line(found).ask_to_cancel(number);
            actor.signal(Signal::Interrupt);
            // One that is held hears it when it goes on, before anything else.
            actor.signal(Signal::Resume);
            let again = clock.now() + TELL_EVERY;
            while clock.now() < again {
                if !self.is_served(found, number) {
                    return true;
                }
                clock.sleep(LOOK_EVERY).await;
            }
        }
        !self.is_served(found, number)
    }

    fn is_served(&self, found: Found, number: u64) -> bool {
        matches!(self.state(found, number), RequestState::Running | RequestState::Held)
    }

    async fn hold(&self, found: Found, number: u64, actor: &AnyRef) -> Answer {
        self.line(found).ask_to_hold(number);
        let effect = actor.signal_within(Signal::Suspend, EFFECT_WITHIN).await;
        if !self.is_served(found, number) {
            // It has ended before the signal came: whoever served it has others to serve.
            self.let_go(found, number, actor);
            return Answer::reached(RequestState::Finished);
        }
        match effect {
            Effect::Done => Answer::reached(RequestState::Held),
            Effect::Ended => Answer::reached(RequestState::Finished),
            Effect::Pending { .. } => self.out_of_reach(found, number),
        }
    }

    async fn resume(&self, found: Found, number: u64, actor: &AnyRef) -> Answer {
        self.let_go(found, number, actor);
        let effect = actor.signal_within(Signal::Resume, EFFECT_WITHIN).await;
        match (self.state(found, number), effect) {
            (RequestState::Held, Effect::Pending { .. }) => {
                Answer::pending(RequestState::Held, "it has been told to go on")
            }
            (state, _) => Answer::reached(state),
        }
    }

    fn let_go(&self, found: Found, number: u64, actor: &AnyRef) {
        let line = self.line(found);
        if line.wanted_held() == Some(number) {
            line.ask_to_hold(0);
        }
        actor.signal(Signal::Resume);
    }

    /// What was asked for stands, and takes hold at the next checkpoint, if there is one.
    fn out_of_reach(&self, found: Found, number: u64) -> Answer {
        let age = self.line(found).age_ms();
        let why = format!(
            "no checkpoint within {} ms: it has been running for {age} ms, and what runs between two checkpoints \
             cannot be stopped in place {}",
            EFFECT_WITHIN.as_millis(),
            self.place.name(),
        );
        Answer::pending(self.state(found, number), why)
    }
}
