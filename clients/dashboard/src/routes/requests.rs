//! The requests that are being served, and what is done about one.

mod order;

use actix_web::{HttpRequest, HttpResponse, rt, web};
use palco_actors::Effect;
use palco_core::{Answer, Remark, RequestId, RequestState, Verb};
use palco_models::{RequestView, Server, UrgentStatus};
use serde::Serialize;

use self::order::Order;
use crate::body;
use crate::guards::token::who;
use crate::refusal::Refusal;
use crate::shared::Shared;

/// The most requests that are listed.
const SHOWN_MAX: usize = 200;

/// What is being served.
#[derive(Serialize)]
struct Requests {
    urgent: Option<UrgentStatus>,
    servers: Vec<Serving>,
    requests: Vec<RequestView>,
    /// How many there are beside those.
    more: usize,
}

/// How many requests a server is serving.
#[derive(Serialize)]
struct Serving {
    name: String,
    requests: usize,
}

/// What was done, and where the request stands now.
#[derive(Debug, Serialize)]
struct Done {
    request: RequestId,
    verb: Verb,
    answer: Answer,
}

pub(super) async fn list(shared: web::Data<Shared>) -> Result<HttpResponse, Refusal> {
    // As many as there are connections: on a thread, the event loop goes on.
    let requests = web::block(move || look(&shared)).await;
    let lost = |_| Refusal::not_now("the requests were not counted to the end", "ask again");
    Ok(HttpResponse::Ok().json(requests.map_err(lost)?))
}

pub(super) async fn act(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Shared>,
) -> Result<HttpResponse, Refusal> {
    let body = body::json(&request, payload).await?;
    let order: Order = body.map_or_else(|| Err(order::missing()), order::read)?;
    shared.not_ending()?;
    shared.find_server(&order.request.server)?;
    let who = who(&request).unwrap_or_default();
    // In a task: what was begun is finished and noted, also when the client does not wait for it.
    let done = rt::spawn(carry_out(shared, order, who)).await;
    let lost = |_| Refusal::not_now("this did not come to its end", "look at the request");
    Ok(HttpResponse::Ok().json(done.map_err(lost)??))
}

fn look(shared: &Shared) -> Requests {
    let mut all = Vec::new();
    let servers = shared.house.servers.iter().map(|served| {
        let mut own = served.server.requests(usize::MAX);
        let requests = own.len();
        all.append(&mut own);
        Serving { name: served.name.clone(), requests }
    });
    let servers = servers.collect();
    let (requests, more) = longest(all, SHOWN_MAX);
    let urgent = shared.house.urgent.as_ref().map(|urgent| urgent.status());
    Requests { urgent, servers, requests, more }
}

/// The longest first, at most `max`, and how many are left out.
fn longest(mut all: Vec<RequestView>, max: usize) -> (Vec<RequestView>, usize) {
    all.sort_by_key(|view| std::cmp::Reverse(view.age_ms));
    let more = all.len().saturating_sub(max);
    all.truncate(max);
    (all, more)
}

/// Noted at the top of the server: whoever serves may have ended by it.
async fn carry_out(
    shared: web::Data<Shared>,
    Order { request, verb }: Order,
    who: String,
) -> Result<Done, Refusal> {
    let server = &shared.find_server(&request.server)?.server;
    let answer = server.act(&request, verb).await;
    tracing::info!(%who, action = %verb, %request, %answer, "action");
    let age_ms = || {
        let all = server.requests(usize::MAX);
        all.into_iter().find(|view| view.request == request).map_or(0, |view| view.age_ms)
    };
    if let Some(effect) = effect(&request, &answer, age_ms) {
        let (top, action) = (server.supervisor(), format!("{verb} of {request}"));
        shared.house.observer.note_action(&who, &action, top.id(), &top.path(), &effect);
    }
    Ok(Done { request, verb, answer })
}

/// An answer in the words of the log; none where there was nothing to act on.
fn effect(request: &RequestId, answer: &Answer, age_ms: impl FnOnce() -> u64) -> Option<Effect> {
    match (&answer.remark, answer.state) {
        (Remark::Pending(_), _) => {
            Some(Effect::Pending { message: Some(request.to_string()), running_ms: age_ms() })
        }
        (Remark::None | Remark::Note(_), RequestState::NotFound) => None,
        (Remark::None | Remark::Note(_), RequestState::Finished) => Some(Effect::Ended),
        (
            Remark::None | Remark::Note(_),
            RequestState::Queued | RequestState::Running | RequestState::Held,
        ) => Some(Effect::Done),
    }
}

/// The request that an actor of this server is serving.
pub(super) fn served_by(server: &Server, actor: &str) -> Option<RequestId> {
    let mut all = server.requests(usize::MAX).into_iter();
    all.find(|view| view.actor.as_deref() == Some(actor)).map(|view| view.request)
}

#[cfg(test)]
mod tests {
    use palco_actors::PlaceKind;

    use super::*;

    fn view(request: &str, age_ms: u64) -> RequestView {
        RequestView {
            request: request.parse().unwrap(),
            state: RequestState::Running,
            age_ms,
            peer: None,
            place: PlaceKind::Task,
            actor: None,
            nice: None,
        }
    }

    #[test]
    fn the_longest_requests_of_all_servers_are_shown_and_the_rest_is_counted() {
        let all = vec![view("a/3.1", 30), view("a/1.1", 5), view("b/1.1", 20), view("b/2.9", 10)];
        let (shown, more) = longest(all.clone(), 3);
        let ages: Vec<_> = shown.iter().map(|view| view.age_ms).collect();
        assert_eq!((ages, more), (vec![30, 20, 10], 1));
        assert_eq!(longest(all, SHOWN_MAX).1, 0);
    }

    #[test]
    fn the_log_never_says_done_of_what_is_pending_or_was_not_there() {
        let request: RequestId = "work/17.2".parse().unwrap();
        let of = |answer: Answer| effect(&request, &answer, || 312);
        assert_eq!(of(Answer::reached(RequestState::Held)), Some(Effect::Done));
        assert_eq!(of(Answer::noted(RequestState::Running, "nice 5")), Some(Effect::Done));
        assert_eq!(of(Answer::reached(RequestState::Finished)), Some(Effect::Ended));
        assert_eq!(of(Answer::reached(RequestState::NotFound)), None);
        let pending = Effect::Pending { message: Some("work/17.2".into()), running_ms: 312 };
        assert_eq!(of(Answer::pending(RequestState::Running, "no checkpoint")), Some(pending));
    }
}
