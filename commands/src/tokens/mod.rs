//! What clients hold: access tokens, refresh tokens, links and codes.
//!
//! The server keeps none of them in clear. Access tokens are signed ([`SigningKeys`]), refresh tokens
//! carry a MAC ([`RefreshTokenCodec`]), as do those of
//! sessions in cookies ([`SessionTokenCodec`]), codes of flows are enciphered ids
//! ([`FlowCodec`]), secrets of authenticator apps are enciphered ([`FactorKeys`]), links and codes are stored as hashes ([`Pepper`]).

mod authorization;
mod claims;
mod client_secret;
mod factors;
mod flow;
mod id_cipher;
mod id_token;
mod jwk;
mod jwt;
mod keys;
mod mac;
mod one_time;
mod refresh;
mod secret_box;
mod session_token;
mod words;

pub use authorization::{AuthorizationCodec, AuthorizationHandle};
pub use claims::{AmrClaim, Claims, VerifiedClaims};
pub use client_secret::ClientSecret;
pub use factors::{FactorKeys, PasskeyPurpose};
pub use flow::{FlowCodec, FlowSecret};
pub use id_token::IdTokenClaims;
pub use jwk::{KeyKind, generate_jwk};
pub use jwt::{JwtError, Part as JwtPart};
pub use keys::{KeyError, KeySettings, SigningKeys};
pub use one_time::{LinkToken, NotAToken, OneTimeCode, Pepper};
pub use refresh::{ParsedRefreshToken, RefreshToken, RefreshTokenCodec, RefreshTokenError};
pub use secret_box::{CannotOpen, SecretBox};
pub use session_token::{SessionToken, SessionTokenCodec};
pub use words::DeviceToken;
pub(crate) use words::backup_code;
