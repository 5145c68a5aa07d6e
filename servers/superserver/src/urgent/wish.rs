//! Who wants a program to rest: its client, or others.
//!
//! The actor that stands for the program is a level that anybody may set; it comes to rest, and goes on, a little later, and
//! says so. From that it is known whether others have set it: a client cannot continue what it has not suspended.

/// What a client wants of its program, and what of it has come about.
#[derive(Debug, Default)]
pub(super) struct Wish {
    /// The client wants it to rest.
    rest: bool,
    /// The actor has been asked to rest by the client, and has not said yet that it does.
    asked: bool,
    /// It rests because others want it.
    others: bool,
    /// The client wants it to end: nothing else counts any more.
    end: bool,
}

/// What is to be done about a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// It is as wanted already, or must not be done.
    Nothing,
    /// It is to be done.
    Do,
}

impl Wish {
    pub(super) fn rest(&mut self) -> Deed {
        if self.rest || self.end {
            return Deed::Nothing;
        }
        (self.rest, self.asked) = (true, true);
        Deed::Do
    }

    pub(super) fn go_on(&mut self) -> Deed {
        if !self.rest || self.end {
            return Deed::Nothing;
        }
        self.rest = false;
        if self.others { Deed::Nothing } else { Deed::Do }
    }

    pub(super) fn end(&mut self) -> Deed {
        if self.end {
            return Deed::Nothing;
        }
        (self.rest, self.end) = (false, true);
        Deed::Do
    }

    /// The actor has come to rest, or goes on.
    pub(super) fn note(&mut self, rests: bool) {
        if rests && self.asked {
            self.asked = false;
        } else if rests {
            self.others = !self.rest;
        } else {
            self.others = false;
            // Unless it has been asked again in the meantime, others have continued it.
            self.rest &= self.asked;
        }
    }

    /// Whether it rests, or is about to, as its client wants.
    pub(super) fn is_rest(&self) -> bool {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Deed::{Do, Nothing};

    #[test]
    fn the_same_wish_twice_is_as_once() {
        let mut wish = Wish::default();
        assert_eq!((wish.go_on(), wish.rest(), wish.rest()), (Nothing, Do, Nothing));
        wish.note(true);
        assert_eq!((wish.rest(), wish.go_on(), wish.go_on()), (Nothing, Do, Nothing));
        wish.note(false);
        assert_eq!((wish.end(), wish.end()), (Do, Nothing));
        assert_eq!((wish.rest(), wish.go_on()), (Nothing, Nothing));
    }

    #[test]
    fn a_client_does_not_continue_what_others_have_suspended() {
        let mut wish = Wish::default();
        wish.note(true);
        assert_eq!((wish.go_on(), wish.rest(), wish.go_on()), (Nothing, Do, Nothing));
        assert_eq!(wish.end(), Do);
    }

    #[test]
    fn what_others_have_continued_can_be_suspended_again() {
        let mut wish = Wish::default();
        assert_eq!(wish.rest(), Do);
        wish.note(true);
        wish.note(false);
        assert_eq!((wish.go_on(), wish.rest()), (Nothing, Do));
    }

    #[test]
    fn an_actor_that_is_slow_to_say_so_does_not_turn_a_wish_around() {
        let mut wish = Wish::default();
        assert_eq!((wish.rest(), wish.go_on()), (Do, Do));
        wish.note(true);
        assert_eq!(wish.rest(), Do);
        wish.note(false);
        assert!(wish.is_rest());
        wish.note(true);
        assert_eq!(wish.go_on(), Do);
    }
}
