//! What came of a load, as one page that needs nothing but itself.

use super::{Distribution, Outcome};
use crate::picture::percentiles::{HEIGHT, axes, curve};
use crate::picture::{self, Scale, begin, end};
use crate::report::{Escaped, Section, document, list, micros, number, table};

const TITLE: &str = "A load, and how long its answers took";

const STYLE: &str =
    "figure{max-width:46em}.service{stroke-dasharray:6 3}.lateness{stroke-dasharray:2 2}";

const NOTES: [&str; 4] = [
    "Response: from the moment at which a request was due to its answer, which is what a client sees. Requests that timed out \
     or were never sent are in it with the time they had waited.",
    "Service: from when it was sent. Where it is far below the response, requests waited for a connection: the server is too \
     slow for this rate, or stands still now and then.",
    "Lateness: how late the generator was itself.",
    "Each further nine of the percentile is as wide as the one before; times are on a logarithmic scale.",
];

impl Outcome {
    /// The page of a load that was asked for with `command`: a curve through each of the three times up to the rarest, and
    /// the figures. Light or dark as the reader's machine is.
    #[must_use]
    pub fn to_html(&self, command: &str) -> String {
        let mut page = format!("<h1>{TITLE}</h1>\n<p><code>{}</code></p>\n", Escaped(command));
        list(&mut page, &self.facts());
        if !self.warnings.is_empty() {
            page.push_str("<h2>To be read with care</h2>\n");
            list(&mut page, &self.warnings);
        }
        page.push_str(&self.picture());
        table(&mut page, &self.figures());
        page.push_str("<h2>How to read it</h2>\n");
        list(&mut page, &NOTES.map(str::to_owned));
        document(TITLE, &[picture::STYLE, STYLE].concat(), &page)
    }

    fn facts(&self) -> Vec<String> {
        let Self { answered, intended, busy, .. } = self;
        let seconds = self.elapsed.as_secs_f64();
        let mut facts = vec![format!(
            "{answered} of {intended} requests answered in {seconds:.1} s: {} a second",
            number(self.per_s())
        )];
        if self.failed.all() > 0 {
            let last = self.error.as_deref().unwrap_or("unknown");
            facts.push(format!("failed: {} (last: {last})", self.failed));
        }
        facts
            .push(format!("the generator's thread was busy for {:.0} % of the time", busy * 100.0));
        facts
    }

    fn times(&self) -> [(&'static str, &Distribution); 3] {
        [("response", &self.response), ("service", &self.service), ("lateness", &self.lateness)]
    }

    fn picture(&self) -> String {
        let curves = self.times().map(|(name, times)| (name, times.curve_us()));
        let scale =
            Scale::logarithmic(curves.iter().flat_map(|(_, of)| of.iter().map(|(_, us)| *us)));
        let p99 = micros(self.response.p99().as_secs_f64() * 1e6);
        let description = format!(
            "99 of 100 requests were answered within {p99}. All figures are in the table below."
        );
        let subtitle = "by percentile: response ───, service ╌╌╌, lateness ┄┄┄";
        let mut picture = begin("Times", subtitle, &description, HEIGHT);
        axes(&mut picture, scale);
        for (name, times) in &curves {
            curve(&mut picture, name, name, times, scale);
        }
        end(picture)
    }

    fn figures(&self) -> Section {
        let head = ["", "p50", "p90", "p99", "p99.9", "max", "mean", "count"].map(str::to_owned);
        let row = |(name, of): (&str, &Distribution)| {
            let times = [of.p50(), of.p90(), of.p99(), of.p999(), of.max(), of.mean()];
            let times = times.map(|time| micros(time.as_secs_f64() * 1e6));
            [&[name.to_owned()], &times[..], &[of.count().to_string()]].concat()
        };
        Section { title: String::new(), head: head.to_vec(), rows: self.times().map(row).to_vec() }
    }
}
