//! Keys as the configuration gives them, tokens as clients and attackers send them.
//!
//! `keys_tests.json` was written by Node's crypto module: a key of each kind, and a token signed with it.

use std::sync::atomic::{AtomicU64, Ordering};

use chrono::DateTime;
use evident_domain::ports::Entropy;
use evident_domain::{SessionId, UserId};
use serde::Deserialize;
use uuid::Uuid;

use super::super::claims::Claims;
use super::super::jwk::{KeyKind, generate_jwk};
use super::*;

const SECRET: &str = "super-secret-jwt-token-with-at-least-32-characters-long";
const NOW: i64 = 1_800_000_000;

#[derive(Deserialize)]
struct Sample {
    name: String,
    jwk: Value,
    token: String,
}

fn samples() -> Vec<Sample> {
    serde_json::from_str(include_str!("keys_tests.json")).unwrap()
}

fn sample(name: &str) -> Sample {
    samples().into_iter().find(|sample| sample.name == name).unwrap()
}

fn at(seconds: i64) -> Time {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn with_secret() -> SigningKeys {
    SigningKeys::load(KeySettings { secret: Some(SECRET), ..KeySettings::default() }).unwrap()
}

fn with_keys(jwks: &[Value]) -> Result<SigningKeys, KeyError> {
    let keys = serde_json::to_string(jwks).unwrap();
    SigningKeys::load(KeySettings { secret: Some(SECRET), keys: Some(&keys), ..KeySettings::default() })
}

fn verify_only(mut jwk: Value) -> Value {
    jwk["key_ops"] = json!(["verify"]);
    jwk
}

fn claims() -> Claims {
    Claims {
        sub: Some(UserId(Uuid::from_u128(1))),
        aud: Some("authenticated".to_owned()),
        exp: Some(NOW + 3600),
        role: Some("authenticated".to_owned()),
        session_id: Some(SessionId(Uuid::from_u128(2))),
        ..Claims::default()
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token of any header and claims, signed as HS256 with some secret.
fn hs256(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn refusal(keys: &SigningKeys, token: &str) -> String {
    keys.verify(token, at(NOW)).unwrap_err().to_string()
}

#[test]
fn every_kind_of_key_verifies_what_another_program_signed_and_signs_itself() {
    for Sample { name, jwk, token } in samples() {
        let keys = with_keys(&[jwk]).unwrap();
        for token in [token, keys.sign(&claims()).unwrap()] {
            let claims = keys.verify(&token, at(NOW)).unwrap();
            assert_eq!(claims.sub.as_deref(), Some("00000000-0000-0000-0000-000000000001"), "{name}");
            assert_eq!(claims.session_id.as_deref(), Some("00000000-0000-0000-0000-000000000002"));
            assert_eq!(claims.aud, ["authenticated"]);

            // One bit of the claims, one letter of the signature.
            let (message, signature) = token.rsplit_once('.').unwrap();
            let (header, body) = message.split_once('.').unwrap();
            let body = URL_SAFE_NO_PAD.decode(body).unwrap();
            let body = String::from_utf8(body).unwrap().replace("\"authenticated\"", "\"service_role_\"");
            let changed = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(body));
            assert!(matches!(keys.verify(&changed, at(NOW)), Err(JwtError::Signature(_))), "{name}");
            let first = if signature.starts_with('A') { "B" } else { "A" };
            let changed = format!("{message}.{first}{}", &signature[1..]);
            assert!(matches!(keys.verify(&changed, at(NOW)), Err(JwtError::Signature(_))), "{name}");
            let cut = format!("{message}.");
            assert!(matches!(keys.verify(&cut, at(NOW)), Err(JwtError::Signature(_))), "{name}");
        }
    }
}

#[test]
fn a_header_names_algorithm_key_and_type() {
    let header = |keys: &SigningKeys| {
        let token = keys.sign(&claims()).unwrap();
        String::from_utf8(URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
    };
    assert_eq!(header(&with_secret()), r#"{"alg":"HS256","typ":"JWT"}"#);
    let settings = KeySettings { secret: Some(SECRET), key_id: Some("k1"), ..KeySettings::default() };
    assert_eq!(header(&SigningKeys::load(settings).unwrap()), r#"{"alg":"HS256","kid":"k1","typ":"JWT"}"#);
    assert_eq!(
        header(&with_keys(&[sample("ES256").jwk]).unwrap()),
        r#"{"alg":"ES256","kid":"es","typ":"JWT"}"#
    );
}

#[test]
fn several_keys_verify_and_one_signs() {
    let jwks: Vec<Value> = samples()
        .into_iter()
        .map(|sample| if sample.name == "ES256" { sample.jwk } else { verify_only(sample.jwk) })
        .collect();
    let keys = with_keys(&jwks).unwrap();
    for sample in samples() {
        assert!(keys.verify(&sample.token, at(NOW)).is_ok(), "{}", sample.name);
    }
    // An old service key carries no kid, and one that was made with a lost kid still has the secret.
    for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": "lost"})] {
        let service = hs256(&header, &json!({"role": "service_role"}), SECRET.as_bytes());
        assert_eq!(keys.verify(&service, at(NOW)).unwrap().role.as_deref(), Some("service_role"));
    }
}

#[test]
fn the_secrets_id_leads_to_the_secret() {
    let settings = KeySettings { secret: Some(SECRET), key_id: Some("k1"), ..KeySettings::default() };
    let keys = SigningKeys::load(settings).unwrap();
    let token = hs256(&json!({"kid": "k1", "alg": "HS256"}), &json!({}), SECRET.as_bytes());
    assert!(keys.verify(&token, at(NOW)).is_ok());
}

#[test]
fn a_public_key_is_never_a_shared_secret() {
    let sample = sample("RS256");
    let oct = verify_only(self::sample("HS256").jwk);
    let keys = with_keys(&[sample.jwk.clone(), oct]).unwrap();
    let n = URL_SAFE_NO_PAD.decode(sample.jwk["n"].as_str().unwrap()).unwrap();
    let header = json!({"alg": "HS256", "kid": "rs"});
    for secret in [n, sample.jwk["n"].to_string().into_bytes(), keys.jwks().to_string().into_bytes()] {
        let forged = hs256(&header, &json!({"role": "service_role"}), &secret);
        assert_eq!(refusal(&keys, &forged), "token signature is invalid: key is of invalid type");
        let nameless = hs256(&json!({"alg": "HS256"}), &json!({"role": "service_role"}), &secret);
        assert_eq!(refusal(&keys, &nameless), "token signature is invalid: signature is invalid");
    }
}

#[test]
fn none_is_never_an_algorithm() {
    let methods = ["none".to_owned(), "HS256".to_owned()];
    let settings = KeySettings { secret: Some(SECRET), valid_methods: &methods, ..KeySettings::default() };
    for keys in [with_secret(), SigningKeys::load(settings).unwrap()] {
        let token =
            format!("{}.{}.", encoded(&json!({"alg": "none"})), encoded(&json!({"role": "service_role"})));
        assert_eq!(refusal(&keys, &token), "token signature is invalid: signing method none is invalid");
    }
}

#[test]
fn refusals_have_the_words_that_clients_know() {
    let keys = with_secret();
    let part = encoded(&json!({"alg": "HS256"}));
    let es256 = with_keys(&[sample("ES256").jwk]).unwrap();
    let unsigned = |header: Value| format!("{}.{}.AAAA", encoded(&header), encoded(&json!({})));
    for (keys, token, words) in [
        (&keys, "not-a-jwt".to_owned(), "token is malformed: token contains an invalid number of segments"),
        (&keys, "a.b".to_owned(), "token is malformed: token contains an invalid number of segments"),
        (&keys, "a.b.c.d".to_owned(), "token is malformed: token contains an invalid number of segments"),
        (&keys, String::new(), "token is malformed: token contains an invalid number of segments"),
        (
            &keys,
            "%%%.b.c".to_owned(),
            "token is malformed: could not base64 decode header: illegal base64 data at input byte 0",
        ),
        (
            &keys,
            format!("{part}.e30=.c"),
            "token is malformed: could not base64 decode claim: illegal base64 data at input byte 3",
        ),
        (
            &keys,
            format!("{part}.e30.A"),
            "token is malformed: could not base64 decode signature: illegal base64 data at input byte 0",
        ),
        (&keys, "..".to_owned(), "token is malformed: could not JSON decode header"),
        (&keys, format!("{part}.W10.AAAA"), "token is malformed: could not JSON decode claim"),
        (&keys, unsigned(json!({})), "token is unverifiable: signing method (alg) is unspecified"),
        (&keys, unsigned(json!({"alg": 5})), "token is unverifiable: signing method (alg) is unspecified"),
        (
            &keys,
            unsigned(json!({"alg": "hs256"})),
            "token is unverifiable: signing method (alg) is unavailable",
        ),
        (&keys, sample("ES256").token, "token signature is invalid: signing method ES256 is invalid"),
        (
            &es256,
            unsigned(json!({"alg": "ES256"})),
            "token is unverifiable: error while executing keyfunc: unrecognized JWT kid <nil> for algorithm ES256",
        ),
        (
            &es256,
            unsigned(json!({"alg": "ES256", "kid": "lost"})),
            "token is unverifiable: error while executing keyfunc: unrecognized JWT kid lost for algorithm ES256",
        ),
        (
            &es256,
            unsigned(json!({"alg": "ES256", "kid": 5})),
            "token is unverifiable: error while executing keyfunc: unrecognized JWT kid 5 for algorithm ES256",
        ),
        (
            &es256,
            hs256(&json!({"alg": "HS256"}), &json!({}), SECRET.as_bytes()),
            "token signature is invalid: signing method HS256 is invalid",
        ),
        (
            &keys,
            hs256(&json!({"alg": "HS256"}), &json!({}), b"another secret"),
            "token signature is invalid: signature is invalid",
        ),
    ] {
        assert_eq!(refusal(keys, &token), words, "{token}");
    }
}

#[test]
fn time_is_checked_to_the_second_and_a_later_issue_is_nothing() {
    let keys = with_secret();
    let token = |claims: Value| hs256(&json!({"alg": "HS256"}), &claims, SECRET.as_bytes());
    let expiring = token(json!({"exp": NOW}));
    assert!(keys.verify(&expiring, at(NOW - 1)).is_ok());
    assert_eq!(keys.verify(&expiring, at(NOW)), Err(JwtError::Expired));
    assert_eq!(refusal(&keys, &expiring), "token has invalid claims: token is expired");
    let coming = token(json!({"nbf": NOW + 1}));
    assert_eq!(refusal(&keys, &coming), "token has invalid claims: token is not valid yet");
    assert!(keys.verify(&coming, at(NOW + 1)).is_ok());
    assert!(keys.verify(&token(json!({"iat": NOW + 999})), at(NOW)).is_ok());
    assert!(keys.verify(&token(json!({})), at(NOW)).is_ok());
}

#[test]
fn configured_methods_replace_those_of_the_keys() {
    let methods = ["RS256".to_owned()];
    let settings = KeySettings { secret: Some(SECRET), valid_methods: &methods, ..KeySettings::default() };
    let keys = SigningKeys::load(settings).unwrap();
    let own = keys.sign(&claims()).unwrap();
    assert_eq!(refusal(&keys, &own), "token signature is invalid: signing method HS256 is invalid");
}

#[test]
fn the_world_sees_the_public_parts_only() {
    assert_eq!(with_secret().jwks().to_string(), r#"{"keys":[]}"#);
    let jwks: Vec<Value> = samples()
        .into_iter()
        .map(|sample| if sample.name == "ES256" { sample.jwk } else { verify_only(sample.jwk) })
        .collect();
    let es = sample("ES256").jwk;
    let keys = with_keys(&jwks).unwrap();
    let listed = keys.jwks()["keys"].as_array().unwrap();
    assert_eq!(
        listed[0].to_string(),
        format!(
            r#"{{"alg":"ES256","crv":"P-256","key_ops":["verify"],"kid":"es","kty":"EC","use":"sig","x":{},"y":{}}}"#,
            es["x"], es["y"]
        )
    );
    let names: Vec<Vec<&String>> =
        listed.iter().map(|key| key.as_object().unwrap().keys().collect()).collect();
    assert_eq!(names[1], ["alg", "crv", "key_ops", "kid", "kty", "use", "x"]);
    assert_eq!(names[2], ["alg", "e", "key_ops", "kid", "kty", "n", "use"]);
    assert_eq!(listed.len(), 4);
}

#[test]
fn a_public_key_alone_verifies() {
    let mut public = verify_only(sample("EdDSA").jwk);
    public.as_object_mut().unwrap().remove("d");
    let keys = with_keys(&[sample("ES256").jwk, public]).unwrap();
    assert!(keys.verify(&sample("EdDSA").token, at(NOW)).is_ok());
}

#[test]
fn wrong_configurations_say_what_is_wrong() {
    let load = |settings| SigningKeys::load(settings).unwrap_err();
    let none = KeySettings::default();
    assert_eq!(load(none), KeyError::Nothing);
    assert_eq!(load(KeySettings { secret: Some(""), ..none }), KeyError::EmptySecret);
    assert_eq!(load(KeySettings { keys: Some("[]"), ..none }), KeyError::Nothing);
    let broken = KeySettings { keys: Some("[{\n\"d\": \"hidden\", \"key_ops\": \"hidden\"}]"), ..none };
    let error = load(broken);
    assert!(matches!(error, KeyError::NotJson { line: 2, .. }), "{error}");
    assert!(!error.to_string().contains("hidden"));

    let [es, ed, rs] = ["ES256", "EdDSA", "RS256"].map(|name| sample(name).jwk);
    let error = |jwks: &[Value]| with_keys(jwks).unwrap_err().to_string();
    assert_eq!(error(&[verify_only(es.clone())]), "no signing key found");
    assert_eq!(
        error(&[es.clone(), ed.clone()]),
        "multiple signing keys detected, only 1 signing key is supported"
    );
    assert_eq!(error(&[es.clone(), verify_only(es.clone())]), "two keys have the same kid es");
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    for (jwk, words) in [
        (with(&es, "d", json!(null)), "the signing key has no private part"),
        (with(&es, "alg", json!("ES512")), "the key es is of an unsupported kind: ES512"),
        (with(&es, "crv", json!("secp256k1")), "the key es is of an unsupported kind: EC secp256k1 ES256"),
        (with(&rs, "alg", json!("PS256")), "the key rs is of an unsupported kind: RSA PS256"),
        (with(&rs, "aws:kms:arn", json!("arn")), "the key rs is of an unsupported kind: keys in AWS KMS"),
        (with(&es, "x", json!("AAAA")), "the key es is invalid: x has not 32 bytes"),
        (with(&es, "y", es["x"].clone()), "the key es is invalid: x and y are no point of the curve"),
        (with(&es, "d", es["x"].clone()), "the key es is invalid: "),
        (with(&ed, "d", json!("%")), "the key ed is invalid: d is no base64url"),
        (
            with(&ed, "d", ed["x"].clone()),
            "the key ed is invalid: the private part does not fit the public one",
        ),
        (
            with(&rs, "d", json!("AQAB")),
            "the key rs is invalid: the private part does not fit the public one",
        ),
        (
            with(&rs, "n", json!(format!("{}8", "z".repeat(170)))),
            "the key rs is invalid: RSA keys have at least 2048 bits",
        ),
        (with(&rs, "n", json!("AQAB")), "the key rs is invalid: n and e are no RSA key of at most 4096 bits"),
        (
            with(&rs, "n", json!("z".repeat(1000))),
            "the key rs is invalid: n and e are no RSA key of at most 4096 bits",
        ),
        (with(&rs, "kid", json!(null)), ""),
    ] {
        if words.is_empty() {
            assert!(with_keys(&[jwk]).is_ok());
        } else {
            let error = error(&[jwk]);
            assert!(error.starts_with(words), "{error}");
            assert!(!error.contains(es["d"].as_str().unwrap()));
        }
    }
}

#[test]
fn an_rsa_key_without_its_primes_signs_too() {
    let mut jwk = sample("RS256").jwk;
    for name in ["p", "q", "dp", "dq", "qi"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    let keys = with_keys(&[jwk]).unwrap();
    assert!(keys.verify(&keys.sign(&claims()).unwrap(), at(NOW)).is_ok());
}

/// Never twice the same, and always the same again.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill_with(|| u8::try_from(self.0.fetch_add(1, Ordering::Relaxed) % 251).unwrap());
    }
}

#[test]
fn a_generated_key_signs_at_once() {
    let entropy = Counting::default();
    for (kind, name) in [(KeyKind::Hs256, "HS256"), (KeyKind::Es256, "ES256"), (KeyKind::EdDsa, "EdDSA")] {
        let jwk = generate_jwk(kind, &entropy);
        let value: Value = serde_json::from_str(&jwk).unwrap();
        assert_eq!(value["alg"], name);
        assert!(Uuid::parse_str(value["kid"].as_str().unwrap()).is_ok());
        let array = format!("[{}]", *jwk);
        let keys = SigningKeys::load(KeySettings { keys: Some(&array), ..KeySettings::default() }).unwrap();
        let token = keys.sign(&claims()).unwrap();
        assert!(keys.verify(&token, at(NOW)).is_ok(), "{name}");
        assert_eq!(keys.jwks()["keys"].as_array().unwrap().len(), usize::from(kind != KeyKind::Hs256));
    }
}

#[test]
fn keys_are_never_shown() {
    assert_eq!(format!("{:?}", with_secret()), "SigningKeys { algorithm: HS256, .. }");
}
