//! What cells of the matrix are called in a report for people, and which characters of foreign text are shown.

use super::units::size;
use crate::{Cores, Key, Pages, Pattern, Policy, Section};

/// One line of visible characters. A report may have been read from a file: what would steer a terminal, break a line
/// or turn the direction of writing is shown as `�`.
pub(crate) fn clean(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim().chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Heading of a section.
pub(crate) const fn title(section: Section) -> &'static str {
    match section {
        Section::Floor => "What a hop is made of",
        Section::Switch => "A switch",
        Section::WorkingSet => "A switch with memory behind it",
        Section::Ring => "A ring of more than two",
        Section::Create => "Making one",
        Section::Memory => "Keeping one",
        Section::IpcLatency => "A message to and fro",
        Section::IpcThroughput => "Messages one way",
    }
}

/// What was measured, in a sentence under the heading.
pub(crate) const fn about(section: Section) -> &'static str {
    match section {
        Section::Floor => {
            "Calls, system calls and clocks, measured in the same run: what no switch can be cheaper than."
        }
        Section::Switch => {
            "Two units pass a turn to and fro; a hop is half a round trip, every one of them timed."
        }
        Section::WorkingSet => {
            "As a switch, and each side touches memory of its own at every hop. The hop is gross; the touch is what the \
             same memory costs without any switch; the refill is the difference, paired by round."
        }
        Section::Ring => "Some units pass a turn around on one core.",
        Section::Create => "A unit is made, does nothing, ends and is reaped.",
        Section::Memory => "Resident memory that each idle unit adds.",
        Section::IpcLatency => "Two sides pass a message to and fro; a hop is half a round trip.",
        Section::IpcThroughput => {
            "One side writes, the other reads. Switches a message say how many messages share one wake-up."
        }
    }
}

/// What one operation of a section is.
pub(crate) const fn operation(section: Section) -> &'static str {
    match section {
        Section::Switch | Section::WorkingSet | Section::Ring | Section::IpcLatency => "hop",
        Section::Create | Section::Memory => "unit",
        Section::IpcThroughput => "message",
        Section::Floor => "call",
    }
}

/// `one core`.
pub(crate) const fn place(cores: Cores) -> &'static str {
    match cores {
        Cores::Same => "one core",
        Cores::Sibling => "siblings",
        Cores::Other => "two cores",
    }
}

/// `chase, 4K pages`.
pub(crate) fn access(pattern: Option<Pattern>, pages: Option<Pages>) -> String {
    let pattern = pattern.map(|pattern| match pattern {
        Pattern::Sequential => "sequential",
        Pattern::Chase => "chase",
    });
    let pages = pages.map(|pages| match pages {
        Pages::Small => "4K pages",
        Pages::Huge => "2M pages",
    });
    [pattern, pages].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The mechanism, and what differs from a plain ping-pong: `futex-shared, 1 MiB, chase, 4K pages`.
pub(crate) fn how(key: &Key) -> String {
    let mut parts = vec![clean(&key.mechanism)];
    parts.extend(details(key));
    parts.join(", ")
}

/// What a key says beside unit, mechanism and place.
pub(crate) fn details(key: &Key) -> Vec<String> {
    let mut parts = Vec::new();
    if key.policy == Policy::Other {
        parts.push("usual scheduling".to_owned());
    }
    if key.units != 2 || key.section == Section::Ring {
        parts.push(format!("{} units", key.units));
    }
    if key.working_set > 0 || key.section == Section::WorkingSet {
        parts.push(size(key.working_set));
    }
    let access = access(key.pattern, key.pages);
    if !access.is_empty() {
        parts.push(access);
    }
    if key.message > 0 {
        parts.push(size(key.message));
    }
    if key.heap > 0 {
        parts.push(format!("{} heap", size(key.heap)));
    }
    parts
}

/// What rows of a section have in common that stand together, and what tells one of them from the others.
pub(crate) fn grouped(key: &Key) -> (String, String) {
    let (unit, place) = (key.unit.name().to_owned(), place(key.cores).to_owned());
    let mechanism = clean(&key.mechanism);
    let (group, label) = match key.section {
        Section::WorkingSet => {
            (vec![unit, mechanism, place, access(key.pattern, key.pages)], size(key.working_set))
        }
        Section::Ring => {
            let touched = format!("{} each", size(key.working_set));
            (vec![unit, mechanism, place, touched], format!("{} units", key.units))
        }
        Section::IpcLatency | Section::IpcThroughput => {
            (vec![unit, place, size(key.message)], mechanism)
        }
        Section::Floor | Section::Switch | Section::Create | Section::Memory => {
            (vec![unit, place], how(key))
        }
    };
    let group: Vec<String> = group.into_iter().filter(|part| !part.is_empty()).collect();
    (group.join(", "), label)
}

/// `thread, futex-private, one core`.
pub(crate) fn whole(key: &Key) -> String {
    format!("{}, {}, {}", key.unit.name(), how(key), place(key.cores))
}

/// With a large first letter.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// With a full stop, unless it ends with a mark already.
pub(crate) fn stopped(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', '!', '?', ':']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    #[test]
    fn nothing_that_steers_a_terminal_is_kept() {
        assert_eq!(clean(" a\u{1b}[2Jb\nc\u{202e}d "), "a�[2Jb�c�d");
        assert_eq!(clean("µs – “×”"), "µs – “×”");
    }

    #[test]
    fn a_key_is_told_in_words() {
        let plain = Key::new(Section::Switch, Unit::Thread, "pipe");
        assert_eq!(whole(&plain), "thread, pipe, one core");
        let much = Key {
            working_set: 1 << 20,
            pattern: Some(Pattern::Chase),
            pages: Some(Pages::Huge),
            cores: Cores::Other,
            policy: Policy::Other,
            ..Key::new(Section::WorkingSet, Unit::Process, "futex-shared")
        };
        assert_eq!(
            whole(&much),
            "process, futex-shared, usual scheduling, 1 MiB, chase, 2M pages, two cores"
        );
    }
}
