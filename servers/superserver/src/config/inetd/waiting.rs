//! The fourth column: who accepts, and how much of it.

use std::time::Duration;

use crate::config::Dialect;
use crate::config::fault::{Fault, Read, quoted};
use crate::spec::{Control, Limits, Rate, Style};

/// `wait` or `nowait`, and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) style: Style,
    /// Starts per minute.
    pub(super) per_minute: Option<u32>,
    /// Starts per minute for the same client.
    pub(super) per_minute_and_source: Option<u32>,
    /// Instances at once.
    pub(super) instances: Option<u32>,
    /// Instances at once for the same client.
    pub(super) per_source: Option<u32>,
    /// What follows the word is a number that the incumbents take for none.
    pub(super) ignored: Option<String>,
}

impl Waiting {
    pub(super) const fn new(style: Style) -> Self {
        Self {
            style,
            per_minute: None,
            per_minute_and_source: None,
            instances: None,
            per_source: None,
            ignored: None,
        }
    }

    /// Reads `nowait.40`, `nowait/10/60/2` and their like.
    pub(super) fn read(word: &str, dialect: Dialect) -> Read<Self> {
        let at = word.find(['.', ':', '/']).unwrap_or(word.len());
        let (name, rest) = word.split_at(at);
        let style = match name {
            "wait" => Style::Single,
            // To the incumbents all that does not begin with `wait` is `nowait`; here it has to be meant.
            _ if name.eq_ignore_ascii_case("nowait") => Style::PerConnection,
            _ => {
                let text = format!("{} is neither `wait` nor `nowait`", quoted(word));
                return Err(Fault::new(text, "the fourth column is one of them"));
            }
        };
        let mut waiting = Self::new(style);
        let separator = rest.get(..1).unwrap_or_default();
        let number = rest.get(1..).unwrap_or_default();
        match (dialect, separator) {
            (_, "") => {}
            (Dialect::Freebsd, "/") => waiting.read_freebsd(number)?,
            (Dialect::Netbsd, ":" | ".") | (Dialect::Openbsd | Dialect::Gnu, ".") => {
                waiting.per_minute = number.parse().ok().filter(|count| *count > 0);
                waiting.ignored = waiting.per_minute.is_none().then(|| number.to_owned());
            }
            _ => return Err(foreign(word, name, number, separator, dialect)),
        }
        Ok(waiting)
    }

    /// `max-child`, `max-connections-per-ip-per-minute`, `max-child-per-ip`; 0 is no limit.
    fn read_freebsd(&mut self, numbers: &str) -> Read<()> {
        let mut fields =
            [&mut self.instances, &mut self.per_minute_and_source, &mut self.per_source]
                .into_iter();
        for number in numbers.split('/') {
            let field = fields.next().zip(number.parse::<u32>().ok());
            let Some((field, count)) = field else {
                let text = format!("{} are not up to three numbers", quoted(numbers));
                let remedy =
                    "write `nowait/children/starts-per-client-and-minute/children-per-client`";
                return Err(Fault::new(text, remedy));
            };
            *field = (count > 0).then_some(count);
        }
        Ok(())
    }

    /// The limits of the service: what is beyond waits.
    pub(super) fn limits(&self, default_rate: Option<u32>) -> Limits {
        let rate =
            |count: u32| Control::defer(Rate { count: count.max(1), per: Duration::from_secs(60) });
        let mut limits = Limits {
            per_source: self.per_source.map(Control::defer),
            rate: self.per_minute.or(default_rate).map(rate),
            rate_per_source: self.per_minute_and_source.map(rate),
            ..Limits::default()
        };
        if let Some(instances) = self.instances {
            limits.instances = Control::defer(instances);
        }
        limits
    }
}

/// A number written as another dialect writes it.
fn foreign(word: &str, name: &str, number: &str, separator: &str, dialect: Dialect) -> Fault {
    let (whose, other) = match separator {
        "/" => ("FreeBSD's", Dialect::Freebsd),
        ":" => ("NetBSD's", Dialect::Netbsd),
        _ => ("Debian's and GNU's", Dialect::Openbsd),
    };
    let text = format!("{} looks like {whose}, and this file is read as {dialect}", quoted(word));
    let own = if dialect == Dialect::Freebsd { '/' } else { '.' };
    let number = number.split('/').next().unwrap_or_default();
    let remedy =
        format!("read the file as {other}, or write {}", quoted(&format!("{name}{own}{number}")));
    Fault::new(text, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(word: &str, dialect: Dialect) -> Read<Waiting> {
        Waiting::read(word, dialect)
    }

    #[test]
    fn numbers_after_a_dot_are_starts_per_minute() {
        for dialect in [Dialect::Openbsd, Dialect::Gnu, Dialect::Netbsd] {
            let waiting = read("nowait.40", dialect).unwrap();
            assert_eq!(waiting.per_minute, Some(40));
            let rate = waiting.limits(None).rate.unwrap();
            assert_eq!((rate.max.count, rate.max.per.as_secs()), (40, 60));
        }
        assert_eq!(read("wait:7", Dialect::Netbsd).unwrap().per_minute, Some(7));
        for word in ["nowait.0", "nowait.x", "nowait.3.4", "nowait."] {
            let waiting = read(word, Dialect::Openbsd).unwrap();
            assert_eq!((waiting.per_minute, waiting.ignored.is_some()), (None, true), "{word}");
        }
    }

    #[test]
    fn freebsd_counts_children_and_clients() {
        let waiting = read("nowait/10/60/2", Dialect::Freebsd).unwrap();
        assert_eq!((waiting.instances, waiting.per_source), (Some(10), Some(2)));
        assert_eq!(waiting.per_minute_and_source, Some(60));
        assert_eq!(read("nowait/0", Dialect::Freebsd).unwrap().instances, None);
        assert!(read("nowait/1/2/3/4", Dialect::Freebsd).is_err());
        assert!(read("nowait/x", Dialect::Freebsd).is_err());
    }

    #[test]
    fn another_dialect_is_named() {
        let fault = |word, dialect| read(word, dialect).unwrap_err();
        assert!(fault("nowait/7/2", Dialect::Openbsd).text.contains("FreeBSD"));
        assert!(fault("nowait/7/2", Dialect::Gnu).remedy.ends_with("write `nowait.7`"));
        assert!(fault("nowait:7", Dialect::Gnu).text.contains("NetBSD"));
        assert!(fault("nowait.7", Dialect::Freebsd).remedy.contains("`nowait/7`"));
        assert!(fault("waiting", Dialect::Gnu).text.contains("neither"));
    }

    #[test]
    fn a_default_rate_is_for_lines_without_their_own() {
        let limits = |word| read(word, Dialect::Openbsd).unwrap().limits(Some(256));
        assert_eq!(limits("nowait").rate.unwrap().max.count, 256);
        assert_eq!(limits("nowait.4").rate.unwrap().max.count, 4);
    }
}
