//! A peer that sends what cannot be loses its connection, and nobody else notices.

use bytes::Bytes;
use palco_transport::Lane;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::stage::{LIMIT, Push, Pushed, on_two_nodes, until};

#[test]
fn nonsense_ends_the_connection_and_nothing_else() {
    on_two_nodes(async |stage| {
        let keeper = stage.exported("kept");
        let stand_in = stage.find("kept");
        let forged: [(Lane, &[u8]); 6] = [
            (Lane::Normal, &[]),
            (Lane::Normal, &[255; 8]),
            (Lane::Bulk, &[5, 1]),
            (Lane::Normal, &[2, 77, 0, 0, 0]), // a message of a channel that was never opened
            (Lane::Normal, &[9, 77]),          // a start on one
            (Lane::Urgent, &[3, 1, 0, 0, 0, 0]), // signals to an exported actor
        ];
        for (lane, bytes) in forged {
            stage.connect();
            stand_in.ask(Push(1), LIMIT).await.unwrap();
            stage.hub.forge(&stage.net, &stage.far, lane, Bytes::from_static(bytes));
            until(|| stage.net.peer(stage.far.me()).unwrap().session.is_none()).await;
        }
        assert_eq!(keeper.ask(Pushed, LIMIT).await.unwrap().len(), forged.len());
    });
}

#[test]
fn whatever_a_peer_sends_nobody_panics() {
    on_two_nodes(async |stage| {
        let keeper = stage.exported("kept");
        stage.far.host(true);
        let frame =
            prop::collection::vec((any::<bool>(), prop::collection::vec(0u8..24, 1..12)), 1..20);
        let mut runner = TestRunner::default();
        let tried = runner.run(&frame, |frames| {
            stage.connect();
            for (is_urgent, bytes) in frames {
                let lane = if is_urgent { Lane::Urgent } else { Lane::Normal };
                stage.hub.forge(&stage.net, &stage.far, lane, bytes.into());
            }
            Ok(())
        });
        tried.unwrap();
        assert!(keeper.any().snapshot().last_exit.is_none());
        keeper.ask(Pushed, LIMIT).await.unwrap();
    });
}
