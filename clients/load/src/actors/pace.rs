//! The timed loops. All contestants run through these and no others, so all are timed and verified alike.

use std::future::Future;
use std::time::{Duration, Instant};

use super::contest::{Load, Outcome, Refusal, Round};
use crate::{cpu, family};

/// Asks one after the other. `ask` sends a number and returns the reply: the count with the number added.
pub(crate) async fn asks<F>(load: Load, mut ask: impl FnMut(u64) -> F) -> Outcome
where
    F: Future<Output = Result<u64, Refusal>>,
{
    let mut expected = 0;
    let mut watch = Watch::new(load);
    for sample in 0..load.warmup_samples + load.samples {
        watch.begin(sample);
        for _ in 0..load.ops_per_sample {
            expected += 1;
            Refusal::unless_equal(expected, ask(1).await?)?;
        }
        watch.end();
    }
    Ok(watch.finish())
}

/// Tells in bursts; a burst ends when its last message has been handled, which an ask of nothing behind it says. That
/// one ask is part of the time.
pub(crate) async fn tells<T, R>(
    load: Load,
    mut tell: impl FnMut(u64) -> T,
    mut read: impl FnMut() -> R,
) -> Outcome
where
    T: Future<Output = Result<(), Refusal>>,
    R: Future<Output = Result<u64, Refusal>>,
{
    let mut expected = 0;
    let mut watch = Watch::new(load);
    for sample in 0..load.warmup_samples + load.samples {
        watch.begin(sample);
        for _ in 0..load.ops_per_sample {
            tell(1).await?;
        }
        expected += load.ops_per_sample;
        Refusal::unless_equal(expected, read().await?)?;
        watch.end();
    }
    Ok(watch.finish())
}

/// Lives one after the other. `live` starts an actor, asks it once, ends it, and returns the reply.
pub(crate) async fn lives<F>(load: Load, mut live: impl FnMut() -> F) -> Outcome
where
    F: Future<Output = Result<u64, Refusal>>,
{
    let mut watch = Watch::new(load);
    for sample in 0..load.warmup_samples + load.samples {
        watch.begin(sample);
        for _ in 0..load.ops_per_sample {
            Refusal::unless_equal(1, live().await?)?;
        }
        watch.end();
    }
    Ok(watch.finish())
}

/// Times samples, but for those that warm up.
struct Watch {
    load: Load,
    round: Round,
    begun: Instant,
    /// When the first sample that counts began, and the processor time then.
    counting: Option<(Instant, u64)>,
}

impl Watch {
    fn new(load: Load) -> Self {
        let samples = Vec::with_capacity(usize::try_from(load.samples).unwrap_or(0));
        let round = Round { samples, ops_per_sample: load.ops_per_sample, ..Round::default() };
        Self { load, round, begun: Instant::now(), counting: None }
    }

    fn begin(&mut self, sample: u64) {
        if sample == self.load.warmup_samples {
            let cpu = if self.load.with_processes {
                family::nanos_before()
            } else {
                cpu::process_nanos()
            };
            self.counting = Some((Instant::now(), cpu));
        }
        self.begun = Instant::now();
    }

    fn end(&mut self) {
        if self.counting.is_some() {
            self.round.samples.push(nanos(self.begun.elapsed()));
        }
    }

    fn finish(mut self) -> Round {
        if let Some((since, cpu)) = self.counting {
            self.round.wall_nanos = nanos(since.elapsed());
            let now =
                if self.load.with_processes { family::nanos_after() } else { cpu::process_nanos() };
            self.round.cpu_nanos = now.saturating_sub(cpu);
        }
        self.round.ops = self.round.samples.len() as u64 * self.load.ops_per_sample;
        self.round
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use palco_threads::block_on;

    use super::*;

    fn load(warmup_samples: u64, ops_per_sample: u64) -> Load {
        let (confined, with_processes) = (false, false);
        Load { samples: 5, warmup_samples, ops_per_sample, confined, with_processes }
    }

    #[test]
    fn warming_up_is_done_and_not_counted() {
        let load = load(2, 3);
        let mut count = 0;
        let round = block_on(asks(load, |n| {
            count += n;
            ready(Ok(count))
        }))
        .unwrap();
        assert_eq!(count, 21);
        assert_eq!((round.samples.len(), round.ops), (5, 15));
        assert!(round.wall_nanos >= round.samples.iter().sum::<u64>());
    }

    #[test]
    fn a_wrong_reply_is_refused_at_once() {
        let outcome = block_on(asks(load(0, 1), |_| ready(Ok(7))));
        assert_eq!(outcome.unwrap_err(), Refusal::WrongCount { expected: 1, got: 7 });
    }
}
