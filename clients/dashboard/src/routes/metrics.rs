//! What Prometheus reads.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpResponse, web};
use palco_actors::Status;
use palco_models::Scores;
use palco_observe::model::{ActorView, StageSnapshot};

use crate::render::prometheus::{Page, TYPE};
use crate::shared::Shared;
use crate::views::{ServerView, StageView};

/// Actors with samples of their own, by how many messages they were sent; the others are summed up.
const ACTORS_MAX: usize = 200;
/// What the others are called. No actor can be: its path would be a name of its own.
const OTHERS: &str = "(others)";

pub(super) async fn get(shared: web::Data<Shared>) -> HttpResponse {
    let text = render(&shared.view(false));
    HttpResponse::Ok().insert_header((CONTENT_TYPE, TYPE)).body(text)
}

fn render(view: &StageView) -> String {
    let mut page = Page::default();
    let labels: &[_] = &[("version", &*view.stage.version)];
    page.gauge("palco_build_info", "Always 1, with the version of the program.").sample(labels, 1);
    page.gauge("palco_uptime_seconds", "For how long the system has been running.")
        .sample(&[], view.stage.uptime_s);
    totals(&mut page, &view.observed);
    actors(&mut page, &view.observed.actors);
    servers(&mut page, &view.servers);
    page.into_text()
}

fn totals(page: &mut Page, observed: &StageSnapshot) {
    let totals = &observed.totals;
    for (name, help, value) in [
        ("palco_actors", "Living actors.", totals.actors),
        ("palco_threads", "Kernel threads of this process.", totals.threads),
        ("palco_actor_processes", "Processes of actors.", totals.processes),
        ("palco_messages_queued", "Messages in mailboxes.", totals.queued),
        ("palco_messages_in_flight", "Messages with a handler.", totals.in_flight),
        ("palco_process_resident_memory_bytes", "Memory of this process.", totals.rss_bytes),
    ] {
        page.gauge(name, help).sample(&[], value);
    }
    for (name, help, value) in [
        ("palco_messages_sent_total", "Messages accepted.", totals.sent),
        ("palco_messages_handled_total", "Messages handled to their end.", totals.handled),
        ("palco_dead_letters_total", "Messages accepted and not handled.", totals.dropped),
        ("palco_restarts_total", "Lives that followed a failure.", totals.restarts),
    ] {
        page.counter(name, help).sample(&[], value);
    }
    page.counter("palco_process_cpu_seconds_total", "Processor time of this process.")
        .sample(&[], seconds(totals.cpu_ms));
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for lint in &observed.lints {
        let kind = serde_json::to_value(lint.kind).unwrap_or_default();
        *kinds.entry(kind.as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let mut lints = page.gauge("palco_lints", "What looks wrong, by kind.");
    for (kind, count) in &kinds {
        lints.sample(&[("kind", kind)], count);
    }
}

/// What is summed up of actors with the same path, and of all others.
#[derive(Default)]
struct Sums {
    sent: u64,
    handled: u64,
    dropped: u64,
    restarts: u64,
    queued: u64,
}

impl Sums {
    fn add(&mut self, view: &ActorView) {
        let actor = &view.actor;
        self.sent += actor.sent;
        self.handled += actor.handled;
        self.dropped += actor.dropped_total();
        self.restarts += u64::from(actor.restarts);
        self.queued += actor.queued;
    }
}

fn actors(page: &mut Page, actors: &[ActorView]) {
    let mut living: Vec<&ActorView> =
        actors.iter().filter(|view| view.actor.status != Status::Ended).collect();
    living.sort_by_key(|view| (Reverse(view.actor.sent), view.actor.id));
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for (at, view) in living.iter().enumerate() {
        let path = if at < ACTORS_MAX { &*view.actor.path } else { OTHERS };
        sums.entry(path).or_default().add(view);
    }
    let mut family = |name, help, is_counter: bool, value: fn(&Sums) -> u64| {
        let mut metric = if is_counter { page.counter(name, help) } else { page.gauge(name, help) };
        for (path, sums) in &sums {
            metric.sample(&[("actor", path)], value(sums));
        }
    };
    family("palco_actor_messages_sent_total", "Messages accepted.", true, |sums| sums.sent);
    family("palco_actor_messages_handled_total", "Messages handled.", true, |sums| sums.handled);
    family("palco_actor_dead_letters_total", "Messages not handled.", true, |sums| sums.dropped);
    family("palco_actor_restarts_total", "Lives after a failure.", true, |sums| sums.restarts);
    family("palco_actor_messages_queued", "Messages in the mailbox.", false, |sums| sums.queued);
}

fn servers(page: &mut Page, servers: &[ServerView]) {
    let mut each = |name, help, is_counter: bool, value: fn(&Scores) -> u64| {
        let mut metric = if is_counter { page.counter(name, help) } else { page.gauge(name, help) };
        for server in servers {
            metric.sample(&[("server", &server.name)], value(&server.scores));
        }
    };
    each("palco_server_connections_accepted_total", "Connections admitted.", true, |s| s.accepted);
    each("palco_server_connections_active", "Connections held.", false, |s| s.active);
    each("palco_server_requests_total", "Requests begun.", true, |s| s.requests);
    each("palco_server_accept_errors_total", "Failures of accept.", true, |s| s.accept_errors);
    each("palco_server_connections_shed_total", "Connections shed.", true, |s| s.shed);
    let mut late =
        page.counter("palco_server_time_limits_total", "How often each time limit acted.");
    for server in servers {
        let scores = &server.scores;
        for (limit, count) in [
            ("header", scores.header_timeouts),
            ("body", scores.body_timeouts),
            ("idle", scores.idle_timeouts),
            ("handler", scores.handler_timeouts),
            ("send", scores.send_timeouts),
            ("worker", scores.worker_timeouts),
        ] {
            late.sample(&[("server", &server.name), ("limit", limit)], count);
        }
    }
    let mut limited = page.counter(
        "palco_server_connections_limited_total",
        "How often the limit of connections acted, by what it did.",
    );
    for server in servers {
        let scores = &server.scores;
        for (action, count) in [
            ("defer", scores.deferred),
            ("drop", scores.dropped),
            ("close", scores.closed),
            ("fail", scores.failed),
        ] {
            limited.sample(&[("server", &server.name), ("action", action)], count);
        }
    }
    let mut ended =
        page.counter("palco_server_connections_ended_total", "Connections by their end.");
    for server in servers {
        let scores = &server.scores;
        for (ending, count) in [
            ("done", scores.done),
            ("drained", scores.drained),
            ("malformed", scores.malformed),
            ("panicked", scores.panicked),
            ("interrupted", scores.interrupted),
            ("broken", scores.broken),
            ("timed_out", scores.timed_out),
            ("abandoned", scores.abandoned),
        ] {
            ended.sample(&[("server", &server.name), ("ending", ending)], count);
        }
    }
    let mut cpu = page.counter(
        "palco_server_cpu_seconds_total",
        "Processor time of the threads or processes of a server that live.",
    );
    for server in servers {
        if let Some(millis) = server.cpu_ms {
            cpu.sample(&[("server", &server.name)], seconds(millis));
        }
    }
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1000.0
}
