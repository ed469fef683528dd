//! Sign-in with wallets.

use std::time::Duration;

/// Which wallets may sign in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Web3Settings {
    /// Wallets of Solana.
    pub solana: WalletSettings,
    /// Wallets of Ethereum and its kin.
    pub ethereum: WalletSettings,
}

/// How wallets of a chain sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletSettings {
    /// They may.
    pub enabled: bool,
    /// A message counts for so long after it was issued, and no longer before.
    pub max_validity: Duration,
}

impl Default for WalletSettings {
    fn default() -> Self {
        Self { enabled: false, max_validity: Duration::from_secs(600) }
    }
}
