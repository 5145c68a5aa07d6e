//! The pattern of RFC 864: lines of 72 of the 95 printable characters of ASCII, each beginning one further on.

/// Characters of a line, without its CRLF.
const LINE_CHARACTERS: usize = 72;
pub(super) const LINE_BYTES: usize = LINE_CHARACTERS + 2;

/// Space to tilde.
const FIRST: u8 = b' ';
const CHARACTERS: usize = 95;

/// After so many bytes the pattern begins anew.
pub(super) const PATTERN_BYTES: usize = CHARACTERS * LINE_BYTES;

/// The byte at a place of the endless text.
const fn byte(at: usize) -> u8 {
    let (line, column) = (at / LINE_BYTES % CHARACTERS, at % LINE_BYTES);
    match column {
        LINE_CHARACTERS => b'\r',
        column if column > LINE_CHARACTERS => b'\n',
        column => FIRST + ((line + column) % CHARACTERS) as u8,
    }
}

/// The pattern once.
pub(super) static PATTERN: [u8; PATTERN_BYTES] = {
    let mut pattern = [0; PATTERN_BYTES];
    let mut at = 0;
    while at < PATTERN_BYTES {
        pattern[at] = byte(at);
        at += 1;
    }
    pattern
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_that_of_the_rfc() {
        let text = std::str::from_utf8(&PATTERN).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 95);
        assert!(lines.iter().all(|line| line.len() == 72));
        assert_eq!(
            lines[0],
            r##" !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefg"##
        );
        assert_eq!(&lines[1][..3], "!\"#");
        assert_eq!(&lines[24][70..], "~ ");
        assert_eq!(&lines[94][..3], "~ !");
    }
}
