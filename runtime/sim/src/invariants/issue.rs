//! I4 (slide 8; RAMBO.md §1.8): no two writes share a tag. Whatever a replica stores under a tag is the value of that
//! tag, everywhere and for good; for keys of class cas the same of ballots. The floor keeps the values, because reads
//! are judged by them too.

use palco_rambo::{Tag, Value};

use super::{Objection, Verdict};
use crate::floor::{Floor, KeyIndex};

const CHECK: &str = "I4";

/// A replica stores this value under this tag.
pub(crate) fn stored(floor: &mut Floor, key: KeyIndex, tag: Tag, value: &Value) -> Verdict {
    floor
        .issued(key, tag, value)
        .map_err(|violation| Objection { check: CHECK, what: violation.to_string() })
}

#[cfg(test)]
mod tests {
    use palco_rambo::Key;

    use super::*;

    #[test]
    fn a_tag_with_two_values_is_objected_to() {
        for key in [Key::register("a"), Key::cas("a")] {
            let mut floor = Floor::default();
            let index = floor.intern(&key);
            let tag = Tag { sequence: 3, ..Tag::ZERO };
            let value = |text: &'static str| Some(text.into());
            assert_eq!(stored(&mut floor, index, tag, &value("x")), Ok(()));
            assert_eq!(stored(&mut floor, index, tag, &value("x")), Ok(()));
            let objection = stored(&mut floor, index, tag, &value("y")).expect_err("another value");
            assert_eq!(objection.check, CHECK);
        }
    }
}
