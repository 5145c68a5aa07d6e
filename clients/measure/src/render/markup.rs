//! Elements that always end, attributes and text that never leave their place.

use std::fmt::{self, Display, Write};

/// Attributes of one element; values are escaped when they are written.
pub(crate) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A page, or a part of one, as it grows. Tags and names of attributes are ours; everything else is escaped.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    text: String,
}

impl Markup {
    pub(crate) const fn new() -> Self {
        Self { text: String::new() }
    }

    /// An element with others inside.
    pub(crate) fn within(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.begin(tag, attributes, ">");
        inside(self);
        let _ = write!(self.text, "</{tag}>");
    }

    /// An element with text inside.
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>, text: &str) {
        self.within(tag, attributes, |markup| markup.text(text));
    }

    /// An element with nothing inside.
    pub(crate) fn void(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.begin(tag, attributes, "/>");
    }

    /// Words.
    pub(crate) fn text(&mut self, text: &str) {
        escape(&mut self.text, text);
    }

    /// What is written in this program, as it is: the style sheet, the first line.
    pub(crate) fn ours(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// What was built as markup elsewhere.
    pub(crate) fn append(&mut self, part: &Self) {
        self.text.push_str(&part.text);
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn begin(&mut self, tag: &'static str, attributes: Attributes<'_>, end: &str) {
        let _ = write!(self.text, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape(&mut self.text, &value.to_string());
            self.text.push('"');
        }
        self.text.push_str(end);
        if tag != "text" && tag != "span" && tag != "td" && tag != "th" {
            self.text.push('\n');
        }
    }
}

/// A length or place in a picture: finite, and no longer than it can be seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Px(pub(crate) f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(length) = *self;
        let length = if length.is_finite() { length.clamp(-1e5, 1e5) } else { 0.0 };
        // Tenths are enough, and `-0` is none.
        write!(f, "{}", (length * 10.0).round() / 10.0 + 0.0)
    }
}

/// Markup signs by their names; what must not stand in a document at all as `�`.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_stay_in_their_place() {
        let mut markup = Markup::new();
        markup.leaf("b", &[("title", &"\"><script>")], "</b>&'\u{0}");
        let text = markup.into_text();
        assert_eq!(
            text,
            "<b title=\"&quot;&gt;&lt;script&gt;\">\n&lt;/b&gt;&amp;&#39;\u{fffd}</b>"
        );
    }

    #[test]
    fn a_length_is_a_number() {
        let shown =
            [f64::NAN, f64::INFINITY, 1.26, -0.01, 1e300].map(|length| Px(length).to_string());
        assert_eq!(shown, ["0", "0", "1.3", "0", "100000"]);
    }
}
