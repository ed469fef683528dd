//! `evident keys`: the keys that sign access tokens, and the one that wraps all others.

mod rotate;

use clap::{Subcommand, ValueEnum};
use evident_commands::tokens::{KeyKind, generate_jwk};

use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;
use crate::ports::SystemEntropy;

/// The keys that sign access tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Show the public keys, as /.well-known/jwks.json does
    List,
    /// Wrap all keys under another master key, while nodes serve
    RotateMaster(rotate::RotateMaster),
    /// Make a private key, to stand in `GOTRUE_JWT_KEYS`
    Generate {
        /// What it signs with
        #[arg(long, value_enum, default_value_t = Algorithm::Es256)]
        algorithm: Algorithm,
    },
}

/// How a key signs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Algorithm {
    /// A secret that the server alone knows
    Hs256,
    /// ECDSA on P-256; anybody can verify
    Es256,
    /// Ed25519; anybody can verify
    Eddsa,
}

impl Keys {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let mut out = std::io::stdout();
        match self {
            Self::RotateMaster(rotation) => rotation.run(settings, json).await?,
            Self::Generate { algorithm } => {
                let kind = match algorithm {
                    Algorithm::Hs256 => KeyKind::Hs256,
                    Algorithm::Es256 => KeyKind::Es256,
                    Algorithm::Eddsa => KeyKind::EdDsa,
                };
                let jwk = generate_jwk(kind, &SystemEntropy);
                output::line(&mut out, &format!("[{}]", *jwk))?;
            }
            Self::List => {
                let store = bootstrap::open_store(settings).await?;
                let keys = bootstrap::signing_keys(settings, &store).await?;
                let jwks = keys.jwks();
                let text = if json {
                    jwks.to_string()
                } else {
                    serde_json::to_string_pretty(jwks).unwrap_or_default()
                };
                output::line(&mut out, &text)?;
            }
        }
        Ok(())
    }
}
