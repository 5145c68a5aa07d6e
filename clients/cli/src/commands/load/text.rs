//! What `palco load` says to people.

use std::fmt::Write;
use std::time::Duration;

use palco_load::generator::{Distribution, Figures, Outcome};

/// Width of the longest bar, in characters.
const BAR: u64 = 40;
/// From which ratio on the two times are worth a sentence.
const APART: f64 = 2.0;

pub(super) fn progress(figures: &Figures) -> String {
    let Figures { elapsed, answered, failed, in_flight, response, .. } = figures;
    let warm = if figures.is_warming_up { " (warming up)" } else { "" };
    let (p50, p99) = (time(response.p50()), time(response.p99()));
    let seconds = elapsed.as_secs_f64();
    format!(
        "{seconds:.1} s{warm}: {answered} answered, {failed} failed, {in_flight} open; p50 {p50}, p99 {p99}"
    )
}

pub(super) fn outcome(outcome: &Outcome) -> String {
    let mut text = String::new();
    let Outcome { intended, sent, answered, failed, response, service, lateness, .. } = outcome;
    let per_s = outcome.per_s();
    let seconds = outcome.elapsed.as_secs_f64();
    line(
        &mut text,
        &format!(
            "{answered} of {intended} requests answered in {seconds:.1} s: {per_s:.0} a second"
        ),
    );
    if failed.all() > 0 {
        let error = outcome.error.as_deref().unwrap_or_default();
        line(&mut text, &format!("failed: {failed} (last: {error}); sent: {sent}"));
    }
    let heading = ["", "p50", "p90", "p99", "p99.9", "max", "mean"];
    row(&mut text, &heading.map(str::to_owned));
    for (name, times) in [("response", response), ("service", service), ("lateness", lateness)] {
        let figures =
            [times.p50(), times.p90(), times.p99(), times.p999(), times.max(), times.mean()];
        let mut cells = vec![name.to_owned()];
        cells.extend(figures.map(time));
        row(&mut text, &cells);
    }
    line(&mut text, "response: from when a request was due; service: from when it was sent;");
    line(&mut text, "lateness: how late this generator was itself");
    if let Some(sentence) = apart(response, service) {
        line(&mut text, &sentence);
    }
    let (busy, cpu) = (outcome.busy * 100.0, time(outcome.cpu));
    let (received, sent) = (outcome.bytes_in, outcome.bytes_out);
    line(
        &mut text,
        &format!(
            "generator: {busy:.0} % busy, {cpu} of processor; {received} bytes in, {sent} out"
        ),
    );
    let crowd = &outcome.crowd;
    if crowd.opened + crowd.refused > 0 {
        line(
            &mut text,
            &format!(
                "crowd: {} opened, {} refused, {} closed by the server, {} left by FIN, {} by RST",
                crowd.opened,
                crowd.refused,
                crowd.closed_by_server,
                crowd.left_by_fin,
                crowd.left_by_rst
            ),
        );
    }
    picture(&mut text, response);
    text
}

/// A sentence where the two times differ much.
fn apart(response: &Distribution, service: &Distribution) -> Option<String> {
    let (seen, told) = (response.p99(), service.p99());
    if service.count() == 0 || seen.as_secs_f64() < APART * told.as_secs_f64() {
        return None;
    }
    let (seen, told) = (time(seen), time(told));
    Some(format!(
        "Clients wait up to {seen} (p99), although once sent a request takes {told}: requests were due while all \
         connections were busy, and who only measures from the sending does not see it."
    ))
}

/// Response times, as bars.
fn picture(text: &mut String, times: &Distribution) {
    let buckets = times.buckets();
    let most = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0);
    for (bound, count) in buckets {
        let bound = time(bound);
        let bar = "#".repeat(usize::try_from((count * BAR).div_ceil(most)).unwrap_or(0));
        line(text, &format!("  < {bound:>9} {count:>10} {bar}"));
    }
}

fn row(text: &mut String, cells: &[String]) {
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:>9}")).collect();
    line(text, &cells.join(" "));
}

fn line(text: &mut String, line: &str) {
    // A string always has room.
    let _ = writeln!(text, "{line}");
}

/// A time with three digits and a unit.
fn time(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        0.0..1e3 => format!("{micros:.1} us"),
        1e3..1e6 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.2} s", micros / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        let times = [(900, "0.9 us"), (1_500_000, "1.50 ms"), (2_000_000_000, "2.00 s")];
        for (nanos, text) in times {
            assert_eq!(time(Duration::from_nanos(nanos)), text);
        }
    }
}
