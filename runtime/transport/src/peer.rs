//! Who a node is.

use std::fmt;
use std::str::FromStr;

use libp2p_identity::{KeyType, Keypair, PeerId, PublicKey, ed25519};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A node, known by its public key (Ed25519). Written as a libp2p peer id, `12D3KooW…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer([u8; 32]);

/// The secret by which a node proves who it is. Its `Debug` shows the public half alone.
#[derive(Clone)]
pub struct NodeKey(ed25519::Keypair);

/// A text or key that names no node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no node: expected the peer id of an Ed25519 key, which begins with 12D3KooW")]
pub struct NotAPeer(pub String);

impl Peer {
    /// Of these bytes of a public key.
    #[must_use]
    pub const fn from_key(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of its public key.
    #[must_use]
    pub const fn key(&self) -> &[u8; 32] {
        &self.0
    }

    /// As libp2p knows it.
    ///
    /// # Errors
    /// [`NotAPeer`] if the bytes are no public key.
    pub fn id(&self) -> Result<PeerId, NotAPeer> {
        let key = ed25519::PublicKey::try_from_bytes(&self.0);
        let key = key.map_err(|_| NotAPeer(format!("{self:?}")))?;
        Ok(PublicKey::from(key).to_peer_id())
    }
}

impl NodeKey {
    /// A new one, of the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        Self(ed25519::Keypair::generate())
    }

    /// From the 32 bytes of [`Self::secret`].
    ///
    /// # Errors
    /// [`NotAPeer`] unless they are 32.
    pub fn from_secret(secret: &mut [u8]) -> Result<Self, NotAPeer> {
        let secret = ed25519::SecretKey::try_from_bytes(secret);
        let secret = secret.map_err(|_| NotAPeer("a secret of another length".to_owned()))?;
        Ok(Self(secret.into()))
    }

    /// What to keep where nobody else can read it.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        secret.copy_from_slice(self.0.secret().as_ref());
        secret
    }

    /// Who this proves to be.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer(self.0.public().to_bytes())
    }

    /// As libp2p wants it.
    #[must_use]
    pub fn keypair(&self) -> Keypair {
        self.0.clone().into()
    }
}

impl TryFrom<PeerId> for Peer {
    type Error = NotAPeer;

    /// An Ed25519 peer id contains its key.
    fn try_from(id: PeerId) -> Result<Self, NotAPeer> {
        let not = || NotAPeer(id.to_string());
        let key = PublicKey::try_decode_protobuf(id.as_ref().digest()).map_err(|_| not())?;
        if key.key_type() != KeyType::Ed25519 {
            return Err(not());
        }
        key.try_into_ed25519().map(|key| Self(key.to_bytes())).map_err(|_| not())
    }
}

impl FromStr for Peer {
    type Err = NotAPeer;

    fn from_str(text: &str) -> Result<Self, NotAPeer> {
        let id = text.parse::<PeerId>().map_err(|_| NotAPeer(text.to_owned()))?;
        Self::try_from(id).map_err(|_| NotAPeer(text.to_owned()))
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id() {
            Ok(id) => f.pad(&id.to_string()),
            Err(_) => write!(f, "{self:?}"),
        }
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey(of {})", self.peer())
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_survives_its_text() {
        let peer = NodeKey::generate().peer();
        let text = peer.to_string();
        assert!(text.starts_with("12D3KooW"), "{text}");
        assert_eq!(text.parse(), Ok(peer));
        let json = serde_json::to_string(&peer).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Peer>(&json).unwrap(), peer);
    }

    #[test]
    fn a_key_survives_its_secret() {
        let key = NodeKey::generate();
        let again = NodeKey::from_secret(&mut key.secret()).unwrap();
        assert_eq!(again.peer(), key.peer());
        assert!(!format!("{key:?}").contains(&format!("{:02x}", key.secret()[0]).repeat(2)));
        assert!(NodeKey::from_secret(&mut [0; 31]).is_err());
    }

    #[test]
    fn what_names_no_node_is_told() {
        for text in ["", "n1", "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"] {
            let error = text.parse::<Peer>().unwrap_err();
            assert!(error.to_string().contains("12D3KooW"), "{error}");
        }
    }
}
