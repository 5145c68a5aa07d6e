//! One table for several processes: a client cannot tell.

use std::future;
use std::sync::Arc;

use palco_service::services::basket::{
    BasketService, Kept, Problem, Question, Sessions, SessionsConfig,
};
use palco_service::{Ask, SharedState};

use super::{ask, sessions, shops};
use crate::support::TestHost;

/// A worker without a table, and the keeper it asks: questions and answers cross as bytes.
fn worker(keeper: &Arc<BasketService<Sessions>>) -> BasketService<Sessions> {
    let keeper = Arc::clone(keeper);
    let ask: Ask<BasketService<Sessions>> = Arc::new(move |question| {
        let question = postcard::to_stdvec(&question).unwrap();
        let question: Question = postcard::from_bytes(&question).unwrap();
        let answer = postcard::to_stdvec(&keeper.answer(question)).unwrap();
        let answer: Result<Kept, Problem> = postcard::from_bytes(&answer).unwrap();
        Box::pin(future::ready(Some(answer)))
    });
    BasketService::asking(&SessionsConfig::default(), ask).unwrap().0
}

#[test]
fn a_session_that_began_at_one_worker_goes_on_at_another() {
    let keeper = Arc::new(sessions());
    let (one, two, host) = (worker(&keeper), worker(&keeper), TestHost::default());
    shops(&one);
    let put = ask(&one, &host, "PUT /basket/tea?count=2", None);
    assert_eq!(ask(&two, &host, "GET /basket", put.cookie()).content["items"]["tea"], 2);
}

#[test]
fn a_keeper_that_does_not_answer_is_a_problem_of_the_server() {
    let ask_nobody: Ask<BasketService<Sessions>> = Arc::new(|_| Box::pin(future::ready(None)));
    let (service, _) = BasketService::asking(&SessionsConfig::default(), ask_nobody).unwrap();
    let answer = ask(&service, &TestHost::default(), "GET /basket", None);
    assert_eq!(answer.status(), "503");
    assert!(answer.detail().contains("may have changed"), "{}", answer.detail());
}
