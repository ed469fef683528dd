//! The master key: the one that wraps all others, and while it is being replaced, both.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use evident_domain::ports::Entropy;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::seal::SealingKey;

/// The key that wraps all others.
pub struct MasterKey(pub(super) Zeroizing<[u8; 32]>);

/// A text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 32 bytes in base64")]
pub struct MasterKeyMalformed;

impl MasterKey {
    /// A fresh one.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Reads base64, white space around it aside.
    ///
    /// # Errors
    /// When it is not 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyMalformed> {
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| MasterKeyMalformed)?);
        let bytes = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| MasterKeyMalformed)?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The form that [`MasterKey::from_base64`] reads.
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(*self.0))
    }

    /// Tells it from others, and says nothing of it.
    fn fingerprint(&self) -> [u8; 32] {
        Sha256::new().chain_update(b"evident master key").chain_update(*self.0).finalize().into()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Where else a master key may lie: it is looked there when none at hand opens something.
pub type MasterKeySource = Arc<dyn Fn() -> Vec<MasterKey> + Send + Sync>;

/// The master keys that are known.
pub(super) struct Masters {
    known: RwLock<Vec<([u8; 32], SealingKey)>>,
    source: MasterKeySource,
}

impl Masters {
    pub(super) fn new(master: &MasterKey, source: MasterKeySource) -> Self {
        let masters = Self { known: RwLock::default(), source };
        masters.learn(master);
        masters
    }

    /// Takes in a key; whether it is new.
    pub(super) fn learn(&self, master: &MasterKey) -> bool {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = master.fingerprint();
        let is_new = known.iter().all(|(other, _)| *other != fingerprint);
        if is_new {
            known.push((fingerprint, SealingKey::new(&master.0)));
        }
        is_new
    }

    /// The first of those that something can be made of. Where none will do the source is asked for more.
    pub(super) fn first<T>(&self, of: impl Fn(&SealingKey) -> Option<T>) -> Option<T> {
        let at_hand = || {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.iter().find_map(|(_, master)| of(master))
        };
        at_hand().or_else(|| {
            let found = (self.source)();
            // All of them, also behind the first that is new.
            let more = found.iter().filter(|master| self.learn(master)).count();
            if more == 0 { None } else { at_hand() }
        })
    }
}
