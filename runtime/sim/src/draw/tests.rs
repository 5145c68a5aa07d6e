//! Hand-made traces, and what must be in their pictures.

mod sample;

use palco_core::Time;
use palco_rambo::{ConfigurationMap, NodeId, Tag};
use proptest::prelude::*;
use sample::Sample;

use super::story::Story;
use super::{EVENTS_MAX, MESSAGES_MAX, Plot, Series, Subject, Window, page, plots_page, svg};
use crate::trace::{Happening, Traced};
use crate::{Trace, Violation};

fn whole(trace: &Trace) -> String {
    svg(trace, &Window::new(trace, 0..trace.events.len()))
}

fn shown(trace: &Trace, violations: &[Violation]) -> String {
    let facts = [("operations".to_owned(), "12".to_owned())];
    page(&Subject {
        title: "A run",
        command: "palco simulate --seed 7",
        facts: &facts,
        violations,
        trace,
    })
}

/// The first figure after this in a picture.
fn figure(text: &str, attribute: &str) -> f64 {
    let rest = text.split_once(&format!("{attribute}=\"")).unwrap().1;
    rest.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn an_arrow_goes_from_line_to_line_and_down_as_long_as_it_took() {
    let mut sample = Sample::new(2);
    sample.message(1, 2, 0, Some(1_000_000), "query");
    sample.message(2, 1, 1_000_000, Some(3_000_000), "queried");
    let picture = whole(&sample.sorted());
    let places: Vec<(f64, f64)> = picture
        .split("class=\"message ask")
        .filter_map(|part| {
            let path = part.split_once(" d=\"M")?.1.split('"').next()?;
            let ends: Vec<&str> = path.split(['L', 'M']).collect();
            Some((
                ends[0].split_once(' ')?.1.parse().ok()?,
                ends[2].split_once(' ')?.1.parse().ok()?,
            ))
        })
        .collect();
    // The first is that of the legend.
    let took: Vec<f64> = places.iter().skip(1).map(|(from, to)| to - from).collect();
    assert_eq!(took.len(), 2, "{picture}");
    assert!((took[1] / took[0] - 2.0).abs() < 0.02, "{took:?}");
    assert!(
        (places[2].0 - places[1].1).abs() < 0.2,
        "the answer leaves when the question comes: {places:?}"
    );
}

#[test]
fn a_lost_message_ends_in_a_cross_before_it_is_there() {
    let mut sample = Sample::new(2);
    sample.message(1, 2, 0, Some(500_000), "query");
    sample.message(1, 2, 600_000, None, "query");
    let picture = whole(&sample.sorted());
    let lost = picture.split_once("class=\"message lost ask\"").unwrap().1;
    let lines: Vec<f64> =
        picture.split("class=\"lifeline\"").skip(1).map(|line| figure(line, "x1")).collect();
    let [from, to] = ["x1", "x2"].map(|end| figure(lost, end));
    assert!(
        from - lines[0] < 6.0 && to < lines[1] - 40.0 && to > lines[0] + 40.0,
        "{from} {to} {lines:?}"
    );
    assert_eq!(picture.matches("class=\"cross\"").count(), 2, "and one in the legend");
    assert!(picture.contains("never came"));
}

#[test]
fn foreign_text_stays_text_wherever_it_is() {
    let bad = "</title></svg><script>alert(1)</script>\u{202e}&\"'";
    let mut sample = Sample::new(2);
    let node = NodeId(1);
    let text = || bad.to_owned();
    sample.push(Happening::Asked { client: 1, node, request: 1, what: text() });
    let (from, to, kind) = (node, NodeId(2), "<script>");
    sample.push(Happening::Message { from, to, arrived: None, kind, detail: text() });
    let tag = Tag { sequence: 1, ..Tag::ZERO };
    sample.push(Happening::Held { node, key: text(), tag });
    sample.push(Happening::Fault { node: Some(node), what: text() });
    sample.push(Happening::Fault { node: None, what: text() });
    sample.push(Happening::Told { client: 1, node, request: 1, what: text(), tag: Some(tag) });
    sample.push(Happening::Violation { what: text() });
    let trace = sample.sorted();
    let violation = Violation { check: "floor", at: Time::START, what: text() };
    let facts = [(text(), text())];
    let (violations, title) = ([violation], bad);
    let page = page(&Subject {
        title,
        command: bad,
        facts: &facts,
        violations: &violations,
        trace: &trace,
    });
    for picture in [whole(&trace), page] {
        assert!(!picture.contains("<script") && !picture.contains('\u{202e}'), "{picture}");
        assert!(picture.contains("&lt;script&gt;"));
        assert_eq!(picture.matches("<title").count(), picture.matches("</title").count());
        assert_eq!(picture.matches("<svg").count(), picture.matches("</svg").count());
    }
}

#[test]
fn a_window_shows_what_led_to_the_violation() {
    let mut sample = Sample::new(3);
    for _ in 0..200 {
        sample.phase(1, &[1, 2, 3], ["query", "queried"]);
    }
    sample.push(Happening::Violation { what: "L3: too old".to_owned() });
    let trace = sample.sorted();
    let window = Window::interesting(&trace);
    assert_eq!(window.events().end, trace.events.len());
    let messages = |window: &Window| {
        let events = &trace.events[window.events()];
        events.iter().filter(|event| matches!(event.what, Happening::Message { .. })).count()
    };
    assert_eq!(messages(&window), MESSAGES_MAX);
    let picture = svg(&trace, &window);
    assert!(
        picture.contains("L3: too old") && picture.contains("events before are not drawn"),
        "{picture}"
    );
    // A window that was asked for is no larger.
    assert_eq!(messages(&Window::new(&trace, 0..usize::MAX)), MESSAGES_MAX);
}

#[test]
fn without_a_violation_the_first_reconfiguration_is_shown_else_the_beginning() {
    let mut sample = Sample::new(3);
    for _ in 0..100 {
        sample.phase(1, &[1, 2, 3], ["query", "queried"]);
    }
    let quiet = sample.trace.clone();
    assert_eq!(Window::interesting(&quiet).events().start, 0);
    let at = sample.trace.events.len();
    sample.phase(2, &[1, 2, 3], ["prepare", "promised"]);
    for _ in 0..100 {
        sample.phase(1, &[1, 2, 3], ["query", "queried"]);
    }
    let window = Window::interesting(&sample.trace).events();
    assert!(
        window.start > 0 && window.start < at && window.end > at + 60,
        "{window:?} around {at}"
    );
}

#[test]
fn a_window_of_nothing_but_small_events_is_bounded_too() {
    let mut sample = Sample::new(2);
    for number in 0..5_000 {
        let tag = Tag { sequence: number, ..Tag::ZERO };
        sample.push_at(number, Happening::Held { node: NodeId(1), key: format!("k{number}"), tag });
    }
    let trace = sample.sorted();
    assert_eq!(Window::interesting(&trace).events().len(), EVENTS_MAX);
    assert!(shown(&trace, &[]).len() < 400_000);
}

#[test]
fn a_configuration_lasts_from_when_it_was_learned_until_it_was_removed() {
    let trace = Sample::story(12);
    let story = Story::of(&trace, 0..trace.events.len(), 0);
    let life = &story.lives[&NodeId(4)];
    let indices: Vec<_> =
        life.configurations.iter().map(|active| (active.index, active.is_removed)).collect();
    assert_eq!(indices, [(0, true), (1, false)]);
    let [first, second] = &life.configurations[..] else { panic!("two") };
    assert!(first.from == 0 && first.until > second.from && second.until == story.until);
    assert_eq!(story.slots(), 2);
    let crash = &story.lives[&NodeId(3)].breaks[..];
    assert!(matches!(crash, [stop] if stop.what == "crash" && stop.from < stop.until));
    assert!(matches!(&story.bands[..], [band] if band.what.starts_with("partition")));
}

#[test]
fn who_was_paused_goes_on_when_it_does_something() {
    let mut sample = Sample::new(2);
    sample.fault(Some(2), "pause");
    sample.message(1, 2, 300_000, Some(400_000), "query");
    sample.message(2, 1, 900_000, Some(950_000), "queried");
    let trace = sample.sorted();
    let story = Story::of(&trace, 0..trace.events.len(), 0);
    let breaks = &story.lives[&NodeId(2)].breaks[..];
    assert!(matches!(breaks, [stop] if (stop.from, stop.until) == (0, 900_000)), "{breaks:?}");
}

#[test]
fn troubles_between_nodes_last_until_all_is_mended() {
    let mut sample = Sample::new(2);
    for what in ["5 % lost", "partition n1 | n2", "partly mended", "mended", "mended"] {
        sample.fault(None, what);
    }
    sample.push(Happening::Violation { what: "late".to_owned() });
    let trace = sample.sorted();
    let story = Story::of(&trace, 0..trace.events.len(), 0);
    let bands: Vec<_> =
        story.bands.iter().map(|band| (band.from, band.until, band.what.as_str())).collect();
    assert_eq!(bands, [(0, 600_000, "5 % lost; partition n1 | n2")]);
    assert_eq!(story.notes.len(), 5);
}

#[test]
fn what_was_so_before_a_window_is_known_in_it() {
    let trace = Sample::story(12);
    let is_mended =
        |what: &Happening| matches!(what, Happening::Fault { what, .. } if what == "mended");
    let end = trace.events.iter().position(|event| is_mended(&event.what)).unwrap();
    let story = Story::of(&trace, end - 3..end, 0);
    assert_eq!(story.bands.len(), 1, "the partition is older than the window");
    assert_eq!(story.bands[0].from, story.from);
    assert!(story.lives[&NodeId(1)].configurations.iter().all(|active| active.from == story.from));
}

#[test]
fn a_page_stands_by_itself_and_is_the_same_each_time() {
    let trace = Sample::story(14);
    let violation =
        Violation { check: "floor", at: Time::from_nanos(9_000_000), what: "too old".to_owned() };
    let text = shown(&trace, &[violation]);
    for outside in ["http:", "https:", "<script", "src=", "href=", "@import", "url(", "NaN"] {
        assert!(!text.contains(outside), "{outside}");
    }
    assert_eq!(text.matches("<svg").count(), 3);
    assert!(text.contains("prefers-color-scheme: dark") && text.contains("@media print"));
    for element in ["section", "svg", "g", "text", "title", "p", "div", "figure"] {
        let opened = text.matches(&format!("<{element}>")).count()
            + text.matches(&format!("<{element} ")).count();
        assert_eq!(opened, text.matches(&format!("</{element}>")).count(), "{element}");
    }
    let violation =
        Violation { check: "floor", at: Time::from_nanos(9_000_000), what: "too old".to_owned() };
    assert_eq!(text, shown(&trace, &[violation]));
}

#[test]
fn an_empty_trace_is_an_empty_picture() {
    let trace = Trace::default();
    assert!(whole(&trace).contains("0 messages from 0 to 0"));
    assert!(shown(&trace, &[]).contains("No check objected."));
    assert!(
        svg(&trace, &Window::new(&Sample::story(3), 0..50)).contains("0 messages"),
        "a window of another trace"
    );
}

#[test]
fn a_thousand_nodes_and_their_configurations_stay_small() {
    let mut sample = Sample::new(1_000);
    for round in 0..40 {
        for node in 1..=1_000 {
            sample.message(
                node,
                1 + (node + round) % 1_000,
                round * 1_000_000,
                Some(round * 1_000_000 + 9),
                "query",
            );
        }
    }
    let text = shown(&sample.sorted(), &[]);
    assert!(text.len() < 1_500_000, "{}", text.len());
    assert!(text.contains("nodes have no line"));
}

#[test]
fn a_page_of_plots_has_its_figures_as_a_table() {
    let series = ["majority", "grid"].map(|name| Series {
        name: name.to_owned(),
        group: 0,
        points: vec![(10.0, 20.0), (100.0, 200.0)],
    });
    let plot = Plot {
        title: "Messages".to_owned(),
        x: "nodes".to_owned(),
        y: "messages".to_owned(),
        series: series.to_vec(),
    };
    let rows = [vec!["10".to_owned(), "<20>".to_owned()]];
    let text =
        plots_page("Growth", "About it.", &[plot.clone(), plot], (&["n", "messages"], &rows));
    assert_eq!((text.matches("<svg").count(), text.matches("<polyline").count()), (2, 4));
    assert!(text.contains("<td>&lt;20&gt;</td>") && !text.contains("<script"));
}

/// Anything that a trace can hold, in any order.
fn anything() -> impl Strategy<Value = Trace> {
    let node = (0_u64..20).prop_map(NodeId);
    let time = prop_oneof![0_u64..5_000_000, any::<u64>()].prop_map(Time::from_nanos);
    let words = || {
        prop_oneof![
            Just("crash".to_owned()),
            Just("back".to_owned()),
            Just("partition".to_owned()),
            ".{0,40}"
        ]
    };
    let tag = (0_u64..9, 0_u64..4).prop_map(|(sequence, node)| Tag {
        sequence,
        node: NodeId(node),
        boot: 1,
        n: 0,
    });
    let kind =
        prop_oneof![Just("query"), Just("queried"), Just("accept"), Just("inform"), Just("?")];
    let map = (0_u64..4, 1_u64..4).prop_map(|(base, many)| {
        let first = ConfigurationMap::of(sample::configuration(base, &[1, 2]));
        (1..many).fold(first, |map, next| {
            map.with_next(sample::configuration(base + next, &[2, 3])).unwrap()
        })
    });
    let message = (node.clone(), node.clone(), prop::option::of(time.clone()), kind, words());
    let what = prop_oneof![
        5 => message.prop_map(|(from, to, arrived, kind, detail)| Happening::Message { from, to, arrived, kind, detail }),
        1 => (0_u32..3, node.clone(), 0_u64..4, words())
            .prop_map(|(client, node, request, what)| Happening::Asked { client, node, request, what }),
        1 => (0_u32..3, node.clone(), 0_u64..4, words(), prop::option::of(tag.clone()))
            .prop_map(|(client, node, request, what, tag)| Happening::Told { client, node, request, what, tag }),
        1 => (node.clone(), "[ab]", tag).prop_map(|(node, key, tag)| Happening::Held { node, key, tag }),
        1 => (node.clone(), map).prop_map(|(node, map)| Happening::Learned { node, map }),
        1 => (prop::option::of(node.clone()), words()).prop_map(|(node, what)| Happening::Fault { node, what }),
        1 => words().prop_map(|what| Happening::Violation { what }),
    ];
    let events =
        prop::collection::vec((time, what).prop_map(|(at, what)| Traced { at, what }), 0..300);
    (prop::collection::vec(node, 0..20), events, 0_u64..9)
        .prop_map(|(nodes, events, dropped)| Trace { nodes, events, dropped })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_trace_has_a_picture_that_ends(trace in anything(), from in 0_usize..400, to in 0_usize..400) {
        let window = Window::new(&trace, from.min(to)..from.max(to));
        for picture in [svg(&trace, &window), shown(&trace, &[])] {
            prop_assert!(!picture.contains("NaN") && !picture.contains("inf\""));
            for element in ["svg", "g", "text", "title"] {
                let opened = picture.matches(&format!("<{element}>")).count() + picture.matches(&format!("<{element} ")).count();
                prop_assert_eq!(opened, picture.matches(&format!("</{}>", element)).count(), "{}", element);
            }
            prop_assert!(picture.len() < 2_000_000);
        }
    }
}
