//! The loop that reads one key while it is watched.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::web::Data;
use palco_rambo::{Command, Key};
use tokio::select;
use tokio::time::sleep;

use super::{Seen, Sight};
use crate::http::shared::{Found, Shared};

/// Between two reads of a key that has just changed, or whose watcher has just come.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Between two reads of a key that stays as it is: half as long again each time, up to this.
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// Reads until nobody watches.
pub(super) async fn run(shared: Data<Shared>, key: Key, sight: Arc<Sight>) {
    let mut pause = PAUSE_MIN;
    let mut last = None;
    while !shared.watches.retire(&key, &sight) {
        let read = sight.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let outcome = shared.run(Command::Read(key.clone()), shared.settings.answer_within).await;
        let what = Found::of(outcome);
        let etag = what.as_ref().ok().map(|found| found.etag.clone());
        let has_changed = etag.is_some() && etag != last;
        pause = if has_changed { PAUSE_MIN } else { (pause * 3 / 2).min(PAUSE_MAX) };
        last = etag.or(last);
        sight.seen.send_replace(Seen { read, what: Some(what) });
        select! {
            () = sleep(pause) => {}
            () = sight.hurry.notified() => pause = PAUSE_MIN,
            // Those who watch hear of it themselves.
            () = shared.ends() => return,
        }
    }
}
