//! Values: rates, actions, sizes, durations.

use std::time::Duration;

use crate::config::fault::{Fault, Read, quoted};
use crate::spec::{Action, Rate};

use super::model::Scalar;

/// `100/s`, `256/min`, `10/5min`: so many within a time.
pub(super) fn rate(text: &str) -> Read<Rate> {
    let read = || {
        let (count, per) = text.split_once('/')?;
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        let per = per.trim();
        let per = if per.starts_with(|c: char| c.is_ascii_digit()) {
            per.to_owned()
        } else {
            format!("1{per}")
        };
        let per = humantime::parse_duration(&per).ok().filter(|per| !per.is_zero())?;
        Some(Rate { count, per })
    };
    read().ok_or_else(|| {
        Fault::new(
            format!("{} is no rate", quoted(text)),
            "write it as \"100/s\", \"256/min\" or \"10/5min\"",
        )
    })
}

/// `defer`, `drop`, `fail`, `close 10s`.
pub(super) fn action(text: &str) -> Read<Action> {
    match text {
        "defer" => Ok(Action::Defer),
        "drop" => Ok(Action::Drop),
        "fail" => Ok(Action::Fail),
        _ => {
            let pause =
                text.strip_prefix("close ").and_then(|time| humantime::parse_duration(time).ok());
            pause.filter(|pause| !pause.is_zero()).map(Action::Close).ok_or_else(|| {
                let text = format!("{} is no action", quoted(text));
                Fault::new(text, "write \"defer\", \"drop\", \"fail\" or \"close 10s\"")
            })
        }
    }
}

/// `5min`, `10s`.
pub(super) fn duration(text: &str) -> Read<Duration> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| {
        Fault::new(format!("{} is no time", quoted(text)), "write it as \"10s\" or \"5min\"")
    })
}

/// A number of bytes, or a text such as `64 MiB`. K, M, G alone are 1024 of each other, as KiB, MiB and GiB are.
pub(super) fn bytes(value: &Scalar) -> Read<u64> {
    let read = || match value {
        Scalar::Integer(count) => u64::try_from(*count).ok(),
        Scalar::Float(_) => None,
        Scalar::Text(text) => {
            let text = text.trim();
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            let unit: u64 = match text[end..].trim() {
                "" | "B" => 1,
                "K" | "KiB" => 1 << 10,
                "kB" => 1_000,
                "M" | "MiB" => 1 << 20,
                "MB" => 1_000_000,
                "G" | "GiB" => 1 << 30,
                "GB" => 1_000_000_000,
                _ => return None,
            };
            text[..end].parse::<u64>().ok()?.checked_mul(unit)
        }
    };
    read().filter(|bytes| *bytes > 0).ok_or_else(|| {
        Fault::new(format!("{} is no size", shown(value)), "write it as 65536 or \"64 KiB\"")
    })
}

/// A limit of a resource: a number, a size, a time in seconds, `unlimited`; with a colon soft and hard.
pub(super) fn resource(value: &Scalar) -> Read<(u64, u64)> {
    let one = |text: &str| -> Read<u64> {
        let text = text.trim();
        if text == "unlimited" {
            return Ok(u64::MAX);
        }
        if text == "0" {
            return Ok(0);
        }
        let time = || humantime::parse_duration(text).map(|time| time.as_secs());
        // A bare number is one; `1M` is a size and not a month.
        bytes(&Scalar::Text(text.into())).or_else(|fault| time().map_err(|_| fault))
    };
    let (soft, hard) = match value {
        Scalar::Integer(count) => {
            let count = u64::try_from(*count).map_err(|_| no_limit(value))?;
            (count, count)
        }
        Scalar::Float(_) => return Err(no_limit(value)),
        Scalar::Text(text) => match text.split_once(':') {
            Some((soft, hard)) => (one(soft)?, one(hard)?),
            None => one(text).map(|limit| (limit, limit))?,
        },
    };
    if soft > hard {
        return Err(Fault::new(
            format!("{} is softly more than hard", shown(value)),
            "write \"soft:hard\"",
        ));
    }
    Ok((soft, hard))
}

/// `50%`, of one processor.
pub(super) fn percent(text: &str) -> Read<u32> {
    let percent = text.strip_suffix('%').and_then(|number| number.trim().parse::<u32>().ok());
    percent.filter(|percent| (1..=1_000_000).contains(percent)).ok_or_else(|| {
        Fault::new(format!("{} is no share of a processor", quoted(text)), "write it as \"50%\"")
    })
}

fn no_limit(value: &Scalar) -> Fault {
    let remedy = "write it as 1024, \"1024:4096\", \"64 MiB\", \"60s\" or \"unlimited\"";
    Fault::new(format!("{} is no limit", shown(value)), remedy)
}

fn shown(value: &Scalar) -> String {
    match value {
        Scalar::Integer(number) => format!("`{number}`"),
        Scalar::Float(number) => format!("`{number}`"),
        Scalar::Text(text) => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.into())
    }

    #[test]
    fn rates_and_actions_are_words() {
        let of = |count, seconds| Ok(Rate { count, per: Duration::from_secs(seconds) });
        assert_eq!(
            (rate("100/s"), rate("256/min"), rate("10 / 5min")),
            (of(100, 1), of(256, 60), of(10, 300))
        );
        for bad in ["0/s", "5", "5/", "/s", "x/s", "5/0s", "5/parsec"] {
            assert!(rate(bad).is_err(), "{bad}");
        }
        assert_eq!(action("close 10s"), Ok(Action::Close(Duration::from_secs(10))));
        assert_eq!(
            (action("defer"), action("drop"), action("fail")),
            (Ok(Action::Defer), Ok(Action::Drop), Ok(Action::Fail))
        );
        assert!(action("close").is_err() && action("close 0s").is_err() && action("").is_err());
    }

    #[test]
    fn sizes_and_limits_have_units() {
        assert_eq!((bytes(&text("64 MiB")), bytes(&text("2kB"))), (Ok(64 << 20), Ok(2000)));
        assert_eq!(bytes(&Scalar::Integer(7)), Ok(7));
        for bad in ["", "0", "MiB", "99999999999 GiB", "1 month", "é"] {
            assert!(bytes(&text(bad)).is_err(), "{bad}");
        }
        assert_eq!(resource(&text("1024:unlimited")), Ok((1024, u64::MAX)));
        assert_eq!((resource(&text("60s")), resource(&text("0"))), (Ok((60, 60)), Ok((0, 0))));
        assert!(resource(&text("2:1")).is_err() && resource(&Scalar::Integer(-1)).is_err());
        assert_eq!(percent("150%"), Ok(150));
        assert!(percent("50").is_err() && percent("0%").is_err());
    }
}
