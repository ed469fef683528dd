//! Who calls: nobody known, a signed-in person, the application's administrator.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::JWT_SECRET;

/// Somebody who sends requests.
pub(crate) trait Caller {
    /// The access token, where they have one.
    fn bearer(&self) -> Option<String>;
}

/// Nobody known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anonymous;

impl Caller for Anonymous {
    fn bearer(&self) -> Option<String> {
        None
    }
}

/// A holder of the `service_role` key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceRole;

impl Caller for ServiceRole {
    fn bearer(&self) -> Option<String> {
        Some(sign_hs256(&json!({ "role": "service_role" }), JWT_SECRET))
    }
}

/// Whoever holds this token.
#[derive(Debug, Clone)]
pub(crate) struct Bearer(pub(crate) String);

impl Caller for Bearer {
    fn bearer(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

/// A signed-in person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The user's id.
    pub(crate) id: String,
    /// The access token.
    pub(crate) access_token: String,
    /// The refresh token.
    pub(crate) refresh_token: String,
    /// The user document of the answer that signed them in.
    pub(crate) user: Value,
}

impl Person {
    /// Whom a session document is about.
    #[track_caller]
    pub(crate) fn of_session(session: &Value) -> Self {
        let text = |value: &Value| match value.as_str() {
            Some(text) => text.to_owned(),
            None => panic!("no session: {session}"),
        };
        Self {
            id: text(&session["user"]["id"]),
            access_token: text(&session["access_token"]),
            refresh_token: text(&session["refresh_token"]),
            user: session["user"].clone(),
        }
    }

    /// The claims of the access token, unchecked.
    pub(crate) fn claims(&self) -> Value {
        super::keys::decode_part(&self.access_token, 1)
    }

    /// How the log names the person.
    pub(crate) fn subject(&self) -> String {
        format!("user:{}", self.id)
    }

    /// The session's id.
    pub(crate) fn session_id(&self) -> String {
        self.claims()["session_id"].as_str().unwrap().to_owned()
    }
}

impl Caller for Person {
    fn bearer(&self) -> Option<String> {
        Some(self.access_token.clone())
    }
}

/// An HS256 token without key id.
pub(crate) fn sign_hs256(claims: &Value, secret: &str) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}
