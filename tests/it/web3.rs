//! Signing in with a wallet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{SecondsFormat, TimeDelta, Utc};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha3::{Digest as _, Keccak256};

use crate::support::{Anonymous, Person, Reply, ServiceRole, TestDatabase, TestServer};

const GRANT: &str = "/token?grant_type=web3";
const MISMATCH: &str = "Signature does not match address in message";

async fn server(database: &TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_WEB3_ETHEREUM_ENABLED", "true")
        .with("GOTRUE_RATE_LIMIT_WEB3", "1000000")
        .with("GOTRUE_URI_ALLOW_LIST", "http://localhost:3000/**,https://app.example.com/**")
        .start()
        .await
}

/// A message as wallets are given it.
struct Message {
    domain: &'static str,
    uri: &'static str,
    more: String,
    age: TimeDelta,
}

impl Default for Message {
    fn default() -> Self {
        let (domain, uri) = ("localhost:3000", "http://localhost:3000/");
        Self { domain, uri, more: String::new(), age: TimeDelta::zero() }
    }
}

impl Message {
    fn text(&self, title: &str, address: &str, chain_id: &str) -> String {
        let issued = (Utc::now() - self.age).to_rfc3339_opts(SecondsFormat::Nanos, true);
        format!(
            "{} wants you to sign in with your {title} account:\n{address}\n\nSign in to Example\n\n\
             URI: {}\nVersion: 1{chain_id}\nNonce: {}\nIssued At: {issued}{}",
            self.domain,
            self.uri,
            uuid::Uuid::new_v4().simple(),
            self.more
        )
    }
}

/// A wallet of Solana.
struct Solana(SigningKey);

impl Solana {
    fn new() -> Self {
        Self(SigningKey::from_bytes(uuid::Uuid::new_v4().as_bytes().repeat(2).as_slice().try_into().unwrap()))
    }

    fn address(&self) -> String {
        bs58::encode(self.0.verifying_key().to_bytes()).into_string()
    }

    fn signed(&self, message: &Message) -> Value {
        let text = message.text("Solana", &self.address(), "");
        let signature = STANDARD.encode(self.0.sign(text.as_bytes()).to_bytes());
        json!({ "chain": "solana", "message": text, "signature": signature })
    }
}

/// A wallet of Ethereum.
struct Ethereum(k256::ecdsa::SigningKey);

impl Ethereum {
    fn new() -> Self {
        Self(k256::ecdsa::SigningKey::from_slice(&uuid::Uuid::new_v4().as_bytes().repeat(2)).unwrap())
    }

    /// In small letters.
    fn address(&self) -> String {
        let point = self.0.verifying_key().to_encoded_point(false);
        format!("0x{}", hex::encode(&Keccak256::digest(&point.as_bytes()[1..])[12..]))
    }

    fn signed(&self, message: &Message) -> Value {
        let text = message.text("Ethereum", &self.address(), "\nChain ID: 137");
        let prefixed = format!("\x19Ethereum Signed Message:\n{}{text}", text.len());
        let (signature, id) = self.0.sign_prehash_recoverable(&Keccak256::digest(prefixed)).unwrap();
        let signature = format!("0x{}{:02x}", hex::encode(signature.to_bytes()), id.to_byte() + 27);
        json!({ "chain": "ethereum", "message": text, "signature": signature })
    }
}

#[track_caller]
fn not_granted(reply: &Reply, description: &str) {
    assert_eq!(reply.json(), json!({ "error": "invalid_grant", "error_description": description }));
    assert_eq!((reply.status, reply.header("x-sb-error-code")), (400, ""));
}

on_both_databases!(a_solana_wallet_signs_up_and_in, async |database| {
    let server = server(&database).await;
    let wallet = Solana::new();
    let reply = server.post(&Anonymous, GRANT, wallet.signed(&Message::default())).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let person = Person::of_session(&reply.ok());
    let id = format!("web3:solana:{}", wallet.address());
    let data = json!({
        "custom_claims": { "address": wallet.address(), "chain": "solana", "domain": "localhost:3000",
                           "network": "", "statement": "Sign in to Example" },
        "email_verified": false, "phone_verified": false, "sub": id
    });
    assert_eq!(person.user["user_metadata"], data);
    assert_eq!(person.user["app_metadata"], json!({ "provider": "web3", "providers": ["web3"] }));
    assert_eq!((&person.user["email"], &person.user["is_anonymous"]), (&json!(""), &json!(false)));
    let identity = &person.user["identities"][0];
    assert_eq!((&identity["provider"], &identity["id"]), (&json!("web3"), &json!(id)));
    assert_eq!(identity["identity_data"], data);
    assert_eq!(person.claims()["amr"][0]["method"], "web3");
    assert_eq!(person.claims()["aal"], "aal1");

    let again =
        Person::of_session(&server.post(&Anonymous, GRANT, wallet.signed(&Message::default())).await.ok());
    assert_eq!(again.id, person.id);
    assert_ne!(again.session_id(), person.session_id());
    assert_eq!(again.user["identities"].as_array().unwrap().len(), 1);
    server.get(&again, "/user").await.ok();

    let log = server.get(&ServiceRole, "/admin/audit").await.ok();
    let actions: Vec<_> = log.as_array().unwrap().iter().map(|e| e["payload"]["action"].clone()).collect();
    assert_eq!(actions, ["login", "login", "user_signedup"]);
    assert_eq!(log[0]["payload"]["traits"], json!({ "provider": "web3" }));
    server.assert_log_is_whole();
});

on_both_databases!(an_ethereum_wallet_is_one_account_however_its_address_is_spelled, async |database| {
    let server = server(&database).await;
    let wallet = Ethereum::new();
    let person =
        Person::of_session(&server.post(&Anonymous, GRANT, wallet.signed(&Message::default())).await.ok());
    let claims = &person.user["user_metadata"]["custom_claims"];
    assert_eq!((&claims["chain"], &claims["network"]), (&json!("ethereum"), &json!("137")));
    assert_eq!(claims["address"].as_str().unwrap().to_lowercase(), wallet.address());
    let app =
        Message { domain: "app.example.com", uri: "https://app.example.com/login", ..Message::default() };
    let again = Person::of_session(&server.post(&Anonymous, GRANT, wallet.signed(&app)).await.ok());
    assert_eq!(again.id, person.id);
    assert_eq!(again.user["user_metadata"]["custom_claims"]["domain"], "app.example.com");
});

on_both_databases!(a_message_signs_in_once, async |database| {
    let server = server(&database).await;
    let body = Solana::new().signed(&Message::default());
    let attempts = (0..6).map(|_| server.post(&Anonymous, GRANT, body.clone()));
    let replies = futures::future::join_all(attempts).await;
    let (taken, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
    assert_eq!(taken.len(), 1);
    for reply in refused {
        not_granted(&reply, "Signed Solana message was used already");
    }
    let user = Person::of_session(&taken[0].ok());
    server.post_empty(&user, "/logout").await.no_content();
    not_granted(&server.post(&Anonymous, GRANT, body).await, "Signed Solana message was used already");
    server.assert_log_is_whole();
});

on_both_databases!(a_signature_is_of_this_wallet_and_this_message, async |database| {
    let server = server(&database).await;
    let (one, other) = (Solana::new(), Solana::new());
    let mut body = one.signed(&Message::default());
    body["signature"] = other.signed(&Message::default())["signature"].clone();
    not_granted(&server.post(&Anonymous, GRANT, body).await, MISMATCH);
    let mut body = one.signed(&Message::default());
    body["message"] = json!(body["message"].as_str().unwrap().replace("Example", "Exampel"));
    not_granted(&server.post(&Anonymous, GRANT, body).await, MISMATCH);
    let wallet = Ethereum::new();
    let mut body = wallet.signed(&Message::default());
    let address = Ethereum::new().address();
    body["message"] = json!(body["message"].as_str().unwrap().replace(&wallet.address(), &address));
    not_granted(&server.post(&Anonymous, GRANT, body).await, MISMATCH);
    let failed = server.events().iter().filter(|event| event.kind == "attempt.sign_in_failed").count();
    assert_eq!(failed, 3);
});

on_both_databases!(a_message_is_for_this_application_and_for_now, async |database| {
    let server = server(&database).await;
    let wallet = Solana::new();
    let minutes = TimeDelta::minutes;
    let field =
        |name: &str, from_now: TimeDelta| format!("\n{name}: {}", (Utc::now() + from_now).to_rfc3339());
    let app = "https://app.example.com/";
    let (not_ours, domain) = (
        "Signed Solana message is using URI which is not allowed on this server, message was signed for another app",
        "Signed Solana message is using a Domain that does not match the one in URI which is not allowed on this server",
    );
    for (message, expected) in [
        (Message { uri: "https://evil.example/", domain: "evil.example", ..Message::default() }, not_ours),
        (
            Message { uri: "http://app.example.com/", domain: "app.example.com", ..Message::default() },
            "Signed Solana message is using URI which does not use HTTPS",
        ),
        (Message { uri: app, domain: "evil.example", ..Message::default() }, domain),
        (Message { uri: app, domain: "app.example.com:8443", ..Message::default() }, domain),
        // Nor on the developer's own machine.
        (Message { domain: "evil.example", ..Message::default() }, domain),
        (Message { age: minutes(11), ..Message::default() }, "Solana message was issued too long ago"),
        (
            Message { age: minutes(-11), ..Message::default() },
            "Solana message was issued too far in the future",
        ),
        (
            Message { more: field("Expiration Time", minutes(-1)), ..Message::default() },
            "Signed Solana message is expired",
        ),
        (
            Message { more: field("Not Before", minutes(1)), ..Message::default() },
            "Signed Solana message becomes valid in the future",
        ),
    ] {
        not_granted(&server.post(&Anonymous, GRANT, wallet.signed(&message)).await, expected);
    }
    assert!(!server.events().iter().any(|event| event.kind == "user.signed_up"));
});

on_both_databases!(what_does_not_read_is_refused_in_the_peers_words, async |database| {
    let server = server(&database).await;
    let good = Solana::new().signed(&Message::default());
    let refused = async |body: Value, code: &str, message: &str| {
        server.post(&Anonymous, GRANT, body).await.refused(400, code, message);
    };
    refused(json!({ "chain": "bitcoin" }), "web3_unsupported_chain", "Unsupported chain").await;
    refused(json!({}), "web3_unsupported_chain", "Unsupported chain").await;
    refused(json!({ "chain": "solana" }), "validation_failed", "message is too short").await;
    let mut body = good.clone();
    body["message"] = json!("x".repeat(70));
    refused(body, "validation_failed", "siws: message needs at least 6 lines").await;
    let mut body = good.clone();
    body["message"] = json!("x".repeat(30_000));
    refused(body, "validation_failed", "message must not exceed 20KB").await;
    let mut body = good;
    body["signature"] = json!("x");
    let message = "signature must be 64 bytes encoded as base64 with or without padding";
    refused(body, "validation_failed", message).await;
});

on_both_databases!(wallets_of_people_who_may_not_come_in_stay_out, async |database| {
    let mut server = server(&database).await;
    let wallet = Solana::new();
    let person =
        Person::of_session(&server.post(&Anonymous, GRANT, wallet.signed(&Message::default())).await.ok());
    server.stop();
    server.set("GOTRUE_DISABLE_SIGNUP", "true");
    server.start().await;
    let reply = server.post(&Anonymous, GRANT, Solana::new().signed(&Message::default())).await;
    reply.refused(422, "signup_disabled", "Signups not allowed for this instance");
    server.post(&Anonymous, GRANT, wallet.signed(&Message::default())).await.ok();
    let ban = json!({ "ban_duration": "24h" });
    server.put(&ServiceRole, &format!("/admin/users/{}", person.id), ban).await.ok();
    let reply = server.post(&Anonymous, GRANT, wallet.signed(&Message::default())).await;
    reply.refused(403, "user_banned", "User is banned");
});

on_both_databases!(chains_are_off_unless_they_are_switched_on, async |database| {
    let mut server = TestServer::on(&database).start().await;
    let reply = server.post(&Anonymous, GRANT, json!({ "chain": "solana" })).await;
    reply.refused(422, "web3_provider_disabled", "Web3 provider is disabled");
    server.stop();
    server.set("GOTRUE_EXTERNAL_WEB3_SOLANA_ENABLED", "true");
    server.set("GOTRUE_RATE_LIMIT_WEB3", "1");
    server.start().await;
    let reply = server.post(&Anonymous, GRANT, json!({ "chain": "ethereum" })).await;
    reply.refused(422, "web3_provider_disabled", "Ethereum Web3 provider is disabled");
    let mut statuses = Vec::new();
    for _ in 0..31 {
        statuses.push(server.post(&Anonymous, GRANT, json!({ "chain": "x" })).await.status);
    }
    assert_eq!((statuses[0], statuses[30]), (400, 429));
});
