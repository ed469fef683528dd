//! Cosignatures (C2SP tlog-cosignature): a witness says when it saw a checkpoint that continues the last one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature as Ed25519Signature, SigningKey, VerifyingKey};
use evident_domain::Time;
use signed_note::{Signature, is_key_name_valid, key_id};
use zeroize::Zeroizing;

use super::checkpoint::{CheckpointError, OriginMalformed, signature_line, signed_text};

/// The type byte of an Ed25519 key that cosigns.
const ALG_COSIGNATURE: u8 = 4;
const TIME_BYTES: usize = 8;

/// Who cosigns, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl Witness {
    /// Reads a verifier key of type 4.
    ///
    /// # Errors
    /// [`CheckpointError::Key`]
    pub fn parse(vkey: &str) -> Result<Self, CheckpointError> {
        let parse = || {
            let (name, rest) = vkey.split_once('+')?;
            let (id, key) = rest.split_once('+')?;
            let bytes = STANDARD.decode(key).ok()?;
            let (alg, public) = bytes.split_first()?;
            let own = key_id(name, &bytes);
            if *alg != ALG_COSIGNATURE || !is_key_name_valid(name) || id != format!("{own:08x}") {
                return None;
            }
            let key = VerifyingKey::from_bytes(public.try_into().ok()?).ok()?;
            Some(Self { name: name.to_owned(), id: own, key })
        };
        parse().ok_or(CheckpointError::Key)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The verifier key.
    pub fn vkey(&self) -> String {
        let key = [&[ALG_COSIGNATURE], self.key.as_bytes().as_slice()].concat();
        format!("{}+{:08x}+{}", self.name, self.id, STANDARD.encode(key))
    }

    /// Among signature lines, this witness's over a checkpoint, and its time in seconds since 1970.
    ///
    /// # Errors
    /// [`CheckpointError::Unsigned`] where there is none, or it is wrong.
    pub fn find(&self, checkpoint: &str, lines: &str) -> Result<(String, u64), CheckpointError> {
        let text = signed_text(checkpoint)?;
        for line in lines.lines() {
            let Ok(signature) = Signature::from_bytes(line.as_bytes()) else { continue };
            if signature.name() != self.name || signature.id() != self.id {
                continue;
            }
            let (time, signature) =
                signature.signature().split_first_chunk::<TIME_BYTES>().ok_or(CheckpointError::Unsigned)?;
            let time = u64::from_be_bytes(*time);
            let signature = Ed25519Signature::from_slice(signature).map_err(|_| CheckpointError::Unsigned)?;
            let holds = self.key.verify_strict(&message(&text, time), &signature).is_ok();
            return if holds && time > 0 {
                Ok((format!("{line}\n"), time))
            } else {
                Err(CheckpointError::Unsigned)
            };
        }
        Err(CheckpointError::Unsigned)
    }
}

/// A witness's key.
#[derive(Clone)]
pub struct WitnessKey {
    name: String,
    key: SigningKey,
}

impl std::fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WitnessKey({})", self.name)
    }
}

impl WitnessKey {
    /// The key of a seed, under a name.
    ///
    /// # Errors
    /// When no key can have the name.
    pub fn new(name: &str, seed: &Zeroizing<[u8; 32]>) -> Result<Self, OriginMalformed> {
        if !is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(OriginMalformed);
        }
        Ok(Self { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// What others know of it.
    pub fn witness(&self) -> Witness {
        let key = self.key.verifying_key();
        let public = [&[ALG_COSIGNATURE], key.as_bytes().as_slice()].concat();
        Witness { name: self.name.clone(), id: key_id(&self.name, &public), key }
    }

    /// The cosignature of a checkpoint, as a signature line.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] where it is none.
    pub fn cosign(&self, checkpoint: &str, now: Time) -> Result<String, CheckpointError> {
        let text = signed_text(checkpoint)?;
        // A time of 0 would say that there is none.
        let time = u64::try_from(now.timestamp()).unwrap_or_default().max(1);
        let signed = message(&text, time);
        Ok(signature_line(&self.name, ALG_COSIGNATURE, &self.key, &time.to_be_bytes(), &signed))
    }
}

fn message(text: &[u8], time: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::LogKey;
    use super::*;

    #[test]
    fn a_cosignature_holds_for_its_checkpoint_and_its_time() {
        let log = LogKey::new("example.com/log", &Zeroizing::new([7; 32])).unwrap();
        let key = WitnessKey::new("witness.example", &Zeroizing::new([8; 32])).unwrap();
        let witness = Witness::parse(&key.witness().vkey()).unwrap();
        assert_eq!(witness, key.witness());
        let note = log.sign(5, [9; 32]).unwrap();
        let now = Time::from_timestamp_micros(1_700_000_000_000_000).unwrap();
        let line = key.cosign(&note, now).unwrap();
        assert_eq!(line.trim_end().rsplit(' ').next().unwrap().len(), 104);
        assert_eq!(witness.find(&note, &line), Ok((line.clone(), 1_700_000_000)));
        let among = format!("nonsense\n— other AAAAAAAA\n{line}");
        assert_eq!(witness.find(&note, &among).unwrap().0, line);

        let other = log.sign(6, [9; 32]).unwrap();
        assert_eq!(witness.find(&other, &line), Err(CheckpointError::Unsigned));
        assert_eq!(witness.find(&note, ""), Err(CheckpointError::Unsigned));
        let stranger = WitnessKey::new("witness.example", &Zeroizing::new([9; 32])).unwrap();
        assert_eq!(stranger.witness().find(&note, &line), Err(CheckpointError::Unsigned));
        for wrong in ["", "a+b", &log.vkey(), "witness.example+00000000+BAAA"] {
            assert_eq!(Witness::parse(wrong), Err(CheckpointError::Key), "{wrong}");
        }
    }
}
