//! Sign-in with a wallet: a message in a fixed form (EIP-4361, and the same for Solana), signed with the
//! key that is the wallet's address.

mod address;
mod message;
mod sign_in;
mod signature;

pub use message::{MessageError, Problem};
pub use sign_in::{Web3Refusal, Web3SignIn, Web3SignInError};
pub use signature::SignatureMalformed;

/// A family of wallets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Chain {
    /// Solana.
    Solana,
    /// Ethereum, and the chains that are like it.
    Ethereum,
}

impl Chain {
    /// Every family.
    pub const ALL: [Self; 2] = [Self::Solana, Self::Ethereum];

    /// The name in requests, and in the ids of identities.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Solana => "solana",
            Self::Ethereum => "ethereum",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Solana => "Solana",
            Self::Ethereum => "Ethereum",
        }
    }

    /// What errors in messages begin with.
    pub const fn standard(self) -> &'static str {
        match self {
            Self::Solana => "siws",
            Self::Ethereum => "siwe",
        }
    }

    /// Reads a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chain| chain.as_str() == name)
    }
}
