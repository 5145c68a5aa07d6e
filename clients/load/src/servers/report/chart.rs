//! Pictures that need no script: one measure of all servers, and their response times up to the rarest.

mod dots;
mod tails;

use std::fmt::Write;

pub(super) use dots::dots;
pub(super) use tails::tails;

use crate::servers::contestant::Origin;

/// What marks a server, by its origin: a disc, an open square, a triangle.
fn mark(origin: Origin, x: f64, y: f64, class: &str) -> String {
    match origin {
        Origin::Palco => {
            format!("<circle class=\"mark palco{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>")
        }
        Origin::C => format!(
            "<rect class=\"mark floor{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"/>",
            x - 3.5,
            y - 3.5
        ),
        Origin::Peer => {
            format!("<path class=\"mark peer{class}\" d=\"M{x:.1} {:.1}l4.5 8h-9z\"/>", y - 5.0)
        }
    }
}

/// The marks, and whose they are.
pub(super) fn legend() -> String {
    let mut text = "<p class=\"legend\">".to_owned();
    let all = [
        (Origin::Palco, "palco"),
        (Origin::C, "C, nothing but the calls of the design"),
        (Origin::Peer, "other servers"),
    ];
    for (origin, name) in all {
        let _ = write!(
            text,
            "<span><svg viewBox=\"0 0 12 12\" width=\"12\" height=\"12\" aria-hidden=\"true\">{}</svg> {name}</span> ",
            mark(origin, 6.0, 6.0, "")
        );
    }
    text.push_str("</p>\n");
    text
}
