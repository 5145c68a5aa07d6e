//! Where words are already: no two lie on each other. What finds no room is left to the pointer.

use super::super::markup::{Attributes, Markup, Px};

/// Width of a letter and height of a line of small words.
const LETTER: f64 = 5.3;
const LINE: f64 = 10.0;

/// Places that are taken.
#[derive(Debug, Default)]
pub(super) struct Room {
    taken: Vec<Box>,
}

#[derive(Clone, Copy, Debug)]
struct Box {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Box {
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

impl Room {
    pub(super) const fn new() -> Self {
        Self { taken: Vec::new() }
    }

    /// Nothing is written there.
    pub(super) fn take(&mut self, (left, top): (f64, f64), (width, height): (f64, f64)) {
        self.taken.push(Box { left, top, right: left + width, bottom: top + height });
    }

    /// Words that begin there, or a little above or below; says whether there was room.
    pub(super) fn place(
        &mut self,
        out: &mut Markup,
        class: &str,
        (x, y): (f64, f64),
        words: &str,
        title: &str,
    ) -> bool {
        let wide = words.chars().count() as f64 * LETTER;
        let shift = [0.0, 5.0, -5.0, 10.0, -10.0]
            .into_iter()
            .find(|shift| self.is_free((x, y + shift - LINE + 2.0), wide));
        let Some(shift) = shift else { return false };
        self.take((x, y + shift - LINE + 2.0), (wide, LINE));
        let place: Attributes<'_> = &[("class", &class), ("x", &Px(x)), ("y", &Px(y + shift))];
        out.within("text", place, |out| {
            out.leaf("title", &[], title);
            out.leaf("tspan", &[], words);
        });
        true
    }

    /// Words along an arrow, near its beginning; says whether there was room.
    pub(super) fn place_along(
        &mut self,
        out: &mut Markup,
        ((x1, y1), (x2, y2)): ((f64, f64), (f64, f64)),
        words: &str,
        class: &str,
    ) -> bool {
        let (dx, dy) = (x2 - x1, y2 - y1);
        let wide = words.chars().count() as f64 * LETTER;
        if dx.abs() < wide + 12.0 || dy.abs() > dx.abs() {
            return false;
        }
        let place = [0.3, 0.42, 0.55, 0.68].into_iter().find_map(|share| {
            let (x, y) = (x1 + share * dx, y1 + share * dy - 3.0);
            let left = x - wide / 2.0;
            let is_inside = left > x1.min(x2) + 2.0 && left + wide < x1.max(x2) - 2.0;
            // A slanted word takes more height.
            let slope = (dy / dx).abs() * wide;
            let (top, tall) = (y - LINE - slope / 2.0, LINE + slope);
            (is_inside && self.is_free_area((left, top), (wide, tall))).then_some((x, y, top, tall))
        });
        let Some((x, y, top, tall)) = place else { return false };
        self.take((x - wide / 2.0, top), (wide, tall));
        let degrees = (dy / dx).atan().to_degrees();
        let turn = format!("rotate({} {} {})", Px(degrees), Px(x), Px(y));
        let class = format!("said middle {class}-text");
        out.leaf(
            "text",
            &[("class", &class), ("x", &Px(x)), ("y", &Px(y)), ("transform", &turn)],
            words,
        );
        true
    }

    fn is_free(&self, place: (f64, f64), wide: f64) -> bool {
        self.is_free_area(place, (wide, LINE))
    }

    fn is_free_area(&self, (left, top): (f64, f64), (wide, tall): (f64, f64)) -> bool {
        let wanted = Box { left, top, right: left + wide, bottom: top + tall };
        !self.taken.iter().any(|taken| taken.meets(&wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_way_to_each_other_and_are_left_out_at_last() {
        let (mut room, mut out) = (Room::new(), Markup::new());
        let placed: Vec<bool> =
            (0..6).map(|_| room.place(&mut out, "small", (0.0, 100.0), "word", "")).collect();
        assert_eq!(placed, [true, true, true, false, false, false]);
        let text = out.into_text();
        assert!(text.contains("y=\"100\"") && text.contains("y=\"110\""), "{text}");
    }

    #[test]
    fn an_arrow_that_is_too_short_or_too_steep_carries_no_words() {
        let (mut room, mut out) = (Room::new(), Markup::new());
        assert!(!room.place_along(&mut out, ((0.0, 0.0), (20.0, 5.0)), "propagated", "tell"));
        assert!(!room.place_along(&mut out, ((0.0, 0.0), (90.0, 95.0)), "query", "ask"));
        assert!(room.place_along(&mut out, ((0.0, 0.0), (90.0, 10.0)), "query", "ask"));
    }
}
