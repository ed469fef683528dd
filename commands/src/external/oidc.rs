//! OpenID providers: their documents, their keys, and what is checked of an ID token
//! (OpenID Connect Core, section 3.1.3.7).

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evident_domain::Time;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use url::Url;

use crate::outbound::{Chosen, Outbound};

/// What signs ID tokens. A shared secret never does, and `none` is no algorithm.
const ALGORITHMS: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Clocks may differ by so much, in seconds.
const SKEW: i64 = 30;
/// An unknown key is looked for at the provider once in so long.
const KEYS_AT_MOST_EVERY: Duration = Duration::from_secs(30);
/// The longest ID token, in bytes.
const LONGEST_TOKEN: usize = 32_768;
/// The most keys of one provider that are looked at.
const MOST_KEYS: usize = 64;
/// The most providers that are kept at hand.
const MOST_ISSUERS: usize = 256;
/// The shortest modulus of RSA, in characters of base64url: 2048 bits.
const SHORTEST_MODULUS: usize = 342;

/// Why an ID token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// It is no token, its signature is wrong, it is too old, or of somebody else.
    #[error("the ID token is not good")]
    Bad,
    /// The provider does not hand out its keys.
    #[error("the provider's keys cannot be had")]
    Keys,
}

/// What a provider says about itself (OpenID Connect Discovery, section 3).
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Document {
    pub issuer: String,
    pub jwks_uri: Url,
    pub authorization_endpoint: Option<Url>,
    pub token_endpoint: Option<Url>,
    pub userinfo_endpoint: Option<Url>,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// Where an OpenID provider is, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// The discovery document.
    pub discovery: Url,
    /// Who said so.
    pub chosen: Chosen,
}

impl Source {
    /// Where the document of an issuer is.
    pub(crate) fn of(issuer: &str, chosen: Chosen) -> Option<Self> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        Some(Self { discovery: Url::parse(&url).ok()?, chosen })
    }
}

/// Which issuers an ID token may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Issuers {
    /// These.
    Named(Vec<String>),
    /// The one that the document of the owner's choice names.
    OfDocument,
    /// Any organization of Microsoft's, as the token's own claim `tid` names it.
    AnyTenant,
}

impl Issuers {
    /// `document` is what the document says, once it is there.
    fn admit(&self, claims: &Map<String, Value>, document: Option<&str>) -> bool {
        let Some(issuer) = claims.get("iss").and_then(Value::as_str) else { return false };
        match self {
            Self::Named(names) => {
                names.iter().any(|name| name.trim_end_matches('/') == issuer.trim_end_matches('/'))
            }
            Self::OfDocument => document.is_none_or(|name| name == issuer),
            Self::AnyTenant => claims.get("tid").and_then(Value::as_str).is_some_and(|tenant| {
                uuid::Uuid::try_parse(tenant).is_ok()
                    && issuer == format!("https://login.microsoftonline.com/{tenant}/v2.0")
            }),
        }
    }
}

/// An ID token whose signature, issuer and times are good.
#[derive(Debug, Clone)]
pub(crate) struct IdToken {
    claims: Map<String, Value>,
    algorithm: Algorithm,
}

impl IdToken {
    pub(crate) fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.claims.get(key)?.as_str()
    }

    /// For whom it was issued.
    pub(crate) fn audience(&self) -> Vec<&str> {
        match self.claims.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it was issued for one of these clients. With several audiences the client that asked for it
    /// is named apart, and must be one of them, too.
    pub(crate) fn is_for(&self, clients: &[String]) -> bool {
        let one_of = |name: &str| !name.is_empty() && clients.iter().any(|client| client == name);
        let audience = self.audience();
        let party = self.claims.get("azp").and_then(Value::as_str).filter(|_| audience.len() > 1);
        audience.into_iter().any(one_of) && party.is_none_or(one_of)
    }

    /// Whether an access token belongs to it: so it does unless its hash says otherwise.
    pub(crate) fn fits(&self, access_token: &str) -> bool {
        let Some(expected) = self.text("at_hash") else { return true };
        let hash = match self.algorithm {
            Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => Sha384::digest(access_token).to_vec(),
            Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => Sha512::digest(access_token).to_vec(),
            _ => Sha256::digest(access_token).to_vec(),
        };
        let half = hash.get(..hash.len() / 2).unwrap_or_default();
        let made = URL_SAFE_NO_PAD.encode(half);
        made.as_bytes().ct_eq(expected.as_bytes()).into()
    }
}

#[derive(Debug)]
struct Known {
    document: Arc<Document>,
    fetched_at: Time,
    keys: Arc<Vec<Jwk>>,
    keys_fetched_at: Time,
}

/// Documents and keys of OpenID providers, kept for a while. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct OidcCache(Arc<RwLock<HashMap<Url, Known>>>);

/// What a look at a provider needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'a> {
    pub outbound: &'a Outbound,
    pub now: Time,
    /// How long what was fetched is good.
    pub ttl: Duration,
}

impl OidcCache {
    /// The document of a provider.
    pub(crate) async fn document(
        &self,
        look: Look<'_>,
        source: &Source,
    ) -> Result<Arc<Document>, IdTokenError> {
        Ok(self.known(look, source).await?.0)
    }

    async fn known(
        &self,
        look: Look<'_>,
        source: &Source,
    ) -> Result<(Arc<Document>, Arc<Vec<Jwk>>, Time), IdTokenError> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&source.discovery)
            && look.now < known.fetched_at + look.ttl
        {
            return Ok((known.document.clone(), known.keys.clone(), known.keys_fetched_at));
        }
        let document: Document = fetch(look.outbound, &source.discovery, source.chosen).await?;
        let keys = Arc::new(fetch_keys(look, source, &document).await?);
        let document = Arc::new(document);
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_ISSUERS {
            all.clear();
        }
        let known = Known {
            document: document.clone(),
            fetched_at: look.now,
            keys: keys.clone(),
            keys_fetched_at: look.now,
        };
        all.insert(source.discovery.clone(), known);
        Ok((document, keys, look.now))
    }

    /// Checks signature, issuer and times of an ID token. For whom it is, and its nonce, are the caller's.
    pub(crate) async fn verify(
        &self,
        look: Look<'_>,
        source: &Source,
        issuers: &Issuers,
        token: &str,
    ) -> Result<IdToken, IdTokenError> {
        if token.len() > LONGEST_TOKEN {
            return Err(IdTokenError::Bad);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| IdTokenError::Bad)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(IdTokenError::Bad);
        }
        // A token of somebody else's is not worth a call.
        let unchecked = jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(token);
        if !unchecked.is_ok_and(|data| issuers.admit(&data.claims, None)) {
            return Err(IdTokenError::Bad);
        }
        let (document, keys, fetched_at) = self.known(look, source).await?;
        let claims = match verified(token, header.alg, header.kid.as_deref(), &keys) {
            Some(claims) => claims,
            // The provider may have other keys by now.
            None if look.now >= fetched_at + KEYS_AT_MOST_EVERY => {
                let keys = Arc::new(fetch_keys(look, source, &document).await?);
                if let Some(known) =
                    self.0.write().unwrap_or_else(PoisonError::into_inner).get_mut(&source.discovery)
                {
                    known.keys = keys.clone();
                    known.keys_fetched_at = look.now;
                }
                verified(token, header.alg, header.kid.as_deref(), &keys).ok_or(IdTokenError::Bad)?
            }
            None => return Err(IdTokenError::Bad),
        };
        let token = IdToken { claims, algorithm: header.alg };
        if issuers.admit(&token.claims, Some(&document.issuer))
            && is_current(&token.claims, look.now.timestamp())
        {
            Ok(token)
        } else {
            Err(IdTokenError::Bad)
        }
    }
}

async fn fetch<T: serde::de::DeserializeOwned>(
    outbound: &Outbound,
    url: &Url,
    chosen: Chosen,
) -> Result<T, IdTokenError> {
    let request = outbound.request(Method::GET, url, chosen).map_err(|_| IdTokenError::Keys)?;
    let request = request.header(reqwest::header::ACCEPT, "application/json");
    let answer = outbound.send(request).await.map_err(|_| IdTokenError::Keys)?;
    if !answer.status.is_success() {
        return Err(IdTokenError::Keys);
    }
    answer.json().map_err(|_| IdTokenError::Keys)
}

async fn fetch_keys(look: Look<'_>, source: &Source, document: &Document) -> Result<Vec<Jwk>, IdTokenError> {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Value>,
    }
    let Keys { keys } = fetch(look.outbound, &document.jwks_uri, source.chosen).await?;
    // One key of an unknown kind does not spoil the rest.
    let keys = keys.into_iter().take(MOST_KEYS).filter_map(|key| serde_json::from_value(key).ok());
    Ok(keys.filter(is_fit).collect())
}

/// Whether a key may sign: no shared secret, no key for enciphering, no short one.
fn is_fit(key: &Jwk) -> bool {
    if matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return false;
    }
    match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => rsa.n.trim_end_matches('=').len() >= SHORTEST_MODULUS,
        AlgorithmParameters::EllipticCurve(_) | AlgorithmParameters::OctetKeyPair(_) => true,
        AlgorithmParameters::OctetKey(_) => false,
    }
}

/// The claims, if one of the keys signed them with its algorithm.
fn verified(
    token: &str,
    algorithm: Algorithm,
    kid: Option<&str>,
    keys: &[Jwk],
) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(algorithm);
    // Times are checked against our own clock, audiences by the caller.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let named = |key: &&Jwk| kid.is_none_or(|kid| key.common.key_id.as_deref() == Some(kid));
    let bound = |key: &&Jwk| {
        key.common
            .key_algorithm
            .is_none_or(|own| own.to_string().parse::<Algorithm>().is_ok_and(|own| own == algorithm))
    };
    keys.iter().filter(named).filter(bound).find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        jsonwebtoken::decode(token, &key, &validation).ok().map(|data| data.claims)
    })
}

/// Whether the times of a token hold now. It has an end.
fn is_current(claims: &Map<String, Value>, now: i64) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let time = |key: &str| claims.get(key).and_then(Value::as_f64).map(|time| time as i64);
    time("exp").is_some_and(|end| now < end.saturating_add(SKEW))
        && time("nbf").is_none_or(|start| start <= now.saturating_add(SKEW))
        && time("iat").is_none_or(|made| made <= now.saturating_add(SKEW))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: Value, algorithm: Algorithm) -> IdToken {
        let Value::Object(claims) = claims else { panic!("no object") };
        IdToken { claims, algorithm }
    }

    /// The example of OpenID Connect Core, appendix A.4.
    #[test]
    fn an_access_token_fits_by_its_hash() {
        let access = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let with = token(json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), Algorithm::RS256);
        assert!(with.fits(access));
        assert!(!with.fits("another"));
        assert!(token(json!({}), Algorithm::RS256).fits("another"));
    }

    #[test]
    fn a_token_is_for_one_of_our_clients_and_got_by_one_of_them() {
        let ours = ["web".to_owned(), "app".to_owned()];
        for (claims, good) in [
            (json!({"aud": "web"}), true),
            (json!({"aud": ["other", "app"], "azp": "app"}), true),
            (json!({"aud": ["other", "app"], "azp": "other"}), false),
            (json!({"aud": "other"}), false),
            (json!({"aud": ""}), false),
            (json!({}), false),
            (json!({"aud": {"web": 1}}), false),
        ] {
            assert_eq!(token(claims.clone(), Algorithm::RS256).is_for(&ours), good, "{claims}");
        }
    }

    #[test]
    fn a_token_has_its_time() {
        let current = |claims| is_current(&token(claims, Algorithm::RS256).claims, 1000);
        assert!(current(json!({"exp": 1001, "iat": 1000, "nbf": 1000})));
        assert!(current(json!({"exp": 971})), "clocks differ a little");
        assert!(!current(json!({"exp": 970})));
        assert!(!current(json!({"iat": 1})), "it has an end");
        assert!(!current(json!({"exp": 2000, "nbf": 1031})));
        assert!(!current(json!({"exp": 2000, "iat": 1031})));
        assert!(!current(json!({"exp": "2000"})));
    }

    #[test]
    fn microsoft_s_organizations_name_themselves() {
        let admit = |claims: Value| Issuers::AnyTenant.admit(&token(claims, Algorithm::RS256).claims, None);
        let tenant = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let issuer = format!("https://login.microsoftonline.com/{tenant}/v2.0");
        assert!(admit(json!({"iss": issuer, "tid": tenant})));
        assert!(!admit(json!({"iss": issuer, "tid": "11111111-6c67-4c5b-b112-36a304b66dad"})));
        assert!(!admit(json!({"iss": "https://evil.example.com/x/v2.0", "tid": "../evil"})));
        assert!(!admit(json!({"iss": issuer})));
    }

    #[test]
    fn secrets_short_keys_and_keys_for_enciphering_sign_nothing() {
        let fit = |key: Value| serde_json::from_value::<Jwk>(key).is_ok_and(|key| is_fit(&key));
        let modulus = "x".repeat(342);
        assert!(fit(json!({"kty": "RSA", "n": modulus, "e": "AQAB"})));
        assert!(!fit(json!({"kty": "RSA", "n": "short", "e": "AQAB"})));
        assert!(!fit(json!({"kty": "RSA", "n": modulus, "e": "AQAB", "use": "enc"})));
        assert!(!fit(json!({"kty": "oct", "k": "c2VjcmV0"})));
    }
}
