//! An authenticator in software: makes keys and signs, as a browser and a security key would together.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Flags of authenticator data: a person was there and was recognized; a key is included.
const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const WITH_KEY: u8 = 0x40;

/// Where the pages of the tests stand.
const ORIGIN: &str = "http://localhost:3000";

static KEYS: AtomicU64 = AtomicU64::new(1);

/// One key of an authenticator.
#[derive(Debug, Clone)]
pub(crate) struct SoftwareKey {
    /// What signs.
    pub(crate) key: SigningKey,
    /// What the key is called.
    pub(crate) id: Vec<u8>,
    /// How often it signed.
    pub(crate) counter: u32,
    /// The page that asks.
    pub(crate) origin: String,
    /// Whose key it is, as the server said when it was made.
    pub(crate) user_handle: Option<String>,
}

impl SoftwareKey {
    /// A fresh key.
    pub(crate) fn new() -> Self {
        let number = KEYS.fetch_add(1, Ordering::Relaxed);
        let secret = Sha256::digest(format!("{number} {:?}", std::time::Instant::now()));
        Self {
            key: SigningKey::from_slice(&secret).unwrap(),
            id: secret[..16].to_vec(),
            counter: 0,
            origin: ORIGIN.to_owned(),
            user_handle: None,
        }
    }

    /// The answer to creation options.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.counter += 1;
        self.user_handle = Some(options["user"]["id"].as_str().unwrap().to_owned());
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), PRESENT | VERIFIED | WITH_KEY);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose_key());
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let client = self.client_data("webauthn.create", options);
        self.credential(&json!({
            "clientDataJSON": encode(&client),
            "attestationObject": encode(&object),
            "transports": ["internal"],
        }))
    }

    /// The answer to request options.
    pub(crate) fn sign(&mut self, options: &Value) -> Value {
        self.counter += 1;
        let data = self.data(options["rpId"].as_str().unwrap(), PRESENT | VERIFIED);
        let client = self.client_data("webauthn.get", options);
        let signed = [data.as_slice(), &Sha256::digest(&client)].concat();
        let signature: Signature = self.key.sign(&signed);
        self.credential(&json!({
            "clientDataJSON": encode(&client),
            "authenticatorData": encode(&data),
            "signature": encode(signature.to_der().as_bytes()),
            "userHandle": self.user_handle,
        }))
    }

    fn credential(&self, response: &Value) -> Value {
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        })
    }

    fn data(&self, rp_id: &str, flags: u8) -> Vec<u8> {
        [&Sha256::digest(rp_id)[..], &[flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false
        });
        data.to_string().into_bytes()
    }

    /// The public key in CBOR (RFC 9053, section 7.1): an elliptic curve, ES256, P-256, x, y.
    fn cose_key(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_encoded_point(false);
        let mut bytes = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        bytes.extend(point.x().unwrap());
        bytes.extend(b"\x22\x58\x20");
        bytes.extend(point.y().unwrap());
        bytes
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
