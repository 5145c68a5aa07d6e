//! `palco simulate --story`: a run whose every message is placed by hand, told and drawn.

use std::process::ExitCode;

use anyhow::Result;
use palco_sim::draw::{self, Subject, Window};
use palco_sim::trace::Happening;
use palco_sim::{Story, Told, Violation};
use serde_json::json;

use super::runs::Verdict;
use super::{name_of, write};
use crate::args::Simulate;
use crate::output;

pub(super) fn tell(wanted: &Simulate, story: Story, json: bool) -> Result<ExitCode> {
    let name = name_of(&Story::ALL, &story);
    let told = story.tell();
    if json {
        let Told { title, says, holds, .. } = &told;
        output::json(&json!({ "story": name, "title": title, "says": says, "holds": holds }))?;
    } else {
        output::line(format!("{}\n", told.title))?;
        for (at, sentence) in told.says.iter().enumerate() {
            output::line(format!("{:>2}. {sentence}", at + 1))?;
        }
    }
    if let Some(file) = &wanted.html {
        write(file, &page(name, &told))?;
        output::talk(format!("{}: a page for any browser", file.display()));
    }
    if let Some(file) = &wanted.svg {
        let all = Window::new(&told.trace, 0..told.trace.events.len());
        write(file, &draw::svg(&told.trace, &all))?;
        output::talk(format!("{}: a picture", file.display()));
    }
    let verdict = if told.holds { Verdict::Sound } else { Verdict::Violated };
    Ok(verdict.exit_code())
}

fn page(name: &str, told: &Told) -> String {
    let facts: Vec<_> =
        told.says.iter().zip(1..).map(|(says, at)| (format!("{at}"), says.clone())).collect();
    let violations: Vec<_> = told
        .trace
        .events
        .iter()
        .filter_map(|event| match &event.what {
            Happening::Violation { what } => {
                Some(Violation { check: "floor", at: event.at, what: what.clone() })
            }
            Happening::Message { .. }
            | Happening::Asked { .. }
            | Happening::Told { .. }
            | Happening::Held { .. }
            | Happening::Learned { .. }
            | Happening::Fault { .. } => None,
        })
        .collect();
    draw::page(&Subject {
        title: &told.title,
        command: &format!("palco simulate --story {name}"),
        facts: &facts,
        violations: &violations,
        trace: &told.trace,
    })
}
