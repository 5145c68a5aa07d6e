//! Prometheus' text format, version 0.0.4: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//!
//! By hand: prometheus-client writes OpenMetrics, whose counters `promtool check metrics` takes for untyped.

use std::fmt::{Display, Write};

/// The media type.
pub(crate) const TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Metrics one after the other.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

/// The samples of one metric.
#[derive(Debug)]
pub(crate) struct Metric<'a> {
    page: &'a mut Page,
    name: &'static str,
}

impl Page {
    /// What only grows; its name ends in `_total`.
    pub(crate) fn counter(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.begin(name, "counter", help)
    }

    /// What goes up and down.
    pub(crate) fn gauge(&mut self, name: &'static str, help: &str) -> Metric<'_> {
        self.begin(name, "gauge", help)
    }

    fn begin(&mut self, name: &'static str, kind: &str, help: &str) -> Metric<'_> {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Metric { page: self, name }
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl Metric<'_> {
    /// One sample. Labels must not occur twice.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Self {
        let text = &mut self.page.0;
        text.push_str(self.name);
        for (at, (name, value)) in labels.iter().enumerate() {
            text.push(if at == 0 { '{' } else { ',' });
            let _ = write!(text, "{name}=\"{}\"", escape(value));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(text, "{end} {value}");
        self
    }
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_follow_their_metric_and_labels_are_escaped() {
        let mut page = Page::default();
        page.gauge("up", "Whether it is up.").sample(&[], 1);
        page.counter("asked_total", "Asks.").sample(&[("who", "a\"b\\c\nd"), ("x", "y")], 2.5);
        let expected = "# HELP up Whether it is up.\n# TYPE up gauge\nup 1\n\
            # HELP asked_total Asks.\n# TYPE asked_total counter\nasked_total{who=\"a\\\"b\\\\c\\nd\",x=\"y\"} 2.5\n";
        assert_eq!(page.into_text(), expected);
    }
}
