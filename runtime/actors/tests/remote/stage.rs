//! Two nodes, and the actor that tests talk to.

use std::borrow::Cow;
use std::future::{Future, pending};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use palco_actors::{
    Actor, ActorRef, AnyRef, Clock, Context, Failure, Grant, Handler, Luggage, Message,
    MessageTable, Net, Parcel, Portable, Repertoire, SpawnOptions, System,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::carrier::Hub;

/// Against hanging only: nothing that works takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

static WATCH: LazyLock<Clock> = LazyLock::new(Clock::real);

/// Two nodes that are not connected yet.
pub(crate) struct Stage {
    pub(crate) hub: Hub,
    pub(crate) here: System,
    pub(crate) there: System,
    pub(crate) net: Net,
    pub(crate) far: Net,
}

impl Stage {
    pub(crate) fn connect(&self) {
        self.hub.connect(&self.net, &self.far);
    }

    pub(crate) fn cut(&self) {
        self.hub.cut(&self.net, &self.far);
    }

    /// An actor of the other node, exported under a name.
    pub(crate) fn exported(&self, name: &str) -> ActorRef<Keeper> {
        let keeper = keeper(&self.there, SpawnOptions::new());
        self.far.export(name, &keeper).unwrap();
        keeper
    }

    pub(crate) fn find(&self, name: &str) -> ActorRef<Keeper> {
        self.net.find(self.far.me(), name).unwrap()
    }
}

pub(crate) fn keeper(system: &System, options: SpawnOptions) -> ActorRef<Keeper> {
    system.spawn_portable(options, || Ok(Parcel::new(()))).unwrap()
}

fn repertoire() -> Repertoire {
    Repertoire::new().with::<Keeper>().with::<Other>()
}

/// Runs `body` on two nodes, and closes the books of both afterwards.
pub(crate) fn on_two_nodes(body: impl AsyncFnOnce(&Stage)) {
    palco_actors::enter(repertoire).unwrap();
    let [here, there] = [(); 2].map(|()| System::builder().event_loops(2).build().unwrap());
    let hub = Hub::default();
    let (net, far) = (hub.join(&here), hub.join(&there));
    let stage = Stage { hub, here, there, net, far };
    block_on(async {
        in_time(&stage, "the test body", body(&stage)).await;
        in_time(&stage, "the end here", stage.here.shutdown()).await;
        in_time(&stage, "the end there", stage.there.shutdown()).await;
    });
    for system in [&stage.here, &stage.there] {
        let ledger = system.ledger();
        assert!(ledger.is_balanced(), "messages were lost or doubled: {ledger:?}");
        assert_eq!((ledger.queued, ledger.in_flight), (0, 0), "all have ended: {ledger:?}");
    }
}

/// Fails instead of hanging, and says who does what.
async fn in_time<T>(stage: &Stage, what: &str, future: impl Future<Output = T>) -> T {
    let limit = WATCH.sleep(LIMIT);
    match futures_util::future::select(std::pin::pin!(future), limit).await {
        futures_util::future::Either::Left((output, _)) => output,
        futures_util::future::Either::Right(_) => {
            let (here, there) = (stage.here.snapshot(), stage.there.snapshot());
            let (net, far) = (stage.net.peers(), stage.far.peers());
            panic!("{what} hangs; here {net:?} {here:#?}; there {far:?} {there:#?}");
        }
    }
}

/// Whether the actor's handler waits for ever; not the one before it, which has answered and not yet ended.
pub(crate) fn holds(actor: &AnyRef) -> bool {
    actor.snapshot().message.as_deref() == Some(std::any::type_name::<Hold>())
}

/// Waits until `it_is_so`.
pub(crate) async fn until(mut it_is_so: impl FnMut() -> bool) {
    while !it_is_so() {
        WATCH.sleep(Duration::from_millis(1)).await;
    }
}

/// Remembers numbers.
pub(crate) struct Keeper {
    pushed: Vec<u32>,
    grant: Option<Grant>,
}

/// Remembers a number; says how many it remembers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Push(pub(crate) u32);

impl Message for Push {
    type Reply = usize;
}

/// The numbers in the order in which they came.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Pushed;

impl Message for Pushed {
    type Reply = Vec<u32>;
}

/// Waits for ever.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hold;

impl Message for Hold {
    type Reply = ();
}

/// Computes without an await point until [`HOG_MAY_END`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hog;

/// Both nodes are in this program.
pub(crate) static HOG_MAY_END: AtomicBool = AtomicBool::new(false);

impl Message for Hog {
    type Reply = ();
}

/// Gives back what it carries.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Carry(pub(crate) Vec<u8>);

impl Message for Carry {
    type Reply = Vec<u8>;
}

/// Has the granted actor push.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PushElsewhere(pub(crate) u32);

impl Message for PushElsewhere {
    type Reply = Result<usize, String>;
}

/// Not in the table.
pub(crate) struct Secret;

impl Message for Secret {
    type Reply = ();
}

impl Actor for Keeper {
    fn state(&self) -> Value {
        json!({ "pushed": self.pushed })
    }
}

impl Portable for Keeper {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "keeper".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table
            .handles::<Push>()
            .handles::<Pushed>()
            .handles::<Hold>()
            .handles::<Hog>()
            .handles::<Carry>()
            .handles::<PushElsewhere>();
    }

    fn make((): (), mut luggage: Luggage) -> Result<Self, Failure> {
        Ok(Self { pushed: Vec::new(), grant: luggage.take_grant().ok() })
    }
}

impl Handler<Push> for Keeper {
    async fn handle(&mut self, message: Push, _: &mut Context<Self>) -> usize {
        self.pushed.push(message.0);
        self.pushed.len()
    }
}

impl Handler<Pushed> for Keeper {
    async fn handle(&mut self, _: Pushed, _: &mut Context<Self>) -> Vec<u32> {
        self.pushed.clone()
    }
}

impl Handler<Hold> for Keeper {
    async fn handle(&mut self, _: Hold, _: &mut Context<Self>) {
        pending().await
    }
}

impl Handler<Hog> for Keeper {
    async fn handle(&mut self, _: Hog, cx: &mut Context<Self>) {
        cx.note(|| "hogging");
        while !HOG_MAY_END.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    }
}

impl Handler<Carry> for Keeper {
    async fn handle(&mut self, message: Carry, _: &mut Context<Self>) -> Vec<u8> {
        message.0
    }
}

impl Handler<Secret> for Keeper {
    async fn handle(&mut self, _: Secret, _: &mut Context<Self>) {}
}

impl Handler<PushElsewhere> for Keeper {
    async fn handle(
        &mut self,
        message: PushElsewhere,
        _: &mut Context<Self>,
    ) -> Result<usize, String> {
        let grant = self.grant.as_ref().ok_or("nobody granted")?;
        let other = grant.recipient::<Push>().map_err(|failure| failure.to_string())?;
        let asked = other.ask(Push(message.0), LIMIT).await;
        asked.map_err(|error| error.to_string())
    }
}

/// Another kind.
pub(crate) struct Other;

impl Actor for Other {}

impl Portable for Other {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "other".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Push>();
    }

    fn make((): (), _: Luggage) -> Result<Self, Failure> {
        Ok(Self)
    }
}

impl Handler<Push> for Other {
    async fn handle(&mut self, _: Push, _: &mut Context<Self>) -> usize {
        0
    }
}
