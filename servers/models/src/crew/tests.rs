//! What goes together in a crew, and what is refused.

use super::*;
use crate::model::PlanError;

fn settings(place: PlaceKind, crew: Crew) -> ServerSettings {
    ServerSettings { crew, ..ServerSettings::new("crew", ModelKind::Team, place) }
}

fn refusal(settings: &ServerSettings) -> CrewError {
    match settings.check() {
        Err(PlanError::Crew(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_said_about_spares_fits_what_is() {
    let bounds = |crew: Crew, workers| {
        let Bounds { spare_min, spare_max, workers_max } = crew.bounds(workers).unwrap();
        (spare_min, spare_max, workers_max)
    };
    let none = Crew::default;
    assert_eq!(none().bounds(8), None);
    assert_eq!(none().workers_max(8), 8);
    assert_eq!(bounds(Crew { workers_max: Some(20), ..none() }, 8), (5, 10, 20));
    assert_eq!(bounds(Crew { spare_min: Some(7), ..none() }, 300), (7, 14, 300));
    assert_eq!(bounds(Crew { spare_max: Some(3), ..none() }, 8), (2, 3, 256));
}

#[test]
fn spares_that_cannot_be_are_refused() {
    let spares = |min, max| Crew { spare_min: Some(min), spare_max: Some(max), ..Crew::default() };
    for (min, max) in [(0, 4), (4, 4), (5, 4)] {
        let expected = CrewError::Spares { spare_min: min, spare_max: max };
        assert_eq!(refusal(&settings(PlaceKind::Thread, spares(min, max))), expected);
    }
    let task = settings(PlaceKind::Task, spares(1, 2));
    assert_eq!(refusal(&task), CrewError::LoopsAreNeverBusy);
    for workers_max in [7, 1025] {
        let crew = Crew { workers_max: Some(workers_max), ..Crew::default() };
        let expected = CrewError::Most { workers: 8, workers_max, max: 1024 };
        assert_eq!(refusal(&settings(PlaceKind::Process, crew)), expected);
    }
    let iterative =
        ServerSettings { model: ModelKind::Iterative, ..settings(PlaceKind::Thread, spares(1, 2)) };
    assert!(matches!(refusal(&iterative), CrewError::NoTeam { .. }));
}

#[test]
fn lives_are_for_those_who_have_them() {
    let requests_max = Some(10);
    for (model, place, fits) in [
        (ModelKind::Team, PlaceKind::Thread, true),
        (ModelKind::Team, PlaceKind::Fiber, true),
        (ModelKind::Team, PlaceKind::Process, true),
        (ModelKind::Team, PlaceKind::Task, false),
        (ModelKind::Iterative, PlaceKind::Process, true),
        (ModelKind::PerConnection, PlaceKind::Process, false),
    ] {
        let crew = Crew { requests_max, ..Crew::default() };
        let settings = ServerSettings { model, ..settings(place, crew) };
        assert_eq!(settings.check().is_ok(), fits, "{model} x {place}");
        if !fits {
            assert_eq!(refusal(&settings), CrewError::NoLives { model, place });
        }
    }
    let never = Crew { requests_max: Some(0), ..Crew::default() };
    assert_eq!(refusal(&settings(PlaceKind::Thread, never)), CrewError::NoRequests);
    let of_nothing = Crew { requests_jitter: Some(5), ..Crew::default() };
    assert_eq!(refusal(&settings(PlaceKind::Thread, of_nothing)), CrewError::JitterOfNothing);
}

#[test]
fn who_accepts_is_said_once_and_fits_the_place() {
    let by = |accept_by| Crew { accept_by: Some(accept_by), ..Crew::default() };
    for place in PlaceKind::OF_THIS_MACHINE {
        assert_eq!(settings(place, by(AcceptBy::OwnSockets)).check(), Ok(()));
        let dispatcher = settings(place, by(AcceptBy::Dispatcher));
        match place {
            PlaceKind::Process => assert_eq!(dispatcher.check(), Ok(())),
            _ => assert_eq!(refusal(&dispatcher), CrewError::NoDispatcher(place)),
        }
    }
    for model in [ModelKind::Iterative, ModelKind::PerConnection] {
        let crew = by(AcceptBy::OwnSockets);
        let settings = ServerSettings { model, ..settings(PlaceKind::Process, crew) };
        assert_eq!(settings.check(), Err(PlanError::NoChoice(model)));
    }
    let accept_by = AcceptBy::Dispatcher;
    let process = Some(crate::ProcessSettings { accept_by, ..Default::default() });
    let twice = ServerSettings {
        process: process.clone(),
        ..settings(PlaceKind::Process, by(AcceptBy::OwnSockets))
    };
    assert_eq!(refusal(&twice), CrewError::TwoAnswers("own-sockets", "dispatcher"));
    let spares = Crew { spare_min: Some(2), ..Crew::default() };
    let desk = ServerSettings { process, ..settings(PlaceKind::Process, spares) };
    assert_eq!(refusal(&desk), CrewError::DeskIsFull);
}

#[test]
fn cores_are_for_threads_of_one_worker() {
    let crew = Crew { affinity: Affinity::Spread, ..Crew::default() };
    for place in [PlaceKind::Task, PlaceKind::Thread, PlaceKind::Process] {
        assert_eq!(settings(place, crew.clone()).check(), Ok(()));
    }
    assert_eq!(refusal(&settings(PlaceKind::Fiber, crew)), CrewError::SharedLwps);
    let crew = Crew { affinity: Affinity::Sets(vec![vec![1023]]), ..Crew::default() };
    let error = refusal(&settings(PlaceKind::Thread, crew));
    assert!(matches!(&error, CrewError::Core { core: 1023, .. }), "{error:?}");
}
