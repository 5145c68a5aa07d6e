//! Where something listens that can also be left out.

use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// An address, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    Off,
    At(SocketAddr),
}

impl Port {
    /// Where, if it is not left out.
    pub(crate) fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::At(address) => Some(address),
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text.parse().map_err(|_| {
            format!("`{text}` is no address like 127.0.0.1:7070, and not `off` either")
        })?;
        Ok(Self::At(address))
    }
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_off() {
        assert_eq!("off".parse(), Ok(Port::Off));
        let address = SocketAddr::from(([127, 0, 0, 1], 9000));
        assert_eq!("127.0.0.1:9000".parse(), Ok(Port::At(address)));
        assert!("7070".parse::<Port>().unwrap_err().contains("`off`"));
    }
}
