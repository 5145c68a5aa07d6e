//! An actor that does nothing bounds what is ahead of it, on both nodes.

use palco_actors::{RemoteOptions, Signal, SpawnOptions};

use crate::stage::{
    Carry, Hold, Keeper, LIMIT, Push, Pushed, Stage, holds, keeper, on_two_nodes, until,
};

fn find(stage: &Stage, remote: RemoteOptions) -> palco_actors::ActorRef<Keeper> {
    let options = SpawnOptions::new().mailbox_messages_max(10_000).remote(remote);
    stage.net.find_with(stage.far.me(), "kept", options).unwrap()
}

#[test]
fn no_more_messages_are_ahead_than_may_be_and_none_is_lost() {
    on_two_nodes(async |stage| {
        // Less room than is handed over: the rest waits beside the mailbox.
        let kept = keeper(&stage.there, SpawnOptions::new().mailbox_messages_max(8));
        stage.far.export("kept", &kept).unwrap();
        stage.connect();
        let stand_in = find(stage, RemoteOptions::new().ahead_messages_max(100));
        stand_in.tell(Hold).await.unwrap();
        for number in 0..5_000 {
            stand_in.try_tell(Push(number)).unwrap();
        }
        until(|| holds(&kept.any()) && kept.any().snapshot().queued == 8).await;
        let sent = || stage.net.peer(stage.far.me()).unwrap().sent.0;
        until(|| sent() == 101).await; // the question for the name, and 100 messages
        let inspection = stand_in.any().inspect(LIMIT).await;
        assert_eq!(inspection.state["ahead"], serde_json::json!([100, 0]));
        assert_eq!(sent(), 101, "nothing more while it is stuck");
        kept.any().signal(Signal::Interrupt);
        let all = stand_in.ask(Pushed, LIMIT).await.unwrap();
        assert_eq!(all, (0..5_000).collect::<Vec<_>>());
    });
}

#[test]
fn no_more_bytes_are_ahead_than_may_be() {
    on_two_nodes(async |stage| {
        let kept = stage.exported("kept");
        stage.connect();
        let stand_in = find(stage, RemoteOptions::new().ahead_bytes_max(100_000));
        stand_in.tell(Hold).await.unwrap();
        for _ in 0..50 {
            stand_in.try_tell(Carry(vec![7; 30_000])).unwrap();
        }
        let received = || stage.far.peer(stage.net.me()).unwrap().received;
        until(|| received().0 == 6).await; // the question, the message that holds, and four
        let inspection = stand_in.any().inspect(LIMIT).await;
        assert_eq!(inspection.state["ahead"], serde_json::json!([5, 0]));
        assert!(received().1 < 130_000, "{:?}", received());
        until(|| holds(&kept.any())).await;
        kept.any().signal(Signal::Interrupt);
        assert_eq!(stand_in.ask(Push(1), LIMIT).await.unwrap(), 1);
    });
}

#[test]
fn an_actor_that_is_stuck_holds_up_nobody_else_of_its_node() {
    on_two_nodes(async |stage| {
        let stuck = stage.exported("stuck");
        stage.exported("kept");
        stage.connect();
        let (stand_in, other) = (stage.find("stuck"), stage.find("kept"));
        stand_in.tell(Hold).await.unwrap();
        until(|| holds(&stuck.any())).await;
        while stand_in.try_tell(Push(1)).is_ok() {}
        for number in 0..200 {
            assert_eq!(other.ask(Push(number), LIMIT).await.unwrap(), number as usize + 1);
        }
        stuck.any().signal(Signal::Interrupt);
    });
}
