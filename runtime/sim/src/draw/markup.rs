//! Elements that always end, and foreign text that stays where it was put.

use std::fmt::{self, Display, Write};

/// Attributes of an element; values are escaped when they are written.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

/// A part of a page or picture as it grows. Names of elements and attributes are ours, all else is escaped.
#[derive(Clone, Debug, Default)]
pub(super) struct Markup {
    text: String,
}

impl Markup {
    pub(super) const fn new() -> Self {
        Self { text: String::new() }
    }

    /// An element around others.
    pub(super) fn within(
        &mut self,
        element: &'static str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.open(element, attributes);
        self.text.push('>');
        inside(self);
        let _ = write!(self.text, "</{element}>");
        self.end_line(element);
    }

    /// An element around words.
    pub(super) fn leaf(&mut self, element: &'static str, attributes: Attributes<'_>, words: &str) {
        self.within(element, attributes, |markup| escape(&mut markup.text, words));
    }

    /// An element around nothing.
    pub(super) fn void(&mut self, element: &'static str, attributes: Attributes<'_>) {
        self.open(element, attributes);
        self.text.push_str("/>");
        self.end_line(element);
    }

    /// A mark that says more when the pointer rests on it.
    pub(super) fn titled(
        &mut self,
        element: &'static str,
        attributes: Attributes<'_>,
        title: &str,
    ) {
        self.within(element, attributes, |markup| markup.leaf("title", &[], title));
    }

    /// What is written in this program, as it is.
    pub(super) fn ours(&mut self, text: &'static str) {
        self.text.push_str(text);
    }

    /// What was built as markup elsewhere.
    pub(super) fn append(&mut self, part: &Self) {
        self.text.push_str(&part.text);
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// A straight line.
    pub(super) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let ends: Attributes<'_> = &[
            ("class", &class),
            ("x1", &Px(x1)),
            ("y1", &Px(y1)),
            ("x2", &Px(x2)),
            ("y2", &Px(y2)),
        ];
        self.void("line", ends);
    }

    /// Words in a picture; the class says how they are aligned.
    pub(super) fn label(&mut self, class: &str, (x, y): (f64, f64), words: &str) {
        self.leaf("text", &[("class", &class), ("x", &Px(x)), ("y", &Px(y))], words);
    }

    /// An area in a picture, with what it says when the pointer rests on it.
    pub(super) fn area(
        &mut self,
        class: &str,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        title: &str,
    ) {
        let place: Attributes<'_> = &[
            ("class", &class),
            ("x", &Px(x)),
            ("y", &Px(y)),
            ("width", &Px(width.max(0.4))),
            ("height", &Px(height.max(0.4))),
        ];
        self.titled("rect", place, title);
    }

    fn open(&mut self, element: &'static str, attributes: Attributes<'_>) {
        let _ = write!(self.text, "<{element}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            escape(&mut self.text, &value.to_string());
            self.text.push('"');
        }
    }

    /// Lines of a length that a person can read; never inside words.
    fn end_line(&mut self, element: &'static str) {
        if !matches!(element, "title" | "span" | "b" | "code" | "a") {
            self.text.push('\n');
        }
    }
}

/// A place or length in a picture: finite, in tenths, and no farther than anybody looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Px(pub(super) f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = if self.0.is_finite() { self.0.clamp(-1e5, 1e5) } else { 0.0 };
        // Adding nothing makes `-0` a `0`.
        write!(f, "{}", (length * 10.0).round() / 10.0 + 0.0)
    }
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if super::words::is_shown(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_values_stay_in_their_place() {
        let mut markup = Markup::new();
        markup.leaf("code", &[("title", &"\"/><script>")], "</code>&'\u{0}\u{202e}");
        assert_eq!(
            markup.into_text(),
            "<code title=\"&quot;/&gt;&lt;script&gt;\">&lt;/code&gt;&amp;&#39;\u{fffd}\u{fffd}</code>"
        );
    }

    #[test]
    fn a_place_is_always_a_number() {
        let shown = [f64::NAN, f64::NEG_INFINITY, 2.27, -0.01, 1e300].map(|at| Px(at).to_string());
        assert_eq!(shown, ["0", "0", "2.3", "0", "100000"]);
    }
}
