//! What the run has found of superservers: what a connection costs each, and how many times openbsd-inetd's price that is.

use serde::{Deserialize, Serialize};

use super::programs::Program;
use super::subject::Subject;
use super::{CLIENTS, Played, Turn};
use crate::actors::Round;
use crate::report::{Figures, Section, spread};

/// What a reader must know to read the figures rightly.
const NOTES: &[&str] = &[
    "Superservers: a connection is timed from connecting to the end of input, that is until its program has ended. With \
     `cat` the client sends 64 bytes, half-closes, and checks what comes back. What fails is not timed, and said.",
    "`×1` is one client, which connects again when it has been served; `×8` are eight of them. CPU is that of the \
     superserver and of the programs it has started, until the last has ended: median of the rounds; ratios are those of \
     the processor times of the same round. Times of single connections are those of one client.",
    "A client alone that waits on a timer shows in the maximum: inetutils-inetd sleeps for a second when the end of a \
     program interrupts its select. So the time of a round is bounded, and such a superserver serves fewer connections.",
    "Targets of palco inetd, also with 256 MiB touched: at most 390 µs CPU for /bin/true, 300 µs for true statically \
     linked, and 1.5 times less than openbsd-inetd.",
];

/// `×8` are as many.
const HEAD: [&str; 11] = [
    "",
    "CPU µs ×1",
    "ratio (range)",
    "conn/s ×1",
    "p50 µs",
    "p99 µs",
    "max µs",
    "CPU µs ×8",
    "ratio (range)",
    "conn/s ×8",
    "what",
];

/// All superservers with all programs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Superservers {
    /// How processor time was counted; empty when nobody could be started.
    pub accounting: String,
    /// Clients of the concurrent figures.
    pub clients: usize,
    /// One for each program.
    pub tables: Vec<SuperserverTable>,
    /// How to read the figures, and what is missing.
    pub notes: Vec<String>,
}

/// All superservers with one program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuperserverTable {
    /// What is started for each connection.
    pub program: String,
    /// Name of the row that the others are compared with.
    pub baseline: Option<String>,
    /// The superservers.
    pub rows: Vec<SuperserverRow>,
}

/// One superserver with one program. An operation is a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuperserverRow {
    /// Its name.
    pub name: String,
    /// How it was started.
    pub setting: String,
    /// One client, one connection after the other.
    pub sequential: Option<Figures>,
    /// Several clients at once.
    pub concurrent: Option<Figures>,
    /// Connections that were not served, of all rounds.
    pub failures: u64,
    /// What the first of them met.
    pub failure: Option<String>,
    /// Why there are no figures.
    pub refused: Option<String>,
}

impl Superservers {
    pub(super) fn new(
        accounting: String,
        programs: &[Program],
        subjects: &[Subject],
        played: &[Vec<Played>],
        missing: Vec<String>,
    ) -> Self {
        let tables = programs.iter().zip(played);
        let tables =
            tables.map(|(program, played)| SuperserverTable::new(program, subjects, played));
        let notes = NOTES.iter().map(|note| (*note).to_owned()).chain(missing);
        Self { accounting, clients: CLIENTS, tables: tables.collect(), notes: notes.collect() }
    }

    pub(in crate::spawn) fn fact(&self) -> Option<(&'static str, String)> {
        (!self.accounting.is_empty()).then(|| ("CPU of superservers", self.accounting.clone()))
    }

    pub(in crate::spawn) fn sections(&self) -> impl Iterator<Item = Section> {
        self.tables.iter().map(|table| {
            let mut head = HEAD.map(str::to_owned).to_vec();
            if let Some(baseline) = &table.baseline {
                head[0] = format!("ratio to: {baseline}");
            }
            let title = format!("Superservers: one program per connection, {}", table.program);
            Section { title, head, rows: table.rows.iter().map(cells).collect() }
        })
    }
}

impl SuperserverTable {
    fn new(program: &Program, subjects: &[Subject], played: &[Played]) -> Self {
        let both = || subjects.iter().zip(played);
        let baseline = both().find(|(subject, _)| **subject == Subject::BASELINE);
        let baseline = baseline.and_then(|(subject, turns)| Some((subject, turns.as_ref().ok()?)));
        let row = |(subject, played): (&Subject, &Played)| {
            let row = SuperserverRow {
                name: subject.name(),
                setting: subject.setting().to_owned(),
                sequential: None,
                concurrent: None,
                failures: 0,
                failure: None,
                refused: None,
            };
            match played {
                Ok(turns) => row.with(turns, baseline.map(|(_, turns)| turns.as_slice())),
                Err(refusal) => SuperserverRow { refused: Some(refusal.clone()), ..row },
            }
        };
        Self {
            program: program.name.to_owned(),
            rows: both().map(row).collect(),
            baseline: baseline.map(|(subject, _)| subject.name()),
        }
    }
}

impl SuperserverRow {
    fn with(self, turns: &[Turn], baseline: Option<&[Turn]>) -> Self {
        let figures = |of: fn(&Turn) -> &Round| {
            let rounds = |turns: &[Turn]| turns.iter().map(|turn| of(turn).clone()).collect();
            let rounds_of_baseline: Option<Vec<Round>> = baseline.map(rounds);
            let rounds: Vec<Round> = rounds(turns);
            Figures::new(&rounds, rounds_of_baseline.as_ref())
        };
        Self {
            sequential: Some(figures(|turn| &turn.sequential)),
            concurrent: Some(figures(|turn| &turn.concurrent)),
            failures: turns.iter().map(|turn| turn.failures).sum(),
            failure: turns.iter().find_map(|turn| turn.failure.clone()),
            ..self
        }
    }

    /// What is said in the last cell.
    fn remark(&self) -> String {
        let why = self.failure.as_deref().unwrap_or_default();
        match self.failures {
            0 => self.setting.clone(),
            failures => format!("{}; {failures} FAILED: {why}", self.setting),
        }
    }
}

fn cells(row: &SuperserverRow) -> Vec<String> {
    let mut cells = vec![row.name.clone()];
    if let (Some(one), Some(several)) = (&row.sequential, &row.concurrent) {
        let micros = |nanos: f64| format!("{:.0}", nanos / 1e3);
        let per_second = |figures: &Figures| format!("{:.0}", 1e9 / figures.median_ns.max(1.0));
        cells.extend([micros(one.cpu_ns), spread(one.ratio_cpu), per_second(one)]);
        cells.extend([one.p50_ns, one.p99_ns, one.max_ns].map(micros));
        cells.extend([micros(several.cpu_ns), spread(several.ratio_cpu), per_second(several)]);
        cells.push(row.remark());
    } else {
        cells.push("–".to_owned());
        cells.resize(HEAD.len() - 1, String::new());
        cells.push(row.refused.clone().unwrap_or_default());
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::super::{programs, subject};
    use super::*;
    use crate::spawn::Settings;

    fn turn(cpu_nanos: u64, failures: u64) -> Turn {
        let (samples, ops) = (vec![500_000, 1_000_500_000], 2);
        let round = Round { samples, ops, ops_per_sample: 1, wall_nanos: 1_001_000_000, cpu_nanos };
        let failure = (failures > 0).then(|| "reset by peer".to_owned());
        Turn { sequential: round.clone(), concurrent: round, failures, failure }
    }

    fn report() -> Superservers {
        let (programs, _) = programs::all();
        let subjects = subject::all(&Settings::default());
        let played = programs.iter().map(|_| {
            let played = subjects.iter().map(|subject| match subject {
                Subject::Openbsd => Ok(vec![turn(800_000, 0), turn(1_600_000, 0)]),
                Subject::Xinetd => Err("absent: not there".to_owned()),
                Subject::Inetutils => Ok(vec![turn(800_000, 0), turn(800_000, 3)]),
                _ => Ok(vec![turn(400_000, 0), turn(800_000, 0)]),
            });
            played.collect()
        });
        let played: Vec<Vec<Played>> = played.collect();
        let missing = vec!["There is no table".to_owned()];
        Superservers::new("by the minute".to_owned(), &programs, &subjects, &played, missing)
    }

    fn row<'a>(report: &'a Superservers, name: &str) -> &'a SuperserverRow {
        let mut rows = report.tables[0].rows.iter();
        rows.find(|row| row.name == name).unwrap()
    }

    #[test]
    fn ratios_are_those_to_openbsd_inetd_in_the_same_round() {
        let report = report();
        assert_eq!(report.tables[0].baseline.as_deref(), Some("openbsd-inetd"));
        let ratio = |name| row(&report, name).concurrent.as_ref().unwrap().ratio_cpu.unwrap();
        let palco = ratio("palco inetd");
        assert!((palco.min - 0.5).abs() < 1e-9 && (palco.max - 0.5).abs() < 1e-9, "{palco:?}");
        assert!((ratio("inetutils-inetd").median - 0.75).abs() < 1e-9);
    }

    #[test]
    fn who_is_absent_and_who_failed_is_shown() {
        let report = report();
        assert_eq!(row(&report, "xinetd").refused.as_deref(), Some("absent: not there"));
        let section = report.sections().next().unwrap();
        let said = |name: &str| section.rows.iter().find(|row| row[0] == name).unwrap();
        assert_eq!(said("xinetd").last().unwrap(), "absent: not there");
        assert!(said("inetutils-inetd").last().unwrap().contains("3 FAILED: reset by peer"));
        assert!(!said("tcpserver").last().unwrap().contains("FAILED"));
    }

    #[test]
    fn a_stall_shows_in_the_maximum_and_in_the_rate() {
        let report = report();
        let section = report.sections().next().unwrap();
        assert!(section.rows.iter().all(|row| row.len() == HEAD.len()));
        let palco = &section.rows[0];
        assert_eq!((palco[3].as_str(), palco[4].as_str()), ("2", "500"));
        assert!(palco[6].parse::<f64>().unwrap() > 1e6 - 1e3, "{palco:?}");
    }

    #[test]
    fn without_openbsd_inetd_there_are_no_ratios() {
        let (programs, _) = programs::all();
        let subjects = [Subject::Openbsd, Subject::Tcpserver];
        let played = [Err("absent".to_owned()), Ok(vec![turn(400_000, 0)])];
        let table = SuperserverTable::new(&programs[0], &subjects, &played);
        assert_eq!(table.baseline, None);
        assert_eq!(table.rows[1].concurrent.as_ref().unwrap().ratio_cpu, None);
    }
}
