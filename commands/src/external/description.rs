//! What is to be known of a provider: where it is, what it asks for, how its answers read.

use serde_json::Value;

use super::claims;
use super::profile::{Profile, ProfileError};
use crate::settings::Builtin;

/// An address of a provider. The owner may put another host in the place of the first part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// `https://api.example.com`
    pub(super) base: &'static str,
    /// What follows, whatever the base.
    pub(super) path: &'static str,
}

/// How a client shows the provider who it is (RFC 6749, 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientProof {
    /// HTTP Basic.
    Header,
    /// Among the fields of the form.
    Form,
}

/// What a call for a profile needs beside the access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extra {
    /// Nothing.
    None,
    /// A header with a fixed value.
    Header(&'static str, &'static str),
    /// A header with the client's id.
    ClientId(&'static str),
    /// A query parameter that binds the access token to the client's secret (Facebook's `appsecret_proof`).
    SecretProof,
}

/// A call for a part of a profile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// Behind the place of profiles.
    pub(super) path: &'static str,
    /// What it needs.
    pub(super) extra: Extra,
}

/// How somebody's profile comes about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// By calls with the access token, whose answers a function reads.
    Calls(&'static [Call], Reader),
    /// From the ID token (OpenID Connect Core, section 2).
    IdToken,
    /// It comes with the access token.
    TokenAnswer(Reader),
    /// By OAuth 1.0a (RFC 5849): the whole way is another one.
    OAuth1(Call, Reader),
}

/// Reads what a provider told.
pub(super) type Reader = fn(&Told<'_>) -> Result<Profile, ProfileError>;

/// What a provider told, as far as it did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    /// Where profiles are: the names that users have there count there.
    pub(super) api: &'a str,
    /// The answer with the access token.
    pub(super) token: &'a Value,
    /// The answers to the calls.
    pub(super) answers: &'a [Value],
}

/// Who issues ID tokens, and how they read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Issuer {
    /// Its name, which is also where its discovery document is.
    pub(super) name: &'static str,
    /// Other names that its tokens carry.
    pub(super) aliases: &'static [&'static str],
    /// What follows where the owner puts the provider elsewhere.
    pub(super) suffix: &'static str,
    /// Reads the claims.
    pub(super) read: claims::Reader,
}

/// A provider.
#[derive(Debug, Clone, Copy)]
pub(super) struct Description {
    /// Which.
    pub(super) provider: Builtin,
    /// What is always asked for.
    pub(super) scopes: &'static [&'static str],
    /// Where people are sent.
    pub(super) authorize: Place,
    /// Where codes are exchanged.
    pub(super) token: Place,
    /// Where profiles are.
    pub(super) api: Place,
    /// What stands between the owner's base and the paths of profiles, if not the usual path.
    pub(super) own_api_path: Option<&'static str>,
    /// Where a profile comes from.
    pub(super) source: Source,
    /// How we show who we are.
    pub(super) client: ClientProof,
    /// What is sent along with everybody.
    pub(super) params: &'static [(&'static str, &'static str)],
    /// The provider knows PKCE (RFC 7636).
    pub(super) pkce: bool,
    /// Who issues its ID tokens.
    pub(super) issuer: Option<Issuer>,
}

impl Description {
    /// A nonce binds the ID token to the sign-in, where the profile comes from one.
    pub(super) fn has_nonce(&self) -> bool {
        match self.source {
            Source::IdToken => self.provider != Builtin::LinkedinOidc,
            Source::Calls(..) | Source::TokenAnswer(_) | Source::OAuth1(..) => false,
        }
    }
}
