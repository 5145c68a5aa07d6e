//! Connections that break at any point: nothing is handled twice, nothing out of its order.

use std::time::Duration;

use palco_actors::{
    AskError, Backoff, Grant, Parcel, Place, Restart, SpawnOptions, Supervision, Supervisor,
};

use crate::stage::{Keeper, LIMIT, Push, PushElsewhere, Pushed, keeper, on_two_nodes};

fn survives_cuts(seed: u64) {
    on_two_nodes(async |stage| {
        let keeper = stage.exported("kept");
        stage.hub.break_often(seed, 20);
        stage.connect();
        let stand_in = stage.find("kept");
        let (mut number, mut answered) = (0, Vec::new());
        while stage.hub.breaks_left() > 0 || number < 2_000 {
            number += 1;
            if number % 10 == 0 {
                match stand_in.ask(Push(number), LIMIT).await {
                    Ok(_) => answered.push(number),
                    Err(AskError::OutcomeUnknown) => {}
                    Err(other) => panic!("seed {seed}: {other:?}"),
                }
            } else {
                stand_in.tell(Push(number)).await.unwrap();
            }
        }
        while stand_in.ask(Pushed, LIMIT).await.is_err() {}
        let all = keeper.ask(Pushed, LIMIT).await.unwrap();
        assert!(all.is_sorted_by(|a, b| a < b), "seed {seed}: doubled or out of order: {all:?}");
        let missing = answered.iter().find(|number| !all.contains(number));
        assert_eq!(missing, None, "seed {seed}: answered and not handled");
        let snapshot = stand_in.any().snapshot();
        let lost = snapshot.dropped_total();
        assert!(all.len() as u64 + lost >= u64::from(number), "seed {seed}: lost in silence");
    });
}

#[test]
fn nothing_is_handled_twice_or_out_of_order_wherever_a_connection_breaks() {
    (1..=8).for_each(survives_cuts);
}

/// Each life tells who is at home what it has handled.
fn lives_survive_cuts(seed: u64) {
    on_two_nodes(async |stage| {
        stage.far.host(true);
        let policy = Supervision::default()
            .with_backoff(Backoff::NONE)
            .with_intensity(1_000, Duration::from_secs(60));
        let supervisor = stage.here.spawn(SpawnOptions::new(), move || Supervisor::new(policy));
        let home = keeper(&stage.here, SpawnOptions::new());
        let granted = home.clone();
        let pack = move || Ok(Parcel::new(()).with_grant(Grant::of::<Push>(granted.recipient())));
        let place = Place::Remote(stage.far.me());
        let options = SpawnOptions::new().place(place).restart(Restart::OnFailure);
        let actor = supervisor.unwrap().supervise_portable::<Keeper>(options, pack).unwrap();
        stage.hub.break_often(seed, 10);
        stage.connect();
        let (mut number, mut answered) = (0, Vec::new());
        while stage.hub.breaks_left() > 0 || number < 300 {
            number += 1;
            if number % 5 == 0 {
                match actor.ask(PushElsewhere(number), LIMIT).await {
                    Ok(Ok(_)) => answered.push(number),
                    Ok(Err(_)) | Err(AskError::OutcomeUnknown) => {}
                    Err(other) => panic!("seed {seed}: {other:?}"),
                }
            } else {
                actor.tell(PushElsewhere(number)).await.unwrap();
            }
        }
        while actor.ask(Pushed, LIMIT).await.is_err() {}
        let all = home.ask(Pushed, LIMIT).await.unwrap();
        assert!(all.is_sorted_by(|a, b| a < b), "seed {seed}: doubled or out of order: {all:?}");
        let missing = answered.iter().find(|number| !all.contains(number));
        assert_eq!(missing, None, "seed {seed}: answered and not handled");
        assert!(actor.any().snapshot().restarts > 0, "seed {seed}: no connection broke");
    });
}

#[test]
fn lives_follow_one_another_wherever_a_connection_breaks() {
    (1..=4).for_each(lives_survive_cuts);
}
