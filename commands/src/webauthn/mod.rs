//! Authenticators (Web Authentication, level 2): what they are asked, and whether their answers are good.
//!
//! The checks are the library's. What it would have us keep between question and answer is made anew from
//! the question's own challenge, so nothing of it is taken from the client, and nothing is written before
//! somebody answers.

mod models;
mod options;

pub(crate) use models::model_name;
pub use options::{CreationOptions, RequestOptions};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evident_domain::Metadata;
use evident_domain::user::factor::Authenticator;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
    WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::settings::{SiteSettings, WebauthnSettings};

/// A challenge: as many random-looking bytes as a hash has.
pub(crate) type Challenge = [u8; 32];

/// The signature algorithms that are offered, and so taken: their names in the library, and in COSE
/// (RFC 9053).
const ALGORITHMS: [(&str, i32); 3] = [("ES256", -7), ("ES384", -35), ("RS256", -257)];

/// The settings make no relying party.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelyingPartyError {
    /// An origin does not read.
    #[error("{0:?} is no origin")]
    Origin(String),
    /// The domain is none of an origin's.
    #[error("{rp_id:?} is not the domain of {origin:?}, nor one above it")]
    Domain {
        /// The domain.
        rp_id: String,
        /// The origin.
        origin: String,
    },
}

/// Why an answer is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It does not prove anything.
    Unproven,
    /// It is signed by the right key, whose counter went back: somebody may have a copy.
    CounterWentBack,
}

/// The party that keys belong to: this server, under the application's name.
#[derive(Debug)]
pub struct RelyingParty {
    library: Webauthn,
    id: String,
    name: String,
    /// How long a page may take, in milliseconds.
    timeout: u64,
}

impl RelyingParty {
    /// A relying party, by default the application's site.
    ///
    /// # Errors
    /// When the origins do not read or do not belong to the domain.
    pub fn new(settings: &WebauthnSettings, site: &SiteSettings) -> Result<Self, RelyingPartyError> {
        let written = match settings.rp_origins.as_slice() {
            [] => std::slice::from_ref(&site.site_url),
            origins => origins,
        };
        let mut origins = Vec::new();
        for text in written {
            origins.push(Url::parse(text).map_err(|_| RelyingPartyError::Origin(text.clone()))?);
        }
        let first = origins.iter().find(|origin| origin.domain().is_some());
        let first = first.ok_or_else(|| RelyingPartyError::Origin(written.join(",")))?;
        let own = first.domain().unwrap_or_default().to_owned();
        let id = settings.rp_id.clone().filter(|id| !id.is_empty()).unwrap_or(own);
        let name = settings.rp_display_name.clone().filter(|name| !name.is_empty());
        let wrong =
            |origin: &Url| RelyingPartyError::Domain { rp_id: id.clone(), origin: origin.to_string() };
        let mut builder = WebauthnBuilder::new(&id, first).map_err(|_| wrong(first))?;
        for origin in &origins {
            builder = builder.append_allowed_origin(origin);
        }
        let library = builder.build().map_err(|_| wrong(first))?;
        let timeout = u64::try_from(settings.challenge_expiry.as_millis()).unwrap_or(u64::MAX);
        Ok(Self { library, name: name.unwrap_or_else(|| id.clone()), id, timeout })
    }

    /// Checks the answer of an authenticator that was asked to make a key.
    pub(crate) fn register(
        &self,
        challenge: Challenge,
        answer: &RegisterPublicKeyCredential,
    ) -> Result<Authenticator, Refused> {
        let state: PasskeyRegistration = made(json!({"rs": {
            "policy": "preferred",
            "exclude_credentials": [],
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "credential_algorithms": ALGORITHMS.map(|(name, _)| name),
            "require_resident_key": false,
            "authenticator_attachment": null,
            "extensions": {},
            "allow_synchronised_authenticators": true,
        }}))?;
        let key = self.library.finish_passkey_registration(answer, &state).map_err(refused)?;
        let aaguid = aaguid(answer.response.attestation_object.as_ref()).unwrap_or_default();
        stored(&key, aaguid)
    }

    /// Checks the answer of an authenticator that was asked to sign; gives its key with the counter as it is
    /// now.
    pub(crate) fn authenticate(
        &self,
        challenge: Challenge,
        answer: &PublicKeyCredential,
        known: &Authenticator,
    ) -> Result<Authenticator, Refused> {
        let mut key: Passkey = made(json!(known.key))?;
        let credential = known.key.0.get("cred").cloned().unwrap_or_default();
        let state: PasskeyAuthentication = made(json!({"ast": {
            "credentials": [credential],
            "policy": "preferred",
            "challenge": URL_SAFE_NO_PAD.encode(challenge),
            "appid": null,
            "allow_backup_eligible_upgrade": true,
        }}))?;
        let result = self.library.finish_passkey_authentication(answer, &state).map_err(refused)?;
        key.update_credential(&result);
        stored(&key, known.aaguid)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
fn refused(error: WebauthnError) -> Refused {
    match error {
        WebauthnError::CredentialPossibleCompromise => Refused::CounterWentBack,
        _ => Refused::Unproven,
    }
}

/// A value of the library's, from its stored form.
fn made<T: DeserializeOwned>(json: Value) -> Result<T, Refused> {
    serde_json::from_value(json).map_err(|error| {
        tracing::error!(%error, "a stored key of an authenticator does not read");
        Refused::Unproven
    })
}

/// A key as events hold it.
fn stored(key: &Passkey, aaguid: Uuid) -> Result<Authenticator, Refused> {
    match serde_json::to_value(key) {
        Ok(Value::Object(form)) => {
            let credential_id = URL_SAFE_NO_PAD.encode(key.cred_id());
            Ok(Authenticator { credential_id, aaguid, key: Metadata(form) })
        }
        Ok(_) | Err(_) => Err(Refused::Unproven),
    }
}

/// The model of an authenticator, as its data tell it: 16 bytes after the hash of the domain, the flags and
/// the counter (section 6.1).
fn aaguid(attestation: &[u8]) -> Option<Uuid> {
    const AAGUID: std::ops::Range<usize> = 37..53;
    let serde_cbor_2::Value::Map(parts) = serde_cbor_2::from_slice(attestation).ok()? else { return None };
    let name = serde_cbor_2::Value::Text("authData".to_owned());
    let serde_cbor_2::Value::Bytes(data) = parts.get(&name)? else { return None };
    Uuid::from_slice(data.get(AAGUID)?).ok()
}

/// The user that an answer names: the handle is the id as text.
pub(crate) fn user_of(answer: &PublicKeyCredential) -> Option<evident_domain::UserId> {
    std::str::from_utf8(answer.get_user_unique_id()?).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(id: Option<&str>, origins: &[&str]) -> WebauthnSettings {
        WebauthnSettings {
            rp_id: id.map(str::to_owned),
            rp_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            ..WebauthnSettings::default()
        }
    }

    #[test]
    fn the_domain_belongs_to_the_origins() {
        let site = SiteSettings { site_url: "https://app.example.com".to_owned(), ..SiteSettings::default() };
        let party = |id, origins: &[&str]| RelyingParty::new(&settings(id, origins), &site);
        assert_eq!(party(None, &[]).unwrap().id, "app.example.com");
        assert_eq!(party(Some("example.com"), &["https://a.example.com"]).unwrap().name, "example.com");
        assert!(matches!(party(Some("example.org"), &[]), Err(RelyingPartyError::Domain { .. })));
        assert!(matches!(party(None, &["nonsense"]), Err(RelyingPartyError::Origin(_))));
        assert!(RelyingParty::new(&settings(None, &[]), &SiteSettings::default()).is_err());
    }

    #[test]
    fn what_is_made_anew_is_what_the_library_takes() {
        let state = json!({"rs": {
            "policy": "preferred", "exclude_credentials": [], "challenge": "AAAA",
            "credential_algorithms": ["ES256"], "require_resident_key": false,
            "authenticator_attachment": null, "extensions": {}, "allow_synchronised_authenticators": true,
        }});
        assert!(made::<PasskeyRegistration>(state).is_ok());
        let state = json!({"ast": {
            "credentials": [], "policy": "preferred", "challenge": "AAAA", "appid": null,
            "allow_backup_eligible_upgrade": true,
        }});
        assert!(made::<PasskeyAuthentication>(state).is_ok());
    }

    #[test]
    fn what_is_no_attestation_tells_no_model() {
        for bytes in [&b""[..], b"\xa0", b"\x80", b"\xa1\x68authData\x41\x00", &[0x9f; 4_000]] {
            assert_eq!(aaguid(bytes), None);
        }
    }
}
