//! The command line of `palco load`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use palco_load::generator::{Crowd, Protocol};

use super::named;

/// How often a slow client does something.
const SLOW_EVERY: Duration = Duration::from_millis(100);
/// What a slow reader reads each time.
const SLOW_BYTES: usize = 64;

#[derive(clap::Args, Debug)]
pub(crate) struct Load {
    /// The server: its address as host:port, or its name or service on the running stage
    #[arg(value_name = "ADDRESS|NAME")]
    pub(crate) server: String,
    /// What it speaks [default: what the stage says]; `sftp` reads a file, `connect` only connects
    #[arg(long, value_parser = named::<Protocol>(Protocol::ALL.map(Protocol::name).into_iter().chain(["sftp", "connect"])))]
    pub(crate) protocol: Option<Protocol>,
    /// One request, such as `GET /` or `INCR x` [default: one that does no harm]
    #[arg(long)]
    pub(crate) request: Option<String>,
    /// Requests a second, over all connections
    #[arg(long, default_value_t = 1000.0, value_name = "PER_S")]
    pub(crate) rate: f64,
    /// When they are due: constant, poisson, or bursts:SIZE
    #[arg(long, default_value = "constant", value_name = "HOW")]
    pub(crate) arrivals: Arrivals,
    /// Requests are due at the moments in this file: one a line, in seconds after the beginning; `#` begins a comment
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "arrivals"])]
    pub(crate) trace: Option<PathBuf>,
    /// The next request waits for the answer. For contrast only: this hides stalls
    #[arg(long, conflicts_with_all = ["rate", "arrivals", "trace"])]
    pub(crate) closed: bool,
    /// Connections that are kept, each with one request at a time [default: 16]
    ///
    /// With --per-request, or for a protocol that wants a connection for each request: how many at once at most [default:
    /// 20000, and 1 in a closed loop].
    #[arg(long, value_name = "N")]
    pub(crate) connections: Option<usize>,
    /// A connection for each request
    #[arg(long)]
    pub(crate) per_request: bool,
    /// How long requests that count are due
    #[arg(long = "for", default_value = "10s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) lasts: Duration,
    /// How long is asked before anything counts
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) warm_up: Duration,
    /// How long an answer may take, and how long the last ones are waited for
    #[arg(long, default_value = "10s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) answer_within: Duration,
    /// Clients that only disturb: idle:N, slow-writers:N, slow-readers:N, disconnects:N/s; may be given several times
    #[arg(long, value_name = "WHO:HOW MANY")]
    pub(crate) crowd: Vec<CrowdArg>,
    /// Confine the generator's thread to this core, counted from 0 among those it may use
    #[arg(long, value_name = "N")]
    pub(crate) core: Option<usize>,
    /// What chance is made of: the same seed gives the same moments
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the response times as HdrHistogram's text, in microseconds
    #[arg(long, value_name = "FILE")]
    pub(crate) histogram: Option<PathBuf>,
    /// Write a page with a picture of all times up to the rarest
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// How requests are spread over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrivals {
    Constant,
    Poisson,
    Bursts(u32),
}

impl FromStr for Arrivals {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("bursts:").map(str::parse)) {
            ("constant", _) => Ok(Self::Constant),
            ("poisson", _) => Ok(Self::Poisson),
            (_, Some(Ok(size))) => Ok(Self::Bursts(size)),
            _ => Err("constant, poisson, or bursts:SIZE, such as bursts:100".to_owned()),
        }
    }
}

/// One `--crowd`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CrowdArg(pub(crate) Crowd);

impl FromStr for CrowdArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let crowd = text.split_once(':').and_then(|(who, how_many)| {
            if who == "disconnects" {
                let per_s = how_many.strip_suffix("/s")?.parse().ok()?;
                return Some(Crowd::Disconnects { per_s });
            }
            let (connections, every) = (how_many.parse().ok()?, SLOW_EVERY);
            match who {
                "idle" => Some(Crowd::Idle(connections)),
                "slow-writers" => Some(Crowd::SlowWriters { connections, every }),
                "slow-readers" => {
                    Some(Crowd::SlowReaders { connections, bytes: SLOW_BYTES, every })
                }
                _ => None,
            }
        });
        let forms = "idle:N, slow-writers:N, slow-readers:N or disconnects:N/s";
        crowd.map(Self).ok_or_else(|| format!("one of {forms}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_and_crowds_are_read_and_nonsense_is_not() {
        assert_eq!("bursts:7".parse(), Ok(Arrivals::Bursts(7)));
        assert_eq!("idle:5".parse(), Ok(CrowdArg(Crowd::Idle(5))));
        let ten = CrowdArg(Crowd::Disconnects { per_s: 10.0 });
        assert_eq!("disconnects:10/s".parse(), Ok(ten));
        for text in ["bursts", "bursts:x", "soon"] {
            assert!(text.parse::<Arrivals>().is_err(), "{text}");
        }
        for text in ["idle", "idle:-1", "loud:3", "disconnects:10"] {
            assert!(text.parse::<CrowdArg>().is_err(), "{text}");
        }
    }
}
