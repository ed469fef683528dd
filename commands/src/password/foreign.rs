//! Checking hashes that other programs wrote.

use std::sync::{Mutex, MutexGuard, PoisonError};

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::format::{BcryptHash, BetterAuthHash, FirebaseHash, Pbkdf2Digest, Pbkdf2Hash};
use super::{HashError, Password};

/// Better Auth's scrypt: N = 2^14, r = 16, p = 1.
const BETTER_AUTH_LOG_N: u8 = 14;
const BETTER_AUTH_R: u32 = 16;

/// From this much memory on, hashes are checked one after the other, whatever the number of workers.
const BIG_MEMORY_BYTES: u64 = 64 << 20;

/// Lets one worker at a time hold a large piece of memory.
#[derive(Debug, Default)]
pub(super) struct BigMemory(Mutex<()>);

impl BigMemory {
    /// Waits for its turn where the amount is large.
    pub(super) fn turn(&self, bytes: u64) -> Option<MutexGuard<'_, ()>> {
        // The lock guards no data, so a worker that died holding it broke nothing.
        (bytes >= BIG_MEMORY_BYTES).then(|| self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl BcryptHash {
    pub(super) fn matches(&self, password: &Password) -> Result<bool, HashError> {
        bcrypt::verify(password.expose().as_bytes(), &self.0).map_err(|_| HashError::Failed)
    }
}

impl BetterAuthHash {
    pub(super) fn matches(&self, password: &Password) -> Result<bool, HashError> {
        let normalized: Zeroizing<String> = Zeroizing::new(password.expose().nfkc().collect());
        let mut key = Zeroizing::new(vec![0; self.key.len()]);
        // The salt is the hex text itself, not the bytes it stands for.
        derive_scrypt(
            normalized.as_bytes(),
            self.salt.as_bytes(),
            (BETTER_AUTH_LOG_N, BETTER_AUTH_R, 1),
            &mut key,
        )?;
        Ok(bool::from(key.as_slice().ct_eq(&self.key)))
    }
}

impl FirebaseHash {
    pub(super) fn matches(&self, password: &Password, big: &BigMemory) -> Result<bool, HashError> {
        let _turn = big.turn((128 * u64::from(self.r)) << self.log_n);
        let mut key = Zeroizing::new([0; 32]);
        derive_scrypt(
            password.expose().as_bytes(),
            &self.salt,
            (self.log_n, self.r, self.p),
            key.as_mut_slice(),
        )?;
        let mut sealed = Zeroizing::new(self.signer_key.clone());
        Ctr128BE::<Aes256>::new((&*key).into(), &[0; 16].into()).apply_keystream(&mut sealed);
        Ok(bool::from(sealed.as_slice().ct_eq(&self.output)))
    }
}

impl Pbkdf2Hash {
    pub(super) fn matches(&self, password: &Password) -> bool {
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        let password = password.expose().as_bytes();
        match self.digest {
            Pbkdf2Digest::Sha256 => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, &self.salt, self.rounds, &mut output);
            }
            Pbkdf2Digest::Sha512 => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password, &self.salt, self.rounds, &mut output);
            }
        }
        bool::from(output.as_slice().ct_eq(&self.output))
    }
}

fn derive_scrypt(
    password: &[u8],
    salt: &[u8],
    (log_n, r, p): (u8, u32, u32),
    output: &mut [u8],
) -> Result<(), HashError> {
    // The length in the parameters is for PHC strings only; the output's own length counts.
    let params = scrypt::Params::new(log_n, r, p, 32).map_err(|_| HashError::Failed)?;
    scrypt::scrypt(password, salt, &params, output).map_err(|_| HashError::Failed)
}
