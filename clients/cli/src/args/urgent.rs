//! `palco call` and `palco urgent`: ask for something, and interrupt it.

use std::net::SocketAddr;
use std::time::Duration;

use palco_core::{Nice, NoRequest, RequestId, Ticket, Verb};

use super::named;
use crate::stage::ServiceKind;

#[derive(clap::Args, Debug)]
#[command(trailing_var_arg = true)]
pub(crate) struct Call {
    /// Talk to this address instead of asking the stage; needs --service
    #[arg(long, requires = "service")]
    pub(crate) address: Option<SocketAddr>,
    /// What is served there
    #[arg(long, value_parser = named::<ServiceKind>(ServiceKind::ALL.map(ServiceKind::name)))]
    pub(crate) service: Option<ServiceKind>,
    /// Give up after this long without an answer [default: 30s, or a day for service work]
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) within: Option<Duration>,
    /// Ask service work to compute for so long: the same as `cpu MICROSECONDS`
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) cpu: Option<Duration>,
    /// What Ctrl-\ does while the answer is awaited
    #[arg(long, default_value = "cancel", value_name = "WHAT", value_parser = named::<Onset>(Onset::ALL.map(Onset::name)))]
    pub(crate) on_quit: Onset,
    /// Name of the server or of its service (unless --address), then the request
    #[arg(
        required_unless_present = "address",
        allow_hyphen_values = true,
        value_name = "SERVER REQUEST"
    )]
    pub(crate) words: Vec<String>,
}

/// What Ctrl-\ sends as urgent data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Onset {
    /// Give the request up.
    Cancel,
    /// Hold it, and the next time resume it.
    Hold,
    /// Nothing: the program ends, as usual.
    Off,
}

impl Onset {
    pub(crate) const ALL: [Self; 3] = [Self::Cancel, Self::Hold, Self::Off];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Hold => "hold",
            Self::Off => "off",
        }
    }
}

impl std::str::FromStr for Onset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|onset| onset.name() == name).ok_or_else(|| name.to_owned())
    }
}

#[derive(clap::Args, Debug)]
pub(crate) struct UrgentCommand {
    #[command(subcommand)]
    pub(crate) verb: Option<UrgentVerb>,
}

#[derive(clap::Subcommand, Debug)]
pub(crate) enum UrgentVerb {
    /// Give it up; its client is told in the words of its protocol
    Cancel(Which),
    /// No progress until it is resumed
    Hold(Which),
    /// Go on after a hold
    Resume(Which),
    /// More of the processor than others (below 0), or less (above)
    #[command(allow_negative_numbers = true)]
    Priority {
        /// A nice value, from -20 (most) to 19 (least); 0 is usual
        nice: Nice,
        #[command(flatten)]
        which: Which,
    },
    /// Say where it stands
    Status(Which),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Which {
    /// Which: server/connection.number, and for who does not run the stage :key@address
    pub(crate) request: About,
}

/// A request, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// By its key, at an urgent port.
    Ticket(Box<Ticket>),
    /// As one's own.
    Own(RequestId),
}

impl std::str::FromStr for About {
    type Err = NoRequest;

    fn from_str(text: &str) -> Result<Self, NoRequest> {
        // A server's name may hold anything; a request of one's own ends with two numbers.
        match text.parse() {
            Ok(request) => Ok(Self::Own(request)),
            Err(_) if text.contains([':', '@']) => text.parse().map(Box::new).map(Self::Ticket),
            Err(no_request) => Err(no_request),
        }
    }
}

impl UrgentVerb {
    pub(crate) fn parts(&self) -> (Verb, &About) {
        match self {
            Self::Cancel(which) => (Verb::Cancel, &which.request),
            Self::Hold(which) => (Verb::Hold, &which.request),
            Self::Resume(which) => (Verb::Resume, &which.request),
            Self::Priority { nice, which } => (Verb::Priority(*nice), &which.request),
            Self::Status(which) => (Verb::Status, &which.request),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_with_a_key_goes_to_its_port_and_one_without_is_ones_own() {
        let key = "0123456789abcdef0123456789abcdef";
        assert!(matches!("work/1.2".parse(), Ok(About::Own(_))));
        assert!(matches!(format!("work/1.2:{key}@127.0.0.1:7009").parse(), Ok(About::Ticket(_))));
        assert_eq!(format!("work/1.2:{key}").parse::<About>(), Err(NoRequest::Address));
        assert_eq!("work".parse::<About>(), Err(NoRequest::Request));
    }
}
