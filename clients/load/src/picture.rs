//! Pictures that need no script: a frame, an axis, and times up to the rarest.

pub(crate) mod percentiles;
mod scale;

pub(crate) use scale::Scale;

use crate::report::Escaped;

/// Of every picture, in its own units: about as wide as a telephone, so that it is read there.
pub(crate) const WIDTH: f64 = 460.0;

/// How frames, axes and curves look.
pub(crate) const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884}\
figure{margin:0;min-width:0}figcaption{font-size:.9em;line-height:1.3;margin-bottom:.3em}\
figure svg{width:100%;height:auto;font:11px system-ui,sans-serif;fill:currentColor}\
.tick{opacity:.75;font-size:10px}.grid{stroke:var(--line);fill:none}\
.curve{fill:none;stroke-width:2;stroke:currentColor}";

/// A picture with its title above it, and what it shows in words for who cannot see it.
pub(crate) fn begin(title: &str, subtitle: &str, description: &str, height: f64) -> String {
    let (title, subtitle, description) = (Escaped(title), Escaped(subtitle), Escaped(description));
    format!(
        "<figure><figcaption><b>{title}</b><br>{subtitle}</figcaption>\n\
         <svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title><desc>{description}</desc>\n"
    )
}

pub(crate) fn end(mut picture: String) -> String {
    picture.push_str("</svg></figure>\n");
    picture
}
