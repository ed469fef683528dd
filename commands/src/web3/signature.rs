//! Signatures of wallets.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::VerifyingKey;
use k256::ecdsa::{RecoveryId, VerifyingKey as EthereumKey};
use sha3::{Digest as _, Keccak256};
use subtle::ConstantTimeEq as _;

use super::Chain;
use super::address::Address;

/// What a wallet with a Ledger signs begins with.
const OFF_CHAIN: &[u8] = b"\xffsolana offchain";
/// The field of the domain in it.
const OFF_CHAIN_DOMAIN: usize = 32;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(false);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The text is no signature of that chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureMalformed {
    /// Solana's.
    #[error("signature must be 64 bytes encoded as base64 with or without padding")]
    Solana,
    /// Ethereum's.
    #[error("signature must be 65 bytes encoded as hex with 0x prefix")]
    Ethereum,
}

/// A signature as a wallet makes it.
#[derive(Debug, Clone)]
pub(super) enum Signature {
    Solana([u8; 64]),
    /// The signature itself, and the number that tells which key it is of.
    Ethereum([u8; 64], u8),
}

impl Signature {
    /// Reads the form of a chain.
    pub(super) fn parse(chain: Chain, text: &str) -> Result<Self, SignatureMalformed> {
        match chain {
            Chain::Solana => {
                let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
                let bytes = engine.decode(text).ok().filter(|_| matches!(text.len(), 86 | 88));
                bytes
                    .and_then(|bytes| bytes.try_into().ok())
                    .map(Self::Solana)
                    .ok_or(SignatureMalformed::Solana)
            }
            Chain::Ethereum => {
                let mut bytes = [0; 65];
                text.strip_prefix("0x")
                    .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
                    .ok_or(SignatureMalformed::Ethereum)?;
                let [signature @ .., id] = bytes;
                Ok(Self::Ethereum(signature, id))
            }
        }
    }

    /// Whether the wallet of an address made it for a message. `domain` stands in what a Ledger signs.
    pub(super) fn is_by(&self, address: &Address, message: &str, domain: &str) -> bool {
        match (self, address) {
            (Self::Solana(signature), Address::Solana(key)) => {
                let signature = ed25519_dalek::Signature::from_bytes(signature);
                VerifyingKey::from_bytes(key).is_ok_and(|verifying| {
                    // Strict: a key of small order would sign anything.
                    verifying.verify_strict(message.as_bytes(), &signature).is_ok()
                        || off_chain(key, message, domain)
                            .is_some_and(|enveloped| verifying.verify_strict(&enveloped, &signature).is_ok())
                })
            }
            (Self::Ethereum(signature, id), Address::Ethereum(bytes)) => {
                signer(signature, *id, message).is_some_and(|signer| bool::from(signer.ct_eq(bytes)))
            }
            (Self::Solana(_), Address::Ethereum(_)) | (Self::Ethereum(..), Address::Solana(_)) => false,
        }
    }
}

/// The envelope in which a Ledger signs messages that are no transactions.
fn off_chain(key: &[u8; 32], message: &str, domain: &str) -> Option<Vec<u8>> {
    let length = u16::try_from(message.len()).ok()?;
    let mut bytes = OFF_CHAIN.to_vec();
    // The version of the header.
    bytes.push(0);
    let mut field = domain.as_bytes().to_vec();
    field.resize(OFF_CHAIN_DOMAIN, 0);
    bytes.extend(field);
    // The format (plain ASCII), and one who signs.
    bytes.extend([0, 1]);
    bytes.extend(key);
    bytes.extend(length.to_le_bytes());
    bytes.extend(message.as_bytes());
    Some(bytes)
}

/// The address whose key made a signature (EIP-191, `personal_sign`).
fn signer(signature: &[u8; 64], id: u8, message: &str) -> Option<[u8; 20]> {
    // 27 was added by the first clients, and is by most to this day.
    let id = RecoveryId::from_byte(id.checked_sub(27).unwrap_or(id)).filter(|id| !id.is_x_reduced())?;
    let signature = k256::ecdsa::Signature::from_slice(signature).ok()?;
    let mut hash = Keccak256::new();
    hash.update(format!("\x19Ethereum Signed Message:\n{}", message.len()));
    hash.update(message);
    let key = EthereumKey::recover_from_prehash(&hash.finalize(), &signature, id).ok()?;
    let point = key.to_encoded_point(false);
    let digest = Keccak256::digest(point.as_bytes().get(1..)?);
    digest.get(12..)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    fn base64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    #[test]
    fn a_solana_wallet_signs_the_message_or_its_envelope() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let address = Address::Solana(key.verifying_key().to_bytes());
        let (message, domain) = ("Hello", "example.com");
        let plain = key.sign(message.as_bytes());
        let mut enveloped = b"\xffsolana offchain\x00example.com".to_vec();
        enveloped.extend([0; 21]);
        enveloped.extend([0, 1]);
        enveloped.extend(key.verifying_key().to_bytes());
        enveloped.extend([5, 0]);
        enveloped.extend(b"Hello");
        for signature in [plain, key.sign(&enveloped)] {
            let text = base64(&signature.to_bytes());
            let url_safe = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
            for text in [text, url_safe] {
                let signature = Signature::parse(Chain::Solana, &text).unwrap();
                assert!(signature.is_by(&address, message, domain), "{text}");
                assert!(!signature.is_by(&address, "Hallo", domain));
                assert!(!signature.is_by(&Address::Solana([7; 32]), message, domain));
            }
        }
    }

    #[test]
    fn the_signature_of_a_weak_key_is_none() {
        // The neutral point, and a signature that fits any message without strictness.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!Signature::Solana(signature).is_by(&Address::Solana(neutral), "anything", "x"));
    }

    #[test]
    fn an_ethereum_wallet_is_told_by_its_signature() {
        // From the documentation of web3.js: the key 0x4c08… signs "Some data".
        let address = Address::parse(Chain::Ethereum, "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23").unwrap();
        let text = "0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c";
        let signature = Signature::parse(Chain::Ethereum, text).unwrap();
        assert!(signature.is_by(&address, "Some data", ""));
        assert!(!signature.is_by(&address, "Some date", ""));
        assert!(!signature.is_by(&Address::Ethereum([0; 20]), "Some data", ""));
        let newer = Signature::parse(Chain::Ethereum, &text.replace("1c", "01")).unwrap();
        assert!(newer.is_by(&address, "Some data", ""));
        for id in [0, 2, 3, 4, 26, 27, 29, 30, 255] {
            let Signature::Ethereum(bytes, _) = signature else { unreachable!() };
            assert!(!Signature::Ethereum(bytes, id).is_by(&address, "Some data", ""), "{id}");
        }
    }

    #[test]
    fn what_is_no_signature_does_not_read() {
        for text in ["", "AAAA", &"A".repeat(87), &"\u{e9}".repeat(43), &"!".repeat(88)] {
            assert_eq!(Signature::parse(Chain::Solana, text).unwrap_err(), SignatureMalformed::Solana);
        }
        let digits = "0".repeat(130);
        for text in ["", "0x", &digits, &format!("0x{digits}0"), &format!("0x{}", "g".repeat(130))] {
            assert_eq!(Signature::parse(Chain::Ethereum, text).unwrap_err(), SignatureMalformed::Ethereum);
        }
    }
}
