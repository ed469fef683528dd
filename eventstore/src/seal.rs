//! Sealing: AES-256-GCM under a key of the subject, bound to the event and the field.

use std::fmt::Write as _;

use aes_gcm::aead::{Aead, AeadInPlace, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use evident_domain::ports::Entropy;
use serde_json::{Map, Value as Json};

const NONCE_BYTES: usize = 12;
pub(crate) const PERSONAL: &str = "$personal";
pub(crate) const SEALED: &str = "$sealed";
pub(crate) const ERASED: &str = "$erased";

/// A ciphertext does not open: it was changed, moved, or sealed under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: it was changed or moved")]
pub struct SealBroken;

/// A symmetric key of 256 bits, ready for use.
#[derive(Clone)]
pub struct SealingKey(Aes256Gcm);

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

impl SealingKey {
    /// A key from its bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(bytes)))
    }

    /// Nonce and ciphertext.
    ///
    /// # Errors
    /// Only for plaintexts beyond the cipher's limit of 64 GiB.
    pub fn seal(&self, plain: &[u8], context: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealBroken> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let sealed = self
            .0
            .encrypt(Nonce::from_slice(&nonce), Payload { msg: plain, aad: context })
            .map_err(|_| SealBroken)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// The plaintext.
    ///
    /// # Errors
    /// When the ciphertext, its context or the key is another.
    pub fn open(&self, sealed: &[u8], context: &[u8]) -> Result<Vec<u8>, SealBroken> {
        self.open_where_it_stands(sealed.to_vec(), context)
    }

    /// The same without another copy: a log has millions of sealed texts, and each is short.
    fn open_where_it_stands(&self, mut sealed: Vec<u8>, context: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let nonce: [u8; NONCE_BYTES] = sealed.first_chunk().copied().ok_or(SealBroken)?;
        sealed.drain(..NONCE_BYTES);
        self.0.decrypt_in_place(Nonce::from_slice(&nonce), context, &mut sealed).map_err(|_| SealBroken)?;
        Ok(sealed)
    }

    /// [`SealingKey::seal`] as base64 text.
    ///
    /// # Errors
    /// As there.
    pub fn seal_text(
        &self,
        plain: &[u8],
        context: &str,
        entropy: &dyn Entropy,
    ) -> Result<String, SealBroken> {
        Ok(STANDARD_NO_PAD.encode(self.seal(plain, context.as_bytes(), entropy)?))
    }

    /// What [`SealingKey::seal_text`] sealed.
    ///
    /// # Errors
    /// As [`SealingKey::open`].
    pub fn open_text(&self, sealed: &str, context: &str) -> Result<Vec<u8>, SealBroken> {
        let sealed = STANDARD_NO_PAD.decode(sealed).map_err(|_| SealBroken)?;
        self.open_where_it_stands(sealed, context.as_bytes())
    }
}

/// Seals every `{"$personal": …}` in a payload. What is inside one is sealed whole, so that a value
/// which happens to look like a marker is only data.
///
/// # Errors
/// As [`SealingKey::seal`].
pub fn seal_payload(
    payload: &mut Json,
    key: &SealingKey,
    context: &str,
    entropy: &dyn Entropy,
) -> Result<(), SealBroken> {
    walk(payload, context, &mut |value, context| {
        let Some(plain) = marked(value, PERSONAL) else { return Ok(false) };
        let sealed = key.seal_text(plain.to_string().as_bytes(), context, entropy)?;
        *value = Json::Object(Map::from_iter([(SEALED.to_owned(), Json::String(sealed))]));
        Ok(true)
    })
}

/// Opens every `{"$sealed": …}` in a payload; without a key each reads as erased. Takes longer than
/// [`open_payload`](crate::unseal::open_payload), and opens whatever could be sealed: there a value has to stand in the
/// text of its event, which may be no deeper than any text that is read.
///
/// # Errors
/// [`SealBroken`] when a ciphertext was changed or moved.
pub(crate) fn open_values(
    payload: &mut Json,
    key: Option<&SealingKey>,
    context: &str,
) -> Result<(), SealBroken> {
    walk(payload, context, &mut |value, context| {
        let Some(sealed) = marked(value, SEALED) else { return Ok(false) };
        *value = match key {
            None => Json::String(ERASED.to_owned()),
            Some(key) => {
                let plain = key.open_text(sealed.as_str().ok_or(SealBroken)?, context)?;
                let plain = serde_json::from_slice(&plain).map_err(|_| SealBroken)?;
                Json::Object(Map::from_iter([(PERSONAL.to_owned(), plain)]))
            }
        };
        Ok(true)
    })
}

/// The content of an object that has a marker as its only key.
fn marked<'a>(value: &'a Json, marker: &str) -> Option<&'a Json> {
    let object = value.as_object()?;
    (object.len() == 1).then(|| object.get(marker)).flatten()
}

/// Visits values from the outside in; `context` grows by the path. A visitor that says `true` has
/// dealt with the value, and nothing inside it is visited.
fn walk(
    value: &mut Json,
    context: &str,
    visit: &mut dyn FnMut(&mut Json, &str) -> Result<bool, SealBroken>,
) -> Result<(), SealBroken> {
    walk_on(value, &mut context.to_owned(), visit)
}

fn holds_values(value: &Json) -> bool {
    value.is_object() || value.is_array()
}

fn walk_on(
    value: &mut Json,
    context: &mut String,
    visit: &mut dyn FnMut(&mut Json, &str) -> Result<bool, SealBroken>,
) -> Result<(), SealBroken> {
    if !holds_values(value) || visit(value, context)? {
        return Ok(());
    }
    let length = context.len();
    match value {
        Json::Object(fields) => {
            for (name, field) in fields.iter_mut().filter(|(_, field)| holds_values(field)) {
                context.extend(["/", name]);
                walk_on(field, context, visit)?;
                context.truncate(length);
            }
            Ok(())
        }
        Json::Array(items) => {
            for (at, item) in items.iter_mut().enumerate().filter(|(_, item)| holds_values(item)) {
                // A text takes in whatever is written.
                let _ = write!(context, "/{at}");
                walk_on(item, context, visit)?;
                context.truncate(length);
            }
            Ok(())
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        }
    }

    /// Other bytes each time, and the same in each test.
    pub(crate) fn entropy() -> impl Entropy {
        Counting(1.into())
    }
}
