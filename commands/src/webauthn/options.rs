//! What a page hands to the authenticator: `PublicKeyCredentialCreationOptions` and `…RequestOptions` of
//! Web Authentication, in their JSON form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evident_domain::UserId;
use evident_domain::user::factor::Authenticator;
use serde::Serialize;

use super::{ALGORITHMS, Challenge, RelyingParty};

/// A key is to be made.
#[derive(Debug, Clone, Serialize)]
pub struct CreationOptions {
    rp: Party,
    user: User,
    challenge: String,
    #[serde(rename = "pubKeyCredParams")]
    algorithms: Vec<Algorithm>,
    timeout: u64,
    #[serde(rename = "excludeCredentials", skip_serializing_if = "Vec::is_empty")]
    exclude: Vec<Credential>,
    #[serde(rename = "authenticatorSelection")]
    selection: Selection,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'static str>,
}

/// A key is to sign.
#[derive(Debug, Clone, Serialize)]
pub struct RequestOptions {
    challenge: String,
    timeout: u64,
    #[serde(rename = "rpId")]
    rp_id: String,
    #[serde(rename = "allowCredentials", skip_serializing_if = "Vec::is_empty")]
    allow: Vec<Credential>,
    #[serde(rename = "userVerification", skip_serializing_if = "Option::is_none")]
    verification: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Party {
    name: String,
    id: String,
}

#[derive(Debug, Clone, Serialize)]
struct User {
    name: String,
    #[serde(rename = "displayName")]
    display_name: String,
    id: String,
}

#[derive(Debug, Clone, Serialize)]
struct Algorithm {
    #[serde(rename = "type")]
    kind: &'static str,
    alg: i32,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Selection {
    #[serde(rename = "residentKey", skip_serializing_if = "Option::is_none")]
    resident_key: Option<&'static str>,
    #[serde(rename = "requireResidentKey", skip_serializing_if = "Option::is_none")]
    require_resident_key: Option<bool>,
    #[serde(rename = "userVerification", skip_serializing_if = "Option::is_none")]
    verification: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Credential {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transports: Option<serde_json::Value>,
}

const KIND: &str = "public-key";
const PREFERRED: &str = "preferred";

impl Credential {
    fn of(known: &Authenticator) -> Self {
        let stored = known.key.0.get("cred").and_then(|credential| credential.get("transports"));
        let transports = stored.filter(|transports| transports.is_array()).cloned();
        Self { kind: KIND, id: known.credential_id.clone(), transports }
    }
}

impl RelyingParty {
    fn creation(&self, challenge: Challenge, user: UserId, name: &str) -> CreationOptions {
        CreationOptions {
            rp: Party { name: self.name.clone(), id: self.id.clone() },
            user: User {
                name: name.to_owned(),
                display_name: name.to_owned(),
                id: URL_SAFE_NO_PAD.encode(user.to_string()),
            },
            challenge: URL_SAFE_NO_PAD.encode(challenge),
            algorithms: ALGORITHMS.map(|(_, alg)| Algorithm { kind: KIND, alg }).into(),
            timeout: self.timeout,
            exclude: Vec::new(),
            selection: Selection::default(),
            attestation: None,
        }
    }

    /// A second factor makes its key.
    pub(crate) fn create_factor(&self, challenge: Challenge, user: UserId, name: &str) -> CreationOptions {
        self.creation(challenge, user, name)
    }

    /// A passkey makes its key, and keeps whose it is. Authenticators that hold one of these already do
    /// nothing.
    pub(crate) fn create_passkey<'a>(
        &self,
        challenge: Challenge,
        user: UserId,
        name: &str,
        known: impl Iterator<Item = &'a Authenticator>,
    ) -> CreationOptions {
        CreationOptions {
            exclude: known.map(Credential::of).collect(),
            selection: Selection {
                resident_key: Some("required"),
                require_resident_key: Some(true),
                verification: Some(PREFERRED),
            },
            attestation: Some("none"),
            ..self.creation(challenge, user, name)
        }
    }

    /// A second factor signs.
    pub(crate) fn request_factor(&self, challenge: Challenge, known: &Authenticator) -> RequestOptions {
        RequestOptions { allow: vec![Credential::of(known)], verification: None, ..self.request(challenge) }
    }

    /// Any passkey signs.
    pub(crate) fn request_passkey(&self, challenge: Challenge) -> RequestOptions {
        self.request(challenge)
    }

    fn request(&self, challenge: Challenge) -> RequestOptions {
        RequestOptions {
            challenge: URL_SAFE_NO_PAD.encode(challenge),
            timeout: self.timeout,
            rp_id: self.id.clone(),
            allow: Vec::new(),
            verification: Some(PREFERRED),
        }
    }
}
