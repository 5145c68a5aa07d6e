//! A report as one page, which needs nothing but itself.

use std::fmt::{Display, Write};

use super::text::{Facts, Section};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;display:block;overflow-x:auto}\
th,td{text-align:right;padding:.2em .8em;border-bottom:1px solid #8884}\
th:first-child,td:first-child,td:last-child,th:last-child{text-align:left}\
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}";

/// The page; `pictures` are markup, everything else is text.
pub(crate) fn page(
    title: &str,
    command: &str,
    facts: &Facts,
    sections: &[Section],
    pictures: &[String],
    notes: &[String],
) -> String {
    let title = Escaped(title);
    let mut page = format!("<h1>{title}</h1>\n<p><code>{}</code></p>\n<ul>\n", Escaped(command));
    for (name, value) in facts {
        let _ = writeln!(page, "<li>{name}: {}</li>", Escaped(value));
    }
    page.push_str("</ul>\n");
    for picture in pictures {
        page.push_str(picture);
    }
    for section in sections {
        let _ = writeln!(page, "<h2>{}</h2>", Escaped(&section.title));
        table(&mut page, section);
    }
    page.push_str("<h2>How to read it</h2>\n");
    list(&mut page, notes);
    document(title.0, "", &page)
}

/// Everything around what a page says; `style` is added to that of all pages.
pub(crate) fn document(title: &str, style: &str, body: &str) -> String {
    let title = Escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>{STYLE}{style}</style></head><body>\n{body}</body></html>\n"
    )
}

/// The section's table, without its title.
pub(crate) fn table(page: &mut String, section: &Section) {
    page.push_str("<table>\n");
    line(page, "th", &section.head);
    for row in &section.rows {
        line(page, "td", row);
    }
    page.push_str("</table>\n");
}

/// Each as an item.
pub(crate) fn list(page: &mut String, items: &[String]) {
    page.push_str("<ul>\n");
    for item in items {
        let _ = writeln!(page, "<li>{}</li>", Escaped(item));
    }
    page.push_str("</ul>\n");
}

fn line(page: &mut String, kind: &str, cells: &[String]) {
    page.push_str("<tr>");
    for cell in cells {
        let _ = write!(page, "<{kind}>{}</{kind}>", Escaped(cell));
    }
    page.push_str("</tr>\n");
}

/// Text that is nothing but text.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}
