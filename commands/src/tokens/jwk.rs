//! Keys in JSON form (RFC 7517): private ones from the configuration, public ones for the world.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use base64::{alphabet, engine::DecodePaddingMode};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use evident_domain::ports::Entropy;

use super::keys::KeyError;

/// Base64url, padded or not: people paste keys from many tools.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The shortest RSA key that RFC 7518 allows, in bits.
const RSA_MIN_BITS: usize = 2048;

/// A key as it stands in the configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Jwk {
    kty: String,
    alg: Option<String>,
    kid: Option<String>,
    key_ops: Vec<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    p: Option<Secret>,
    q: Option<Secret>,
    d: Option<Secret>,
    k: Option<Secret>,
    #[serde(rename = "aws:kms:arn")]
    kms: Option<Value>,
}

/// A private member; wiped on drop.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Secret(Zeroizing<String>);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl Secret {
    fn text(member: Option<&Self>) -> Option<&str> {
        member.map(|secret| secret.0.as_str())
    }
}

/// The part of a key that signs.
pub(super) enum Private {
    /// Symmetric and RSA keys, as jsonwebtoken takes them.
    Encoded(EncodingKey),
    /// Parsed once: parsing costs more than signing.
    P256(p256::ecdsa::SigningKey),
    /// Parsed once.
    Ed25519(ed25519_dalek::SigningKey),
}

/// A key that is ready for use.
pub(super) struct Key {
    pub(super) kid: Option<String>,
    pub(super) algorithm: Algorithm,
    /// `sign` stands among its operations.
    pub(super) signs: bool,
    pub(super) private: Option<Private>,
    pub(super) public: DecodingKey,
    /// What the world may see; symmetric keys have nothing to show.
    pub(super) listed: Option<Value>,
}

/// A key's parts that depend on its type.
struct Material {
    private: Option<Private>,
    public: DecodingKey,
    /// The public members.
    members: Option<Vec<(&'static str, String)>>,
}

impl Jwk {
    /// Makes the key ready.
    pub(super) fn ready(&self) -> Result<Key, KeyError> {
        let algorithm = self.algorithm()?;
        let material = match algorithm {
            Algorithm::HS256 => self.symmetric()?,
            Algorithm::RS256 | Algorithm::RS512 => self.rsa()?,
            Algorithm::ES256 => self.p256()?,
            _ => self.ed25519()?,
        };
        let listed = material.members.map(|members| self.listed(algorithm, members));
        let signs = self.key_ops.iter().any(|operation| operation == "sign");
        Ok(Key {
            kid: self.kid.clone(),
            algorithm,
            signs,
            private: material.private,
            public: material.public,
            listed,
        })
    }

    /// The algorithm that is named, or the usual one of the key's type.
    fn algorithm(&self) -> Result<Algorithm, KeyError> {
        if self.kms.is_some() {
            return Err(self.unsupported("keys in AWS KMS"));
        }
        let algorithm = match (self.kty.as_str(), self.crv.as_deref(), self.alg.as_deref()) {
            // Whatever else a symmetric key names, HS256 is what it signs with.
            ("oct", _, _) => Algorithm::HS256,
            ("RSA", _, None | Some("RS256")) => Algorithm::RS256,
            ("RSA", _, Some("RS512")) => Algorithm::RS512,
            ("EC", Some("P-256"), None | Some("ES256")) => Algorithm::ES256,
            ("OKP", Some("Ed25519"), None | Some("EdDSA" | "Ed25519")) => Algorithm::EdDSA,
            ("EC", Some("P-521"), _) | (_, _, Some("ES512")) => {
                return Err(self.unsupported("ES512"));
            }
            (kty, crv, alg) => {
                let name = [Some(kty), crv, alg].into_iter().flatten().collect::<Vec<_>>().join(" ");
                return Err(self.unsupported(&name));
            }
        };
        Ok(algorithm)
    }

    fn symmetric(&self) -> Result<Material, KeyError> {
        let secret = self.bytes("k", Secret::text(self.k.as_ref()))?;
        if secret.is_empty() {
            return Err(self.invalid("k is empty"));
        }
        Ok(Material {
            private: Some(Private::Encoded(EncodingKey::from_secret(&secret))),
            public: DecodingKey::from_secret(&secret),
            members: None,
        })
    }

    fn rsa(&self) -> Result<Material, KeyError> {
        let modulus = self.number("n", self.n.as_deref())?;
        let exponent = self.number("e", self.e.as_deref())?;
        let public = RsaPublicKey::new(modulus.clone(), exponent.clone())
            .map_err(|_| self.invalid("n and e are no RSA key of at most 4096 bits"))?;
        if public.n().bits() < RSA_MIN_BITS {
            return Err(self.invalid("RSA keys have at least 2048 bits"));
        }
        let (n_bytes, e_bytes) = (modulus.to_bytes_be(), exponent.to_bytes_be());
        let private = match &self.d {
            None => None,
            Some(secret) => Some(self.rsa_private(modulus, exponent, secret)?),
        };
        Ok(Material {
            private,
            public: DecodingKey::from_rsa_raw_components(&n_bytes, &e_bytes),
            members: Some(vec![("e", encode(&e_bytes)), ("n", encode(&n_bytes))]),
        })
    }

    fn rsa_private(&self, modulus: BigUint, exponent: BigUint, secret: &Secret) -> Result<Private, KeyError> {
        let secret = self.number("d", Some(&secret.0))?;
        // The two primes speed signing up; where they are missing they are found again.
        let primes = match (&self.p, &self.q) {
            (Some(p), Some(q)) => vec![self.number("p", Some(&p.0))?, self.number("q", Some(&q.0))?],
            _ => Vec::new(),
        };
        let der = RsaPrivateKey::from_components(modulus, exponent, secret, primes)
            .ok()
            .and_then(|key| key.to_pkcs1_der().ok())
            .ok_or_else(|| self.invalid("the private part does not fit the public one"))?;
        Ok(Private::Encoded(EncodingKey::from_rsa_der(der.as_bytes())))
    }

    fn p256(&self) -> Result<Material, KeyError> {
        let x = self.coordinate("x", self.x.as_deref())?;
        let y = self.coordinate("y", self.y.as_deref())?;
        let mut point = [4; 65];
        point[1..33].copy_from_slice(&*x);
        point[33..].copy_from_slice(&*y);
        let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point)
            .map_err(|_| self.invalid("x and y are no point of the curve"))?;
        let private = match &self.d {
            None => None,
            Some(d) => {
                let d = self.coordinate("d", Some(&d.0))?;
                let key = p256::ecdsa::SigningKey::from_slice(&*d)
                    .map_err(|_| self.invalid("d is no private key of the curve"))?;
                if *key.verifying_key() != public {
                    return Err(self.invalid("the private part does not fit the public one"));
                }
                Some(Private::P256(key))
            }
        };
        Ok(Material {
            private,
            public: DecodingKey::from_ec_der(&point),
            members: Some(vec![("crv", "P-256".to_owned()), ("x", encode(&*x)), ("y", encode(&*y))]),
        })
    }

    fn ed25519(&self) -> Result<Material, KeyError> {
        let x = self.coordinate("x", self.x.as_deref())?;
        let public = ed25519_dalek::VerifyingKey::from_bytes(&x)
            .map_err(|_| self.invalid("x is no point of the curve"))?;
        if public.is_weak() {
            return Err(self.invalid("x is a weak key"));
        }
        let private = match &self.d {
            None => None,
            Some(d) => {
                let key = ed25519_dalek::SigningKey::from_bytes(&*self.coordinate("d", Some(&d.0))?);
                if key.verifying_key() != public {
                    return Err(self.invalid("the private part does not fit the public one"));
                }
                Some(Private::Ed25519(key))
            }
        };
        Ok(Material {
            private,
            public: DecodingKey::from_ed_der(x.as_slice()),
            members: Some(vec![("crv", "Ed25519".to_owned()), ("x", encode(&*x))]),
        })
    }

    /// The key's public form, members in alphabetical order.
    fn listed(&self, algorithm: Algorithm, members: Vec<(&'static str, String)>) -> Value {
        let mut all = vec![
            ("alg", json!(algorithm_name(algorithm))),
            ("key_ops", json!(["verify"])),
            ("kty", json!(self.kty)),
            ("use", json!("sig")),
        ];
        all.extend(self.kid.as_ref().map(|kid| ("kid", json!(kid))));
        all.extend(members.into_iter().map(|(name, text)| (name, json!(text))));
        all.sort_unstable_by_key(|(name, _)| *name);
        Value::Object(all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    }

    fn bytes(&self, name: &str, text: Option<&str>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let text = text.ok_or_else(|| self.invalid(&format!("{name} is missing")))?;
        let bytes = BASE64.decode(text).map_err(|_| self.invalid(&format!("{name} is no base64url")))?;
        Ok(Zeroizing::new(bytes))
    }

    fn number(&self, name: &str, text: Option<&str>) -> Result<BigUint, KeyError> {
        self.bytes(name, text).map(|bytes| BigUint::from_bytes_be(&bytes))
    }

    fn coordinate(&self, name: &str, text: Option<&str>) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let bytes = self.bytes(name, text)?;
        let exact = <[u8; 32]>::try_from(bytes.as_slice());
        exact.map(Zeroizing::new).map_err(|_| self.invalid(&format!("{name} has not 32 bytes")))
    }

    fn invalid(&self, problem: &str) -> KeyError {
        KeyError::Invalid { kid: self.kid_label(), problem: problem.to_owned() }
    }

    fn unsupported(&self, what: &str) -> KeyError {
        KeyError::Unsupported { kid: self.kid_label(), what: what.to_owned() }
    }

    fn kid_label(&self) -> String {
        self.kid.clone().unwrap_or_else(|| "without kid".to_owned())
    }
}

/// The kinds of keys that can be made here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// A shared secret.
    Hs256,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// Makes a fresh signing key, as a private JWK with a random key id; wiped on drop.
pub fn generate_jwk(kind: KeyKind, entropy: &dyn Entropy) -> Zeroizing<String> {
    let kid = entropy.uuid();
    let mut secret = Zeroizing::new([0; 32]);
    loop {
        entropy.fill(secret.as_mut_slice());
        let own = Zeroizing::new(encode(secret.as_slice()));
        let own = own.as_str();
        return Zeroizing::new(match kind {
            KeyKind::Hs256 => format!(
                r#"{{"alg":"HS256","k":"{own}","key_ops":["sign","verify"],"kid":"{kid}","kty":"oct"}}"#
            ),
            KeyKind::EdDsa => {
                let x = encode(ed25519_dalek::SigningKey::from_bytes(&secret).verifying_key().as_bytes());
                format!(
                    r#"{{"alg":"EdDSA","crv":"Ed25519","d":"{own}","key_ops":["sign","verify"],"kid":"{kid}","kty":"OKP","use":"sig","x":"{x}"}}"#
                )
            }
            KeyKind::Es256 => {
                // One in 2^32 draws is no private key of the curve.
                let Ok(key) = p256::ecdsa::SigningKey::from_slice(secret.as_slice()) else { continue };
                let point = key.verifying_key().to_encoded_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                let (x, y) = (encode(x), encode(y));
                format!(
                    r#"{{"alg":"ES256","crv":"P-256","d":"{own}","key_ops":["sign","verify"],"kid":"{kid}","kty":"EC","use":"sig","x":"{x}","y":"{y}"}}"#
                )
            }
        });
    }
}

/// An algorithm's name in headers.
pub(super) const fn algorithm_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS256 => "HS256",
        Algorithm::HS384 => "HS384",
        Algorithm::HS512 => "HS512",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::PS256 => "PS256",
        Algorithm::PS384 => "PS384",
        Algorithm::PS512 => "PS512",
        Algorithm::EdDSA => "EdDSA",
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
