//! One page that stands by itself: a table, and for each run a picture of who ran where.

mod bar;
mod picture;

use std::fmt::Write;

use super::{Run, count, time};

/// Bars of a whole page at most, twice over: a page stays below 2 MB, whatever the runs did.
const BARS_MAX: usize = 7_000;

/// Columns of a picture: what is narrower becomes shade.
const COLUMNS: std::ops::RangeInclusive<usize> = 40..=1_000;

const STYLE: &str = include_str!("page/style.css");

/// The page: HTML with its style and its pictures inside, and nothing to load or to run.
#[must_use]
pub fn page(runs: &[Run]) -> String {
    let lanes: usize = runs.iter().map(picture::lanes).sum();
    let columns = (BARS_MAX / lanes.max(1)).clamp(*COLUMNS.start(), *COLUMNS.end());
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>A blocking call and its policies</title>\n<style>\n{STYLE}{}</style>\n\
         </head>\n<body>\n<h1>A blocking call, and what each policy does about it</h1>\n<p>A sleeper makes a blocking call \
         again and again, while a ticker only gives way and counts its turns. Both are user-level threads on kernel threads \
         (LWPs). When the sleeper blocks in the kernel, so does the LWP under it, and with it everybody who has no other.\
         </p>\n",
        bar::colours(),
    );
    text.push_str(&table(runs));
    for run in runs {
        let policy = run.settings.policy;
        let _ = write!(
            text,
            "<section>\n<h2>{policy}</h2>\n<p>{}.</p>\n<p><strong>{}</strong></p>\n{}",
            policy.sentence(),
            run.sentence(),
            picture::picture(run, columns),
        );
        if run.dropped > 0 {
            let _ = writeln!(text, "<p>{} events were not kept.</p>", count(run.dropped));
        }
        text.push_str("</section>\n");
    }
    text.push_str(
        "<p class=\"legend\"><span class=\"blocked\"></span> blocked in the kernel <span class=\"t0\"></span> ticker \
         <span class=\"s0\"></span> sleeper <span class=\"mixed\"></span> several by turns. Paler: shorter than a column, \
         as much of it as there was. What a thread ran is what it had to run: whether the kernel let it run all the time is \
         not known. Rest the pointer on a bar for its times.</p>\n</body>\n</html>\n",
    );
    text
}

const HEADING: [&str; 9] = [
    "policy",
    "ticker’s turns",
    "gap, median",
    "gap, longest",
    "call, median",
    "total",
    "ideal",
    "adds to a short call",
    "calls without a turn",
];

fn table(runs: &[Run]) -> String {
    let mut text = String::from("<table>\n<thead><tr>");
    for heading in HEADING {
        let _ = write!(text, "<th scope=\"col\">{heading}</th>");
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for Run { settings, outcome, extra_per_call, .. } in runs {
        let _ = write!(text, "<tr><th scope=\"row\">{}</th>", settings.policy);
        for cell in [
            count(outcome.ticker_turns),
            time(outcome.gap_median),
            time(outcome.gap_longest),
            time(outcome.call_median),
            time(outcome.total),
            time(outcome.ideal),
            time(*extra_per_call),
            format!("{} of {}", outcome.calls_without_a_turn, outcome.calls),
        ] {
            let _ = write!(text, "<td>{cell}</td>");
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n");
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use palco_fibers::lab::{Event, FiberId, Fibers, Lane, Policy, What};

    use super::super::run::tests::run;
    use super::*;

    #[test]
    fn a_page_stands_by_itself() {
        let text = page(&Policy::ALL.map(run));
        for outside in ["http:", "https:", "<script", "src=", "href=", "@import", "url("] {
            assert!(!text.contains(outside), "{outside}");
        }
        assert_eq!(text.matches("<svg").count(), 4);
        assert!(text.contains("prefers-color-scheme: dark") && text.contains("@media print"));
        assert!(text.contains("<title>sleeper 0 blocked for 5.00 ms from 1.00 ms on"), "{text}");
        for element in ["section", "svg", "g", "table", "title", "text", "p"] {
            let opened = text.matches(&format!("<{element}>")).count()
                + text.matches(&format!("<{element} ")).count();
            assert_eq!(opened, text.matches(&format!("</{element}>")).count(), "{element}");
        }
    }

    #[test]
    fn a_page_of_many_turns_and_many_threads_stays_small() {
        let mut busy = run(Policy::Go);
        let fibers = [FiberId::Ticker(0), FiberId::Sleeper(15)].map(Fibers::only);
        let at = |number: u32| Duration::from_nanos(9_500 * u64::from(number));
        busy.outcome.total = at(6_000);
        busy.events.clear();
        for lane in (0..16).map(Lane::Lwp).chain((0..16).map(Lane::Helper)) {
            for number in 0..6_000 {
                let fibers = fibers[number as usize % 2];
                let what = What::Ran { fibers, turns: 1_000, until: at(number + 1) };
                busy.events.push(Event { at: at(number), lane, what });
            }
        }
        let text = page(&[busy.clone(), busy.clone(), busy.clone(), busy]);
        assert!(text.len() < 2_000_000, "{}", text.len());
    }
}
