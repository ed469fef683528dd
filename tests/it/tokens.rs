//! Access tokens, the keys that sign them, and the documents that tell of them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::support::{
    Anonymous, Bearer, EDDSA_KEY, ES256_KEY, JWT_SECRET, RS256_KEY, ServiceRole, TestServer, decode_part,
    key_set, public_part, sign_hs256,
};

on_both_databases!(the_claims_are_those_that_applications_read, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_JWT_ISSUER", "https://auth.example/auth/v1").start().await;
    let ada = server.sign_up("ada@example.com").await;
    let claims = ada.claims();
    let iat = claims["iat"].as_i64().unwrap();
    assert_eq!(
        claims,
        json!({
            "iss": "https://auth.example/auth/v1", "sub": ada.id, "aud": "authenticated",
            "exp": iat + 3600, "iat": iat, "email": "ada@example.com", "phone": "",
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": { "email": "ada@example.com", "email_verified": true, "phone_verified": false,
                               "sub": ada.id },
            "role": "authenticated", "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": claims["amr"][0]["timestamp"] }],
            "session_id": claims["session_id"], "is_anonymous": false
        })
    );
    assert!((claims["amr"][0]["timestamp"].as_i64().unwrap() - iat).abs() <= 1);
    assert_eq!(decode_part(&ada.access_token, 0), json!({ "alg": "HS256", "typ": "JWT" }));

    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&["authenticated"]);
    let key = DecodingKey::from_secret(JWT_SECRET.as_bytes());
    decode::<Value>(&ada.access_token, &key, &validation).unwrap();
});

on_both_databases!(the_life_of_a_token_and_its_key_id_are_configurable, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_JWT_EXP", "120")
        .with("GOTRUE_JWT_KEY_ID", "main")
        .start()
        .await;
    let ada = server.sign_up("ada@example.com").await;
    let claims = ada.claims();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 120);
    assert_eq!(decode_part(&ada.access_token, 0)["kid"], "main");
    assert!(claims.get("iss").is_none());
    server.get(&ada, "/user").await.ok();
});

/// Checks that tokens are signed with a key, that the world can check them, and that older tokens stay good.
async fn signs_with(database: &crate::support::TestDatabase, key: &str, algorithm: Algorithm) {
    let keys = key_set(key, &[]);
    let server = TestServer::on(database).with("GOTRUE_JWT_KEYS", &keys).start().await;
    let ada = server.sign_up("ada@example.com").await;

    let reply = server.get(&Anonymous, "/.well-known/jwks.json").await;
    assert_eq!(reply.ok(), json!({ "keys": [public_part(key)] }), "the shared secret is not listed");
    assert_eq!(reply.header("cache-control"), "public, max-age=600");

    let header = decode_header(&ada.access_token).unwrap();
    assert_eq!(header.alg, algorithm);
    let public = public_part(key);
    assert_eq!(header.kid.as_deref(), public["kid"].as_str());
    let jwk: Jwk = serde_json::from_value(public).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&["authenticated"]);
    decode::<Value>(&ada.access_token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();

    server.get(&ada, "/user").await.ok();
    server.get(&ServiceRole, "/admin/users").await.ok();
}

on_both_databases!(es256_keys_sign, async |database| {
    signs_with(&database, ES256_KEY, Algorithm::ES256).await;
});

on_both_databases!(rs256_keys_sign, async |database| {
    signs_with(&database, RS256_KEY, Algorithm::RS256).await;
});

on_both_databases!(eddsa_keys_sign, async |database| {
    signs_with(&database, EDDSA_KEY, Algorithm::EdDSA).await;
});

on_both_databases!(keys_can_be_rotated_without_signing_anybody_out, async |database| {
    let mut server =
        TestServer::on(&database).with("GOTRUE_JWT_KEYS", &key_set(ES256_KEY, &[])).start().await;
    let ada = server.sign_up("ada@example.com").await;
    server.stop();
    server.set("GOTRUE_JWT_KEYS", &key_set(RS256_KEY, &[ES256_KEY]));
    server.start().await;
    server.get(&ada, "/user").await.ok();
    let jwks = server.get(&Anonymous, "/.well-known/jwks.json").await.ok();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 2);
    let bob = server.sign_up("bob@example.com").await;
    assert_eq!(decode_part(&bob.access_token, 0)["alg"], "RS256");
});

on_both_databases!(no_key_can_be_mistaken_for_another, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_JWT_KEYS", &key_set(ES256_KEY, &[])).start().await;
    let ada = server.sign_up("ada@example.com").await;
    let claims = ada.claims();
    let header = decode_part(&ada.access_token, 0);
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let body = part(&claims);

    // No signature.
    let none = format!("{}.{body}.", part(&json!({ "alg": "none", "typ": "JWT" })));
    // The public key taken for a shared secret.
    let public = public_part(ES256_KEY).to_string();
    let confused = |kid: bool| {
        let mut head = jsonwebtoken::Header::new(Algorithm::HS256);
        head.kid = kid.then(|| header["kid"].as_str().unwrap().to_owned());
        let secret = jsonwebtoken::EncodingKey::from_secret(public.as_bytes());
        jsonwebtoken::encode(&head, &claims, &secret).unwrap()
    };
    // The real signature under another header or other claims.
    let signature = ada.access_token.rsplit('.').next().unwrap();
    let mut more = claims.clone();
    more["role"] = json!("service_role");
    let changed = format!("{}.{}.{signature}", part(&header), part(&more));
    let other_header = format!("{}.{body}.{signature}", part(&json!({ "alg": "HS256", "typ": "JWT" })));
    // Two parts only.
    let cut = format!("{}.{body}", part(&header));

    let before = server.head();
    for token in [none, confused(false), confused(true), changed, other_header, cut, String::new()] {
        let caller = Bearer(token.clone());
        let user = server.get(&caller, "/user").await;
        assert!(matches!(user.status, 401 | 403), "{token}: {}", user.text);
        let admin = server.get(&caller, "/admin/users").await;
        assert!(matches!(admin.status, 401 | 403), "{token}: {}", admin.text);
    }
    assert!(server.events_since(before).iter().all(|event| event.kind == "attempt.admin_denied"));
    server.get(&Bearer(sign_hs256(&claims, JWT_SECRET)), "/user").await.ok();
});

on_both_databases!(discovery_tells_where_everything_is, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_JWT_ISSUER", "http://localhost:9999").start().await;
    let reply = server.get(&Anonymous, "/.well-known/openid-configuration").await;
    let document = reply.ok();
    assert_eq!(document["issuer"], "http://localhost:9999");
    assert_eq!(document["jwks_uri"], "http://localhost:9999/.well-known/jwks.json");
    assert_eq!(document["token_endpoint"], "http://localhost:9999/oauth/token");
    assert_eq!(document["response_types_supported"], json!(["code"]));
    assert!(document.get("registration_endpoint").is_none());
    assert_eq!(reply.header("cache-control"), "public, max-age=600");
    assert_eq!(server.get(&Anonymous, "/.well-known/jwks.json").await.ok(), json!({ "keys": [] }));
});
