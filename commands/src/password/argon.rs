//! Argon2: the kind of new hashes, and a worker's reused memory.
//!
//! The hash is the ceiling of every sign-in, so two crates share the work. `argon2` is the
//! measure of what is right. `argon2-rust` computes: it picks AVX-512, AVX2, SSE2 or NEON code when the
//! program runs, so nobody builds for their own CPU, and it keeps its memory blocks, in huge pages where
//! the system has them. Because it is the younger of the two, [`self_test`] compares them on the very CPU
//! before the first password is hashed.

use argon2::{Algorithm as ReferenceAlgorithm, Argon2 as Reference, Version as ReferenceVersion};
use argon2_rust::params::Memory;
use argon2_rust::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use evident_domain::PasswordHash;

use super::foreign::BigMemory;
use super::format::{Argon2Hash, Argon2Kind};
use super::{HashError, Password, StartError};

/// Length of new hashes and of the dummy, in bytes.
const OUTPUT_BYTES: usize = 32;
/// Length of new salts, in bytes.
pub(super) const SALT_BYTES: usize = 16;

/// What an argon2 hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Argon2Cost {
    /// 19 MiB, two passes, one lane: the OWASP recommendation.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

impl Argon2Cost {
    fn params(self, output: usize) -> Result<Params, argon2_rust::Error> {
        Params::builder()
            .memory(Memory::kib(self.memory_kib.into()))
            .passes(self.passes)
            .lanes(self.lanes)
            .tag_len(argon2_rust::params::TagLen::bytes(output as u64))
            .build()
    }
}

/// One worker's argon2 with its memory.
#[derive(Debug)]
pub(super) struct Argon {
    cost: Argon2Cost,
    hasher: argon2_rust::Hasher,
}

impl Argon {
    /// # Errors
    /// When the cost is outside what argon2 allows.
    pub(super) fn new(cost: Argon2Cost) -> Result<Self, StartError> {
        let params = cost.params(OUTPUT_BYTES).map_err(|_| StartError::Cost)?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hasher();
        Ok(Self { cost, hasher })
    }

    /// Hashes a new password.
    pub(super) fn hash(
        &mut self,
        password: &Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, HashError> {
        let tag = self.own(password, &salt)?;
        let Argon2Cost { memory_kib, passes, lanes } = self.cost;
        Ok(PasswordHash(format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(*tag)
        )))
    }

    /// The work of a check that cannot succeed: for accounts that do not exist or have no password.
    pub(super) fn pretend(&mut self, password: &Password) -> Result<(), HashError> {
        self.own(password, b"nobody lives her").map(drop)
    }

    /// Checks a password against a stored argon2 hash.
    pub(super) fn matches(
        &mut self,
        password: &Password,
        stored: &Argon2Hash,
        big: &BigMemory,
    ) -> Result<bool, HashError> {
        if self.is_current(stored) {
            let tag = self.own(password, &stored.salt)?;
            return Ok(bool::from(tag.as_slice().ct_eq(&stored.output)));
        }
        self.release();
        let _turn = big.turn(u64::from(stored.cost.memory_kib) * 1024);
        let params = stored.cost.params(stored.output.len()).map_err(|_| HashError::Failed)?;
        let mut tag = Zeroizing::new(vec![0; stored.output.len()]);
        Argon2::new(stored.kind.algorithm(), Version::V0x13, params)
            .hash_into(password.expose().as_bytes(), &stored.salt, &mut tag)
            .map_err(|_| HashError::Failed)?;
        Ok(bool::from(tag.as_slice().ct_eq(&stored.output)))
    }

    /// Whether a hash is of the kind that new ones have.
    pub(super) fn is_current(&self, stored: &Argon2Hash) -> bool {
        stored.kind == Argon2Kind::Id && stored.cost == self.cost && stored.output.len() == OUTPUT_BYTES
    }

    /// Gives the memory back.
    pub(super) fn release(&mut self) {
        self.hasher.clear();
    }

    fn own(&mut self, password: &Password, salt: &[u8]) -> Result<Zeroizing<[u8; OUTPUT_BYTES]>, HashError> {
        let mut tag = Zeroizing::new([0; OUTPUT_BYTES]);
        self.hasher
            .hash_into(password.expose().as_bytes(), salt, tag.as_mut_slice())
            .map_err(|_| HashError::Failed)?;
        Ok(tag)
    }
}

impl Argon2Kind {
    const fn algorithm(self) -> Algorithm {
        match self {
            Self::I => Algorithm::Argon2i,
            Self::Id => Algorithm::Argon2id,
        }
    }

    const fn reference(self) -> ReferenceAlgorithm {
        match self {
            Self::I => ReferenceAlgorithm::Argon2i,
            Self::Id => ReferenceAlgorithm::Argon2id,
        }
    }
}

/// Lets both argon2 crates compute the same hashes; takes about a millisecond.
///
/// # Errors
/// When they differ: better no server than one that stores wrong hashes.
pub(super) fn self_test() -> Result<(), StartError> {
    for kind in [Argon2Kind::I, Argon2Kind::Id] {
        for cost in [
            Argon2Cost { memory_kib: 64, passes: 2, lanes: 1 },
            Argon2Cost { memory_kib: 131, passes: 3, lanes: 2 },
        ] {
            let (mut fast, mut reference) = ([0; OUTPUT_BYTES], [0; OUTPUT_BYTES]);
            let params = cost.params(OUTPUT_BYTES).map_err(|_| StartError::SelfTest)?;
            Argon2::new(kind.algorithm(), Version::V0x13, params)
                .hash_into(b"correct horse", b"battery staple!!", &mut fast)
                .map_err(|_| StartError::SelfTest)?;
            let params = argon2::Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(OUTPUT_BYTES))
                .map_err(|_| StartError::SelfTest)?;
            Reference::new(kind.reference(), ReferenceVersion::V0x13, params)
                .hash_password_into(b"correct horse", b"battery staple!!", &mut reference)
                .map_err(|_| StartError::SelfTest)?;
            if fast != reference {
                return Err(StartError::SelfTest);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_argon2_crates_agree_on_this_cpu() {
        assert_eq!(self_test(), Ok(()));
    }

    #[test]
    fn new_hashes_are_what_other_argon2_programs_verify() {
        use argon2::PasswordVerifier as _;

        let cost = Argon2Cost { memory_kib: 256, passes: 2, lanes: 1 };
        let mut argon = Argon::new(cost).unwrap();
        let password = Password::parse("correct horse".to_owned()).unwrap();
        for salt in [[1; SALT_BYTES], [2; SALT_BYTES]] {
            let hash = argon.hash(&password, salt).unwrap();
            assert!(hash.0.starts_with("$argon2id$v=19$m=256,t=2,p=1$"), "{}", hash.0);
            let parsed = argon2::PasswordHash::new(&hash.0).unwrap();
            assert!(Reference::default().verify_password(b"correct horse", &parsed).is_ok());
            assert!(Reference::default().verify_password(b"wrong horse", &parsed).is_err());
        }
    }

    #[test]
    fn a_cost_outside_the_standard_is_refused_at_the_start() {
        for cost in [
            Argon2Cost { memory_kib: 1, passes: 2, lanes: 1 },
            Argon2Cost { memory_kib: 64, passes: 0, lanes: 1 },
            Argon2Cost { memory_kib: 64, passes: 1, lanes: 0 },
        ] {
            assert_eq!(Argon::new(cost).err(), Some(StartError::Cost));
        }
    }
}
