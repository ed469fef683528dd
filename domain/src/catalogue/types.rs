//! The types that fields have, for who reads the log without this code.

use serde::Serialize;

use super::Names;
use super::describe::stored_name;
use crate::attempt::{AdminRefusal, SignInRefusal};
use crate::client::Registration;
use crate::flow::FlowPurpose;
use crate::organization::{Departure, InvitationEnd};
use crate::recipient::{CodePurpose, MessageKind};
use crate::session::{AssuranceLevel, RevocationReason};
use crate::user::factor::{FactorKind, FactorRemoval};
use crate::user::two_factor::SecondStepMethod;
use crate::user::{SignUpMethod, TokenPurpose};

/// How values of the plain types stand in the payload.
pub const fn plain_types() -> &'static [(&'static str, &'static str)] {
    &[
        ("bool", "`true` or `false`"),
        ("u64", "a whole number"),
        ("String", "a text"),
        ("Time", "a moment: `2026-11-21T01:55:18.540517Z`"),
        ("UserId", "a UUID, lower case with hyphens"),
        ("SessionId", "a UUID, lower case with hyphens"),
        ("FlowId", "a UUID, lower case with hyphens"),
        ("IdentityId", "a UUID, lower case with hyphens"),
        ("OrganizationId", "a UUID, lower case with hyphens"),
        ("MemberId", "a UUID, lower case with hyphens"),
        ("InvitationId", "a UUID, lower case with hyphens"),
        ("TeamId", "a UUID, lower case with hyphens"),
        ("OrganizationRoleId", "a UUID, lower case with hyphens"),
        ("Vec<String>", "a list of texts"),
        ("Vec<TeamId>", "a list of UUIDs"),
        ("Roles", "a list of names of roles, one at least"),
        ("Permissions", "an object: the actions of each resource, as lists"),
        ("FactorId", "a UUID, lower case with hyphens"),
        ("ChallengeId", "a UUID, lower case with hyphens"),
        ("PasskeyId", "a UUID, lower case with hyphens"),
        ("IpAddr", "an IPv4 or IPv6 address"),
        ("TotpSecret", "the secret of an authenticator app (RFC 6238), enciphered under a key of the server"),
        (
            "Authenticator",
            "`{\"credential_id\", \"aaguid\", \"key\"}`: the id of a key (base64url), the model, and the public \
             key with its counter",
        ),
        ("ClientId", "a UUID, lower case with hyphens"),
        ("HoldId", "a UUID, lower case with hyphens"),
        ("HoldScope", "`everything`, `user:<id>` or `organization:<id>`"),
        ("Email", "an e-mail address in lower case"),
        ("Phone", "an E.164 number without the `+`"),
        ("Metadata", "a JSON object that belongs to the application"),
        (
            "CodeChallenge",
            "`{\"method\", \"value\"}`: what a client proves when it redeems a flow (RFC 7636); the method is \
             `s256` or `plain`",
        ),
        (
            "ClientDetails",
            "`{\"name\", \"uri\", \"logo_uri\", \"redirect_uris\", \"grant_types\", \"auth_method\"}` of an OAuth \
             client (RFC 7591)",
        ),
        ("RedirectUri", "an address that codes are sent to, as it was written"),
        ("Scopes", "a list of `openid`, `profile`, `email`, `phone`, `offline_access`"),
        ("ProviderTokens", "`{\"access_token\", \"refresh_token\"}` of another provider"),
        (
            "SealedTokens",
            "what a provider handed out for calling it in a user's name, enciphered under a key of the server",
        ),
        (
            "ProviderDefinition",
            "what a provider is: where people are sent, what is asked for, how its answers read; a JSON object",
        ),
        (
            "SealedSecret",
            "the secret of a client, enciphered under a key of the server (AES-256-GCM, in base64)",
        ),
        ("PasswordHash", "the hash of a password, in PHC or crypt form"),
        ("Username", "a name to sign in by, in lower case"),
        ("Vec<TokenHash>", "a list of hashes"),
        ("TokenHash", "the hash of a token, a code or an address, in lower-case hex"),
        (
            "Vec<AuthenticationMethod>",
            "a list of `{\"method\", \"at\"}`: a proof, and when it was last given",
        ),
        ("Vec<(IdentityId, String)>", "a list of pairs: an identity, and the value that stands for its name"),
    ]
}

/// The types whose values are names.
pub fn names() -> Vec<Names> {
    vec![
        of("SignUpMethod", SignUpMethod::MEANINGS),
        of("TokenPurpose", TokenPurpose::MEANINGS),
        of("FactorKind", FactorKind::MEANINGS),
        of("FactorRemoval", FactorRemoval::MEANINGS),
        of("SecondStepMethod", SecondStepMethod::MEANINGS),
        of("AssuranceLevel", AssuranceLevel::MEANINGS),
        of("RevocationReason", RevocationReason::MEANINGS),
        of("Departure", Departure::MEANINGS),
        of("InvitationEnd", InvitationEnd::MEANINGS),
        of("FlowPurpose", FlowPurpose::MEANINGS),
        of("MessageKind", MessageKind::MEANINGS),
        of("CodePurpose", CodePurpose::MEANINGS),
        of("Registration", Registration::MEANINGS),
        of("SignInRefusal", SignInRefusal::MEANINGS),
        of("AdminRefusal", AdminRefusal::MEANINGS),
    ]
}

fn of<T: Serialize>(of: &'static str, meanings: &[(T, &'static str)]) -> Names {
    let names = meanings.iter().map(|(value, meaning)| (stored_name(value), *meaning)).collect();
    Names { of, names }
}
