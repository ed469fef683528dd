//! What of an event is shown to those who may read the log: personal data where it can still be read,
//! secrets and their hashes never.
//!
//! What a field is, is said by its type in the catalogue, so an event that comes new needs nothing here;
//! a type that nobody has judged is not shown.

use serde_json::{Map, Value as Json};

use crate::Event;
use crate::catalogue::Field;

/// What stands in the place of a hash.
const HASH: &str = "(hash)";
/// What stands in the place of a secret.
const SECRET: &str = "(secret)";
/// What stands in the place of an authenticator's key.
const KEY: &str = "(key)";

/// What happened, without secrets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Disclosed {
    /// The fields with plain values. What cannot be read, and what is not there, is `null`.
    pub fields: Map<String, Json>,
    /// Those of them that were there and are erased.
    pub erased: Vec<&'static str>,
}

/// What a reader sees of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sight {
    Open,
    Hash,
    Secret,
    /// An authenticator's ids, not its key.
    Authenticator,
}

/// Types whose values are shown.
const OPEN: &[&str] = &[
    "bool",
    "u64",
    "String",
    "Time",
    "UserId",
    "SessionId",
    "FlowId",
    "IdentityId",
    "OrganizationId",
    "MemberId",
    "InvitationId",
    "TeamId",
    "OrganizationRoleId",
    "Vec<String>",
    "Vec<TeamId>",
    "Roles",
    "Permissions",
    "FactorId",
    "ChallengeId",
    "PasskeyId",
    "IpAddr",
    "ClientId",
    "HoldId",
    "HoldScope",
    "Email",
    "Phone",
    "Metadata",
    "ClientDetails",
    "RedirectUri",
    "Scopes",
    "ProviderDefinition",
    "Username",
    "Vec<AuthenticationMethod>",
    "SignUpMethod",
    "TokenPurpose",
    "FactorKind",
    "FactorRemoval",
    "SecondStepMethod",
    "AssuranceLevel",
    "RevocationReason",
    "Departure",
    "InvitationEnd",
    "FlowPurpose",
    "MessageKind",
    "CodePurpose",
    "Registration",
    "SignInRefusal",
    "AdminRefusal",
];

/// Types whose values are not.
const HIDDEN: &[(&str, Sight)] = &[
    ("PasswordHash", Sight::Hash),
    ("TokenHash", Sight::Hash),
    ("Vec<TokenHash>", Sight::Hash),
    ("TotpSecret", Sight::Secret),
    ("SealedTokens", Sight::Secret),
    ("SealedSecret", Sight::Secret),
    ("ProviderTokens", Sight::Secret),
    ("CodeChallenge", Sight::Secret),
    // One-way values in the place of addresses.
    ("Vec<(IdentityId, String)>", Sight::Hash),
    ("Authenticator", Sight::Authenticator),
];

/// Texts that are secrets or hashes though their type does not say so.
const HIDDEN_TEXTS: &[(&str, &str, Sight)] = &[
    ("flow.started", "kept", Sight::Secret),
    ("authorization.requested", "state", Sight::Secret),
    ("authorization.requested", "nonce", Sight::Secret),
    ("user.deleted", "email_digest", Sight::Hash),
    ("user.deleted", "phone_digest", Sight::Hash),
];

fn sight(event: &str, field: &Field) -> Sight {
    let text = HIDDEN_TEXTS.iter().find(|(of, name, _)| *of == event && *name == field.name);
    if let Some((_, _, sight)) = text {
        return *sight;
    }
    let kind = field.value_type();
    if OPEN.contains(&kind) {
        return Sight::Open;
    }
    HIDDEN.iter().find(|(hidden, _)| *hidden == kind).map_or(Sight::Secret, |(_, sight)| *sight)
}

impl Event {
    /// What happened, for who may read the log.
    pub fn disclosed(&self) -> Disclosed {
        let mut shown = Disclosed::default();
        let Ok(Json::Object(mut stored)) = self.to_json() else { return shown };
        for field in self.description().fields {
            let value = stored.remove(field.name).unwrap_or_default();
            let value = match opened(field, value) {
                Ok(value) => value,
                Err(Unreadable) => {
                    shown.erased.push(field.name);
                    Json::Null
                }
            };
            let value = if value.is_null() { value } else { seen(sight(self.kind().0, field), value) };
            shown.fields.insert(field.name.to_owned(), value);
        }
        shown
    }
}

struct Unreadable;

/// The plain value of a field. What stands inside a personal one is data, whatever it looks like.
fn opened(field: &Field, value: Json) -> Result<Json, Unreadable> {
    if !field.is_personal() || value.is_null() {
        return Ok(value);
    }
    match value {
        Json::Object(mut marked) => marked.remove("$personal").ok_or(Unreadable),
        _ => Err(Unreadable),
    }
}

fn seen(sight: Sight, value: Json) -> Json {
    match (sight, value) {
        (Sight::Open, value) => value,
        (Sight::Hash, _) => Json::from(HASH),
        (Sight::Authenticator, Json::Object(mut parts)) => {
            if let Some(key) = parts.get_mut("key") {
                *key = Json::from(KEY);
            }
            Json::Object(parts)
        }
        (Sight::Secret | Sight::Authenticator, _) => Json::from(SECRET),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::catalogue::{names, plain_types, samples};
    use crate::user::UserEvent;
    use crate::{Metadata, Personal};

    #[test]
    fn every_type_in_the_catalogue_is_judged() {
        let known: BTreeSet<_> =
            plain_types().iter().map(|(name, _)| *name).chain(names().iter().map(|names| names.of)).collect();
        let judged: Vec<_> = OPEN.iter().copied().chain(HIDDEN.iter().map(|(name, _)| *name)).collect();
        assert_eq!(judged.iter().copied().collect::<BTreeSet<_>>(), known);
        assert_eq!(judged.len(), known.len(), "none twice");
    }

    #[test]
    fn no_secret_of_any_event_is_shown() {
        for sample in samples() {
            let shown = Json::Object(sample.disclosed().fields).to_string();
            let hashes =
                ["$argon2", "5e5e", "9c9c", "3d3d", "a1a1", "b7b7", "4Vgw1Zc8", "7hT0pLr3", "Qm6sJv1f"];
            let secrets =
                ["ya29", "1//", "BwcH", "E9Melhoa", "hj9Xq2", "9m2VqYk0", "st-1", "no-1", "counter"];
            let markers = ["$personal", "$sealed", "$erased"];
            for hidden in hashes.iter().chain(&secrets).chain(&markers) {
                assert!(!shown.contains(hidden), "{}: {shown}", sample.kind().0);
            }
        }
    }

    #[test]
    fn names_of_hidden_texts_are_those_of_fields() {
        let events = samples();
        for (event, field, _) in HIDDEN_TEXTS {
            let sample = events.iter().find(|sample| sample.kind().0 == *event).unwrap();
            assert!(sample.description().fields.iter().any(|known| known.name == *field), "{event}.{field}");
        }
    }

    #[test]
    fn personal_data_reads_plain_and_what_is_erased_is_named() {
        let odd = Metadata::default().with("x", json!({ "$personal": "$erased" }));
        let event = Event::from(UserEvent::MetadataChanged { patch: odd.clone().into() });
        assert_eq!(event.disclosed().fields["patch"], json!({ "x": { "$personal": "$erased" } }));
        assert_eq!(event.disclosed().erased, Vec::<&str>::new());
        for gone in [Personal::Erased, Personal::Sealed("AAAA".to_owned())] {
            let shown = Event::from(UserEvent::MetadataChanged { patch: gone }).disclosed();
            assert_eq!(shown.fields["patch"], Json::Null);
            assert_eq!(shown.erased, ["patch"]);
        }
        let shown = Event::from(UserEvent::PasswordChanged { password: Personal::Erased }).disclosed();
        assert_eq!((&shown.fields["password"], shown.erased), (&Json::Null, vec!["password"]));
    }
}
