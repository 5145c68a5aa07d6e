//! What the run has found: how long and how dear a life is, and how many times the floor that is.

use serde::{Deserialize, Serialize};

use super::Played;
use super::Superservers;
use super::ways::{BASELINES, Way};
use crate::machine::Machine;
use crate::report::{Facts, Figures, Row, Section, markdown, plain, spread};

/// Name and version of the JSON form.
const SCHEMA: &str = "palco-bench-spawn/1";

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "A life is waited for: started, run, ended, reaped. Times are those of one life, in microseconds.",
    "p50 and p99 are over all lives of all rounds, CPU is the median of the rounds. Ratios are those of the p50s, and of \
     the processor times, of the same round: median and range over the rounds.",
    "CPU is user and system time of this process (CLOCK_PROCESS_CPUTIME_ID), of its reaped children (RUSAGE_CHILDREN) and \
     of its living descendants (their clocks); of the C program's likewise, by itself.",
    "The large parent has touched its memory page by page, in pages of 4 KiB; the C program has done the same in its own.",
    "/bin/true is started with an empty environment. palco's Spawner starts it on the thread that waits; it is \
     to take at most 1.1 times the floor.",
    "Actors in processes are confined (rlimits, Landlock, seccomp) unless the row says otherwise.",
];

const HEAD: [&str; 7] =
    ["", "p50 µs", "p99 µs", "ratio (range)", "CPU µs", "CPU ratio (range)", "what"];

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpawnReport {
    /// Name and version of this form.
    pub schema: String,
    /// What it ran on.
    pub machine: Machine,
    /// Rounds of every row.
    pub rounds: usize,
    /// One for each parent; none when they were not asked for.
    pub tables: Vec<SpawnTable>,
    /// Superservers, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superservers: Option<Superservers>,
    /// How to read the figures of the tables; what is said of superservers is theirs.
    pub notes: Vec<String>,
}

/// All ways with one parent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SpawnTable {
    /// What the parent has touched on purpose, in MiB.
    pub parent_mib: usize,
    /// Name of the row that the others are compared with.
    pub baseline: Option<String>,
    /// The ways.
    pub rows: Vec<Row>,
}

impl SpawnReport {
    pub(super) fn new(
        machine: Machine,
        rounds: usize,
        tables: Vec<SpawnTable>,
        superservers: Option<Superservers>,
    ) -> Self {
        let notes = if tables.is_empty() { &[] } else { NOTES };
        let notes = notes.iter().map(|note| (*note).to_owned()).collect();
        Self { schema: SCHEMA.to_owned(), machine, rounds, tables, superservers, notes }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and text alone")
    }

    /// As a Markdown page.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let of_superservers = self.superservers.iter().flat_map(|found| &found.notes);
        let notes = self.notes.iter().chain(of_superservers);
        markdown("Starting and losing a process", &self.facts(), &self.sections(), notes)
    }

    /// For a terminal.
    #[must_use]
    pub fn to_table(&self) -> String {
        plain(&self.facts(), &self.sections())
    }

    fn facts(&self) -> Facts {
        let mut facts = self.machine.facts();
        facts.push(("Rounds", format!("{}, interleaved", self.rounds)));
        facts.extend(self.superservers.as_ref().and_then(Superservers::fact));
        facts
    }

    fn sections(&self) -> Vec<Section> {
        let tables = self.tables.iter().map(SpawnTable::section);
        tables.chain(self.superservers.iter().flat_map(Superservers::sections)).collect()
    }
}

impl SpawnTable {
    pub(super) fn new(parent_mib: usize, ways: &[Way], played: &Played) -> Self {
        let floor = BASELINES.iter().find_map(|name| {
            let (_, rounds) = ways.iter().zip(played).find(|(way, _)| way.name == *name)?;
            Some((*name, rounds.as_ref().ok()?))
        });
        let rows = ways.iter().zip(played).map(|(way, outcome)| {
            let (figures, refused) = match outcome {
                Ok(rounds) => (Some(Figures::new(rounds, floor.map(|(_, rounds)| rounds))), None),
                Err(refusal) => (None, Some(refusal.clone())),
            };
            let (name, setting) = (way.name.to_owned(), way.setting.to_owned());
            Row { name, setting, figures, refused }
        });
        let baseline = floor.map(|(name, _)| name.to_owned());
        Self { parent_mib, baseline, rows: rows.collect() }
    }

    fn section(&self) -> Section {
        let rows = self.rows.iter().map(cells).collect();
        Section { title: self.title(), head: self.head(), rows }
    }

    fn title(&self) -> String {
        match self.parent_mib {
            0 => "A small parent".to_owned(),
            mib => format!("A parent with {mib} MiB touched"),
        }
    }

    fn head(&self) -> Vec<String> {
        let mut head = HEAD.map(str::to_owned).to_vec();
        if let Some(baseline) = &self.baseline {
            head[0] = format!("ratio to: {baseline}");
        }
        head
    }
}

fn cells(row: &Row) -> Vec<String> {
    let Some(figures) = &row.figures else {
        let why = row.refused.clone().unwrap_or_default();
        let empty = String::new;
        return vec![row.name.clone(), "–".into(), empty(), empty(), empty(), empty(), why];
    };
    let micros = |nanos: f64| format!("{:.1}", nanos / 1e3);
    vec![
        row.name.clone(),
        micros(figures.p50_ns),
        micros(figures.p99_ns),
        spread(figures.ratio),
        micros(figures.cpu_ns),
        spread(figures.ratio_cpu),
        row.setting.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::{Refusal, Round};
    use crate::spawn::ways;

    fn round(nanos: u64) -> Round {
        let (ops, ops_per_sample) = (2, 1);
        let samples = vec![nanos; 2];
        Round { samples, ops, ops_per_sample, wall_nanos: 2 * nanos, cpu_nanos: nanos }
    }

    fn report() -> SpawnReport {
        let ways = ways::all();
        let mut played: Played =
            ways.iter().map(|_| Ok(vec![round(3_000), round(9_000)])).collect();
        played[0] = Ok(vec![round(2_000), round(3_000)]);
        played[1] = Err(Refusal::failed("there is no C compiler").to_string());
        let tables = [0, 256].map(|mib| SpawnTable::new(mib, &ways, &played)).into();
        SpawnReport::new(Machine::default(), 2, tables, None)
    }

    #[test]
    fn ratios_are_those_to_the_floor() {
        let report = report();
        let row = &report.tables[1].rows[2];
        let figures = row.figures.as_ref().unwrap();
        let (wall, cpu) = (figures.ratio.unwrap(), figures.ratio_cpu.unwrap());
        assert!((wall.min - 1.5).abs() < 0.01 && (wall.max - 3.0).abs() < 0.01, "{wall:?}");
        assert!((cpu.median - 2.25).abs() < 0.01, "{cpu:?}");
    }

    #[test]
    fn a_way_that_cannot_be_gone_says_why() {
        for text in [report().to_table(), report().to_markdown()] {
            assert!(text.contains("there is no C compiler"), "{text}");
            assert!(text.contains("256 MiB touched"), "{text}");
        }
    }

    #[test]
    fn without_a_compiler_std_is_the_floor() {
        let ways = ways::all();
        let mut played: Played = ways.iter().map(|_| Ok(vec![round(3_000)])).collect();
        let refused = Err("there is no C compiler".to_owned());
        (played[0], played[1]) = (refused.clone(), refused);
        let table = SpawnTable::new(0, &ways, &played);
        assert_eq!(table.baseline.as_deref(), Some("std Command"));
        assert!(table.rows.last().unwrap().figures.as_ref().unwrap().ratio.is_some());
    }

    #[test]
    fn json_is_read_back() {
        let json = report().to_json();
        let read: SpawnReport = serde_json::from_str(&json).unwrap();
        assert_eq!(read.to_json(), json);
    }

    #[test]
    fn markdown_rows_have_as_many_cells_as_their_head() {
        let text = report().to_markdown();
        let cells = |line: &str| line.matches('|').count();
        let lines = text.lines().filter(|line| line.starts_with('|'));
        assert!(lines.clone().count() > 20);
        assert!(lines.map(cells).all(|cells| cells == HEAD.len() + 1), "{text}");
    }
}
