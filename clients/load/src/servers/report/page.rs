//! A report as one page that needs nothing but itself: first what follows, then why, then every figure.

mod style;

use std::fmt::Write;

use super::chart::{dots, legend, tails};
use super::notes::BOOK;
use super::ranking::absent;
use super::text::{TITLE, class, verdict};
use super::words::{counted, of, short};
use super::{Ranking, ServersReport};
use crate::picture;
use crate::report::{Escaped, Section, document, list, table};
use crate::servers::contestant::Dialect;
use crate::servers::workload::{Measure, Workload};

/// A question that architectures answer differently, and what shows it.
struct Axis {
    title: &'static str,
    why: &'static str,
    shown: &'static [(Workload, Measure)],
}

/// Further ones must be asked for.
const REVERSALS_SHOWN: usize = 6;

const AXES: [Axis; 4] = [
    Axis {
        title: "What a connection costs",
        why: "A design may start a process or a thread for each connection, or have it ready. Beside it: a round trip on a \
              connection that stays, for which nothing is started.",
        shown: &[(Workload::Short, Measure::Cpu), (Workload::PingPong, Measure::Cpu)],
    },
    Axis {
        title: "Many idle or slow connections",
        why: "A connection that says nothing may hold a process, a thread or a few KiB; clients that never end their request \
              may hold every worker there is, until nobody else is answered.",
        shown: &[
            (Workload::Idle, Measure::MemoryPerConnection),
            (Workload::Slowloris, Measure::Answered),
        ],
    },
    Axis {
        title: "Handlers that block or compute",
        why: "A handler that blocks or computes may hold up all connections that share its thread.",
        shown: &[(Workload::Block, Measure::P99), (Workload::Cpu, Measure::P99)],
    },
    Axis {
        title: "Faults",
        why: "What dies together with the server of one client, how soon somebody serves again, and what a leak leaves behind.",
        shown: &[
            (Workload::Crash, Measure::Lost),
            (Workload::Crash, Measure::Recovery),
            (Workload::Leak, Measure::Growth),
        ],
    },
];

impl ServersReport {
    /// The page: without scripts, light or dark as the reader's machine is.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut page = format!(
            "<h1>{TITLE}</h1>\n<p class=\"lead\">Every model of palco in every place, the same designs in C, and the servers \
             people use, under the same work.</p>\n"
        );
        page.push_str(
            "<nav><a href=\"#control\">Process control</a> <a href=\"#axes\">Four questions</a> \
             <a href=\"#tails\">Response times</a> <a href=\"#which\">Which architecture</a> \
             <a href=\"#figures\">All figures</a> <a href=\"#run\">The run</a></nav>\n",
        );
        page.push_str("<section class=\"says\"><h2>What this run says</h2>\n");
        list(&mut page, &self.summary());
        page.push_str("</section>\n");
        self.write_control(&mut page);
        self.write_axes(&mut page);
        self.write_tails(&mut page);
        self.write_which(&mut page);
        self.write_figures(&mut page);
        self.write_run(&mut page);
        document(TITLE, &[picture::STYLE, style::STYLE].concat(), &page)
    }

    fn write_control(&self, page: &mut String) {
        let section = self.control_section();
        begin(page, "control", "Process control: what each design adds to serving");
        let _ = writeln!(
            page,
            "<p>CPU of the server for one short connection, and the same less that of the iterative server: what is left is \
             the price of the design. {}</p>\n<p>The target: palco at most {} times the CPU of the C program of the same \
             design, which has no limits, no deadlines and no supervision.</p>",
            Escaped(BOOK),
            super::control::BY_FLOOR_MAX
        );
        marked(page, &section, |row, column, cell| {
            let is_verdict = section.head[column] == "target" && cell == verdict(false);
            if is_verdict {
                return "bad".to_owned();
            }
            if column == 0 { self.class_of(&row[0]) } else { String::new() }
        });
        page.push_str("</section>\n");
    }

    fn write_axes(&self, page: &mut String) {
        begin(page, "axes", "Four questions that architectures answer differently");
        page.push_str(
            "<p>Each mark is the median of the rounds, its line goes from the least round to the greatest. Servers stand in the \
             same order everywhere: each C program, and below it the servers of the same design.</p>\n",
        );
        page.push_str(&legend());
        for Axis { title, why, shown } in &AXES {
            let drawn = |dialect: Dialect| {
                let seen = shown.iter().filter_map(move |(workload, measure)| {
                    dots(self, self.table(*workload, dialect)?, *measure)
                });
                seen.collect::<String>()
            };
            let [plain, http, resp] = Dialect::ALL.map(drawn);
            let groups = [plain, http + &resp];
            if groups.iter().all(String::is_empty) {
                continue;
            }
            let _ = writeln!(page, "<h3>{title}</h3>\n<p>{why}</p>");
            for pictures in groups.iter().filter(|pictures| !pictures.is_empty()) {
                let _ = writeln!(page, "<div class=\"pictures\">\n{pictures}</div>");
            }
        }
        page.push_str("</section>\n");
    }

    fn write_tails(&self, page: &mut String) {
        let pictures = self.tables.iter().filter_map(|table| Some((table, tails(self, table)?)));
        let pictures: Vec<_> = pictures.collect();
        if pictures.is_empty() {
            return;
        }
        begin(page, "tails", "Response times at the same rate");
        page.push_str(
            "<p>From the moment a request was due until it was answered, up to the rarest: each further nine is as wide as the \
             one before. The best of each kind and the last are marked and named, all others are faint.</p>\n",
        );
        page.push_str(&legend());
        page.push_str("<div class=\"pictures\">\n");
        pictures.iter().for_each(|(_, picture)| page.push_str(picture));
        page.push_str("</div>\n<details><summary>Percentiles as tables</summary>\n");
        for (measured, _) in &pictures {
            self.write_table(page, &self.percentiles(measured));
        }
        page.push_str("</details></section>\n");
    }

    fn write_which(&self, page: &mut String) {
        begin(page, "which", "Which architecture for which work");
        page.push_str(
            "<p>Find your work; first is who cannot be told from the best. Who fails answered less than 95 % of what was \
             asked.</p>\n",
        );
        marked(page, &self.choices(), |_, _, _| "words".to_owned());
        page.push_str(
            "<p>The same by server: places from 1 on. Who shares a place cannot be told apart; “–” was not asked.</p>\n",
        );
        for dialect in Dialect::ALL {
            let section = self.places(dialect);
            if section.rows.is_empty() {
                continue;
            }
            let _ = writeln!(page, "<h3>{}</h3>", Escaped(&section.title));
            marked(page, &section, |row, column, cell| match cell {
                _ if column == 0 => self.class_of(&row[0]),
                "1" => "first".to_owned(),
                "fails" => "bad".to_owned(),
                _ => String::new(),
            });
        }
        for ranking in &self.rankings {
            write_ranking(page, ranking);
        }
        if !self.reversals.is_empty() {
            page.push_str("<h3>Where the ranking reverses</h3>\n<p>What is best for the one is bad for the other: there is no \
                           best server, only a best server for a kind of work.</p>\n");
            let said = self.reversals.iter().map(|of| {
                format!("{} (Kendall's tau {:.2}, {})", of.sentence, of.tau, of.dialect.name())
            });
            let said: Vec<String> = said.collect();
            let (first, more) = said.split_at(said.len().min(REVERSALS_SHOWN));
            list(page, first);
            if !more.is_empty() {
                let _ = writeln!(page, "<details><summary>{} more</summary>", more.len());
                list(page, more);
                page.push_str("</details>\n");
            }
        }
        page.push_str("</section>\n");
    }

    fn write_figures(&self, page: &mut String) {
        begin(page, "figures", "All figures");
        page.push_str("<p>Median of the rounds, and from the least to the greatest.</p>\n");
        for measured in &self.tables {
            self.write_table(page, &self.measures(measured));
        }
        page.push_str("</section>\n");
    }

    fn write_table(&self, page: &mut String, section: &Section) {
        let _ = writeln!(page, "<h3>{}</h3>", Escaped(&section.title));
        marked(page, section, |row, column, _| match section.head[column].as_str() {
            _ if column == 0 => self.class_of(&row[0]),
            "remark" => "remark".to_owned(),
            _ => String::new(),
        });
    }

    fn write_run(&self, page: &mut String) {
        begin(page, "run", "The run, and how to read it");
        let _ = writeln!(page, "<p><code>{}</code></p>", Escaped(&self.command));
        let facts = self.facts().into_iter().map(|(name, value)| format!("{name}: {value}"));
        list(page, &facts.collect::<Vec<_>>());
        page.push_str("<h3>How to read it</h3>\n");
        list(page, &self.notes);
        let missing = self.missing();
        if !missing.is_empty() {
            page.push_str("<h3>What is missing</h3>\n");
            list(page, &missing);
        }
        page.push_str("<details><summary>How each server was started</summary>\n");
        let rows = self
            .contestants
            .iter()
            .map(|one| vec![one.name.clone(), one.classic.clone(), one.setting.clone()]);
        let head = ["", "design", "setting"].map(str::to_owned).to_vec();
        table(page, &Section { title: String::new(), head, rows: rows.collect() });
        page.push_str("</details></section>\n");
    }

    /// Who was not measured, by reason.
    fn missing(&self) -> Vec<String> {
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for table in &self.tables {
            let absent = absent(table);
            for row in &table.rows {
                let remarks = || row.remarks.join("; ");
                let why = match &row.refused {
                    Some(why) => why.clone(),
                    None if absent.contains(&row.contestant) => {
                        format!("no figure of {}: {}", of(table.workload.deciding()), remarks())
                    }
                    None => continue,
                };
                let reason = format!("{}: {why}", table.workload.title());
                match reasons.iter_mut().find(|(known, _)| *known == reason) {
                    Some((_, names)) => names.push(row.contestant.clone()),
                    None => reasons.push((reason, vec![row.contestant.clone()])),
                }
            }
        }
        reasons
            .into_iter()
            .map(|(reason, names)| format!("{reason} – {}", names.join("; ")))
            .collect()
    }

    fn class_of(&self, name: &str) -> String {
        self.contestant(name).map_or(String::new(), |one| class(one.origin).to_owned())
    }
}

fn begin(page: &mut String, id: &str, title: &str) {
    let _ = writeln!(page, "<section id=\"{id}\"><h2>{title}</h2>");
}

fn write_ranking(page: &mut String, ranking: &Ranking) {
    let _ = writeln!(
        page,
        "<h3>{} ({})</h3>\n<p>{}</p>\n<details><summary>The order, in {}</summary><ol>",
        Escaped(ranking.workload.title()),
        ranking.dialect.name(),
        Escaped(&ranking.sentence),
        counted(ranking.groups.len(), "group")
    );
    for group in &ranking.groups {
        let members = group
            .members
            .iter()
            .map(|(name, figure)| format!("{name} ({})", short(ranking.measure, *figure)));
        let members: Vec<String> = members.collect();
        let _ = writeln!(page, "<li>{}</li>", Escaped(&members.join("; ")));
    }
    page.push_str("</ol></details>\n");
}

/// A table whose cells may have a class; names are the heads of their rows.
fn marked(page: &mut String, section: &Section, class: impl Fn(&[String], usize, &str) -> String) {
    page.push_str("<div class=\"scroll\"><table class=\"figures\">\n<thead><tr>");
    for name in &section.head {
        let _ = write!(page, "<th scope=\"col\">{}</th>", Escaped(name));
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in &section.rows {
        page.push_str("<tr>");
        for (column, cell) in row.iter().enumerate() {
            let (kind, scope) = if column == 0 { ("th", " scope=\"row\"") } else { ("td", "") };
            let class = class(row, column, cell);
            let _ = write!(page, "<{kind}{scope} class=\"{class}\">{}</{kind}>", Escaped(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
}
