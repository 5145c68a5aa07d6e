//! What a service remembers about a client is seen from outside, wherever it is served and while nothing is asked.

use std::time::Duration;

use palco_files::sftp::SftpService;

use crate::actors::serving;
use crate::client::Client;
use crate::sftp;
use crate::stage::{in_every_cell, trials, until};

trials! {
    what_is_remembered_about_an_idle_client_is_seen,
}

fn what_is_remembered_about_an_idle_client_is_seen() {
    in_every_cell(|stage| {
        let root = stage.directory();
        std::fs::write(root.join("a"), "a").unwrap();
        let server = stage.serve::<SftpService>(stage.settings(), root.into());
        let mut client = Client::of(&server);
        client.say(sftp::begins());
        client.hear(|heard| sftp::plain(heard) == "version 3|");
        for count in 1..=2 {
            client.say(sftp::opens("a"));
            client.hear(|heard| sftp::plain(heard) == "handle|");
            // Workers without a client do not answer.
            until("its handles are seen", || {
                serving(&server).iter().any(|actor| {
                    let seen = stage.wait("it answers", actor.inspect(Duration::from_millis(200)));
                    seen.state["handles"] == count && seen.state["requests"] == count + 1
                })
            });
        }
    });
}
