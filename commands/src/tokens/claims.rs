//! What an access token says.

use std::fmt;

use serde::de::{self, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use evident_domain::session::{AssuranceLevel, AuthenticationMethod};
use evident_domain::{Metadata, SessionId, UserId};

/// The claims of a token that is being issued, in the order in which they are written. What is `None` is
/// left out.
#[derive(Clone, Default, Serialize)]
pub struct Claims {
    /// Who issues it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<UserId>,
    /// For which audience.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// When it ends, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// The user's address; empty where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The user's number; empty where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What the application knows of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_metadata: Option<Metadata>,
    /// What the user says of himself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_metadata: Option<Metadata>,
    /// The database role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How sure it is who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aal: Option<AssuranceLevel>,
    /// What was proven, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amr: Option<Vec<AmrClaim>>,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Whether the user has no way yet to sign in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_anonymous: Option<bool>,
    /// The OAuth client it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The OAuth scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Personal data stay out of logs.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("sub", &self.sub)
            .field("role", &self.role)
            .field("session_id", &self.session_id)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

/// One proof that the user gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmrClaim {
    /// `password`, `otp`, `totp` …
    pub method: String,
    /// When it was last given, in Unix seconds.
    pub timestamp: i64,
    /// The identity provider, where one vouched for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

impl From<&AuthenticationMethod> for AmrClaim {
    fn from(proof: &AuthenticationMethod) -> Self {
        Self { method: proof.method.clone(), timestamp: proof.at.timestamp(), provider: None }
    }
}

/// What a presented token says, as far as anybody asks. Any token may lack any of it: a service key is
/// signed with nothing but a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct VerifiedClaims {
    /// Whom it is about; a user's id, if somebody here issued it.
    pub sub: Option<String>,
    /// For which audiences; one or a list on the wire.
    #[serde(deserialize_with = "one_or_many")]
    pub aud: Vec<String>,
    /// When it ends, in Unix seconds.
    #[serde(deserialize_with = "seconds")]
    pub exp: Option<i64>,
    /// Before when it does not hold, in Unix seconds.
    #[serde(deserialize_with = "seconds")]
    pub nbf: Option<i64>,
    /// The database role.
    pub role: Option<String>,
    /// `aal1` or `aal2`.
    pub aal: Option<String>,
    /// What was proven.
    pub amr: Option<Vec<AmrClaim>>,
    /// The session it belongs to.
    pub session_id: Option<String>,
    /// Whether the user has no way yet to sign in again.
    pub is_anonymous: Option<bool>,
    /// The OAuth client it was issued to.
    pub client_id: Option<String>,
    /// The OAuth scopes.
    pub scope: Option<String>,
}

/// RFC 7519's `NumericDate`: seconds, a fraction allowed and dropped.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Seconds;

    impl Visitor<'_> for Seconds {
        type Value = Option<i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number of seconds")
        }

        fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
            Ok(Some(value))
        }

        fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
            Ok(Some(i64::try_from(value).unwrap_or(i64::MAX)))
        }

        #[expect(clippy::cast_possible_truncation, reason = "the cast drops the fraction, and saturates")]
        fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
            Ok(Some(value as i64))
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(Seconds)
}

/// A text, or a list of texts.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;

    impl<'de> Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or a list of texts")
        }

        fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
            Ok(vec![value.to_owned()])
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            /// More audiences than this are nobody's.
            const MOST: usize = 16;
            let mut values = Vec::new();
            while values.len() < MOST {
                match seq.next_element()? {
                    Some(value) => values.push(value),
                    None => return Ok(values),
                }
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(values)
        }
    }

    deserializer.deserialize_any(OneOrMany)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn claims_are_written_in_the_peers_order() {
        let claims = Claims {
            iss: Some("https://x.example/auth/v1".to_owned()),
            sub: Some(UserId(Uuid::from_u128(1))),
            aud: Some("authenticated".to_owned()),
            exp: Some(1_795_230_344),
            iat: Some(1_795_226_744),
            email: Some("o@example.com".to_owned()),
            phone: Some(String::new()),
            app_metadata: Some(
                Metadata::default().with("provider", "email").with("providers", json!(["email"])),
            ),
            user_metadata: Some(Metadata::default()),
            role: Some("authenticated".to_owned()),
            aal: Some(AssuranceLevel::Aal1),
            amr: Some(vec![AmrClaim {
                method: "password".to_owned(),
                timestamp: 1_795_226_744,
                provider: None,
            }]),
            session_id: Some(SessionId(Uuid::from_u128(2))),
            is_anonymous: Some(false),
            client_id: None,
            scope: None,
        };
        assert_eq!(
            serde_json::to_string(&claims).unwrap(),
            r#"{"iss":"https://x.example/auth/v1","sub":"00000000-0000-0000-0000-000000000001","aud":"authenticated","exp":1795230344,"iat":1795226744,"email":"o@example.com","phone":"","app_metadata":{"provider":"email","providers":["email"]},"user_metadata":{},"role":"authenticated","aal":"aal1","amr":[{"method":"password","timestamp":1795226744}],"session_id":"00000000-0000-0000-0000-000000000002","is_anonymous":false}"#
        );
        assert!(!format!("{claims:?}").contains("example.com"));
        let service = Claims { role: Some("service_role".to_owned()), ..Claims::default() };
        assert_eq!(serde_json::to_string(&service).unwrap(), r#"{"role":"service_role"}"#);
    }

    #[test]
    fn a_presented_token_may_spell_things_in_several_ways() {
        let read = |value| serde_json::from_value::<VerifiedClaims>(value);
        assert_eq!(read(json!({})).unwrap(), VerifiedClaims::default());
        assert_eq!(read(json!({"aud": null, "exp": null, "sub": null})).unwrap(), VerifiedClaims::default());
        assert_eq!(read(json!({"aud": "a"})).unwrap().aud, ["a"]);
        assert_eq!(read(json!({"aud": ["a", "b"], "more": [1]})).unwrap().aud, ["a", "b"]);
        assert_eq!(read(json!({"exp": 12.9})).unwrap().exp, Some(12));
        assert_eq!(read(json!({"exp": 1e300, "nbf": -5})).unwrap().exp, Some(i64::MAX));
        for wrong in [json!({"exp": "soon"}), json!({"aud": 5}), json!({"sub": 5}), json!("x")] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
