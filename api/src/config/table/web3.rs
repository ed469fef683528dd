//! Wallets.

use super::{Setting, setting};
use crate::config::parse::{Flag, Positive};

pub(super) const WEB3: &[Setting] = &[
    setting!(
        "web3.solana_enabled",
        Flag,
        settings.commands.web3.solana.enabled,
        ["GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED"],
        "true",
        "Wallets of Solana may sign in.",
    ),
    setting!(
        "web3.solana_max_validity",
        Positive,
        settings.commands.web3.solana.max_validity,
        ["GOTRUE_EXTERNAL_WEB3_SOLANA_MAXIMUM_VALIDITY_DURATION"],
        "10m",
        "A message of a Solana wallet counts for so long after it was issued.",
    ),
    setting!(
        "web3.ethereum_enabled",
        Flag,
        settings.commands.web3.ethereum.enabled,
        ["GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED"],
        "true",
        "Wallets of Ethereum and its kin may sign in.",
    ),
    setting!(
        "web3.ethereum_max_validity",
        Positive,
        settings.commands.web3.ethereum.max_validity,
        ["GOTRUE_EXTERNAL_WEB3_ETHEREUM_MAXIMUM_VALIDITY_DURATION"],
        "10m",
        "A message of an Ethereum wallet counts for so long after it was issued.",
    ),
];
