//! Checkpoints: what the log says of itself, signed (C2SP tlog-checkpoint, signed-note).

use ed25519_dalek::SigningKey;
use signed_note::{
    Note, StandardVerifier, Verifier, VerifierList, is_key_name_valid, key_id, new_ed25519_verifier_key,
};
use tlog_tiles::{Checkpoint as Text, HASH_SIZE, Hash};
use zeroize::Zeroizing;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The type byte of an Ed25519 key that signs notes.
pub(super) const ALG_NOTE: u8 = 1;

/// What a checkpoint may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It does not read.
    #[error("the checkpoint does not read")]
    Malformed,
    /// The verifier key does not read.
    #[error("the verifier key does not read")]
    Key,
    /// No signature by the key, or one that is not.
    #[error("the checkpoint is not signed by the log's key")]
    Unsigned,
    /// It is another log's.
    #[error("the checkpoint is another log's")]
    Origin,
}

/// What a signed checkpoint says.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeHead {
    /// The log's name.
    pub origin: String,
    /// How many entries the tree has.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl TreeHead {
    /// Reads a checkpoint and looks at no signature.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`]
    pub fn unverified(note: &str) -> Result<Self, CheckpointError> {
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| CheckpointError::Malformed)?;
        let text = Text::from_bytes(note.text()).map_err(|_| CheckpointError::Malformed)?;
        Ok(Self { origin: text.origin().to_owned(), size: text.size(), root: *text.hash() })
    }

    /// Reads a checkpoint that one of some keys has signed: the log's, as it had one after the other.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open_any(note: &str, vkeys: &[String]) -> Result<Self, CheckpointError> {
        let mut refusal = CheckpointError::Unsigned;
        for vkey in vkeys {
            match Self::open(note, vkey) {
                Err(error) => refusal = error,
                head => return head,
            }
        }
        Err(refusal)
    }

    /// Reads a checkpoint that the key has signed, whose name is the origin.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(note: &str, vkey: &str) -> Result<Self, CheckpointError> {
        let verifier = StandardVerifier::new(vkey).map_err(|_| CheckpointError::Key)?;
        let origin = verifier.name().to_owned();
        let head = Self::unverified(note)?;
        if head.origin != origin {
            return Err(CheckpointError::Origin);
        }
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| CheckpointError::Malformed)?;
        note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|_| CheckpointError::Unsigned)?;
        Ok(head)
    }
}

/// The text of a note, which its signatures sign.
///
/// # Errors
/// [`CheckpointError::Malformed`]
pub(super) fn signed_text(note: &str) -> Result<Vec<u8>, CheckpointError> {
    Note::from_bytes(note.as_bytes()).map(|note| note.text().to_vec()).map_err(|_| CheckpointError::Malformed)
}

/// The key that signs the log's checkpoints, with the log's name.
#[derive(Clone)]
pub struct LogKey {
    origin: String,
    key: SigningKey,
}

impl std::fmt::Debug for LogKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogKey({})", self.vkey())
    }
}

/// A name that no key can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a log's name is not empty and has no spaces, no line breaks and no `+`")]
pub struct OriginMalformed;

impl LogKey {
    /// The key of a seed, under a name.
    ///
    /// # Errors
    /// When no key can have the name.
    pub fn new(origin: &str, seed: &Zeroizing<[u8; 32]>) -> Result<Self, OriginMalformed> {
        if !is_key_name_valid(origin) || origin.chars().any(char::is_control) {
            return Err(OriginMalformed);
        }
        Ok(Self { origin: origin.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// The log's name in its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The verifier key, which anybody may have.
    pub fn vkey(&self) -> String {
        new_ed25519_verifier_key(&self.origin, &self.key.verifying_key())
    }

    /// The signed checkpoint of a tree.
    ///
    /// # Errors
    /// Never in practice: the name was looked at.
    pub fn sign(&self, size: u64, root: [u8; HASH_SIZE]) -> Result<String, CheckpointError> {
        self.sign_with(None, size, root)
    }

    /// The checkpoint of a tree, signed by this key and by another one of the same name.
    ///
    /// # Errors
    /// As [`LogKey::sign`].
    pub fn sign_with(
        &self,
        also: Option<&Self>,
        size: u64,
        root: [u8; HASH_SIZE],
    ) -> Result<String, CheckpointError> {
        let text =
            Text::new(&self.origin, size, Hash(root), "").map_err(|_| CheckpointError::Malformed)?.to_bytes();
        let mut note = text.clone();
        note.push(b'\n');
        for key in std::iter::once(self).chain(also) {
            let line = signature_line(&self.origin, ALG_NOTE, &key.key, &[], &text);
            note.extend_from_slice(line.as_bytes());
        }
        String::from_utf8(note).map_err(|_| CheckpointError::Malformed)
    }
}

/// The first line of a signed statement: no log is called so, and no checkpoint begins with it.
const STATEMENT: &str = "evident statement v1: ";

impl LogKey {
    /// A signed note (C2SP) that says something else than a checkpoint does; `kind` names what. The statement
    /// is one line.
    ///
    /// # Errors
    /// Never in practice: the name was looked at.
    pub fn sign_statement(&self, kind: &str, statement: &str) -> Result<String, CheckpointError> {
        let text = format!("{STATEMENT}{kind}\n{statement}\n");
        let line = signature_line(&self.origin, ALG_NOTE, &self.key, &[], text.as_bytes());
        Ok(format!("{text}\n{line}"))
    }
}

/// Reads a statement of a kind, if it is signed by a log.
///
/// # Errors
/// When it is malformed, of another kind, or not signed by that key.
pub fn open_statement(note: &str, kind: &str, vkey: &str) -> Result<String, CheckpointError> {
    let verifier = StandardVerifier::new(vkey).map_err(|_| CheckpointError::Key)?;
    let note = Note::from_bytes(note.as_bytes()).map_err(|_| CheckpointError::Malformed)?;
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(|_| CheckpointError::Unsigned)?;
    let text = String::from_utf8(note.text().to_vec()).map_err(|_| CheckpointError::Malformed)?;
    let statement = text.strip_prefix(STATEMENT).and_then(|text| text.strip_prefix(kind));
    let statement = statement.and_then(|text| text.strip_prefix('\n')?.strip_suffix('\n'));
    statement.map(str::to_owned).ok_or(CheckpointError::Malformed)
}

/// A signature line: the key's name, and its id, what stands before the signature, and the signature.
pub(super) fn signature_line(name: &str, alg: u8, key: &SigningKey, before: &[u8], message: &[u8]) -> String {
    use ed25519_dalek::Signer;
    let public = [&[alg], key.verifying_key().as_bytes().as_slice()].concat();
    let mut bytes = key_id(name, &public).to_be_bytes().to_vec();
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(&key.sign(message).to_bytes());
    format!("— {name} {}\n", STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_opens_under_its_own_key_alone() {
        let key = LogKey::new("example.com/log", &Zeroizing::new([7; 32])).unwrap();
        let note = key.sign(5, [9; 32]).unwrap();
        let root = STANDARD.encode([9; 32]);
        assert!(note.starts_with(&format!("example.com/log\n5\n{root}\n\n— example.com/log ")), "{note}");
        let head = TreeHead::open(&note, &key.vkey()).unwrap();
        assert_eq!(head, TreeHead { origin: "example.com/log".to_owned(), size: 5, root: Hash([9; 32]) });

        let other = LogKey::new("example.com/log", &Zeroizing::new([8; 32])).unwrap();
        assert_eq!(TreeHead::open(&note, &other.vkey()), Err(CheckpointError::Unsigned));
        let elsewhere = LogKey::new("example.org/log", &Zeroizing::new([7; 32])).unwrap();
        assert_eq!(TreeHead::open(&note, &elsewhere.vkey()), Err(CheckpointError::Origin));
        let larger = note.replacen("\n5\n", "\n6\n", 1);
        assert_eq!(TreeHead::open(&larger, &key.vkey()), Err(CheckpointError::Unsigned));
        assert_eq!(TreeHead::open("nonsense", &key.vkey()), Err(CheckpointError::Malformed));
        assert_eq!(TreeHead::open(&note, "nonsense"), Err(CheckpointError::Key));
        // What others signed as well does not matter.
        let more = format!("{note}— witness.example {}\n", STANDARD.encode([1; 76]));
        assert!(TreeHead::open(&more, &key.vkey()).is_ok());
    }

    #[test]
    fn two_keys_of_one_name_sign_one_checkpoint() {
        let key = |seed| LogKey::new("example.com/log", &Zeroizing::new([seed; 32])).unwrap();
        let (new, old) = (key(7), key(8));
        let both = new.sign_with(Some(&old), 5, [9; 32]).unwrap();
        assert_eq!(both.lines().filter(|line| line.starts_with("— example.com/log ")).count(), 2);
        for one in [&new, &old] {
            assert_eq!(TreeHead::open(&both, &one.vkey()).unwrap().size, 5);
            let alone = one.sign(5, [9; 32]).unwrap();
            assert!(TreeHead::open_any(&alone, &[new.vkey(), old.vkey()]).is_ok());
        }
        let later = new.sign(6, [9; 32]).unwrap();
        assert_eq!(TreeHead::open(&later, &old.vkey()), Err(CheckpointError::Unsigned));
        assert_eq!(TreeHead::open_any(&later, &[old.vkey()]), Err(CheckpointError::Unsigned));
        assert_eq!(TreeHead::open_any(&later, &[]), Err(CheckpointError::Unsigned));
        // A signature by the one that does not hold spoils it for who has that one.
        let broken = both.replacen("\n5\n", "\n6\n", 1);
        assert!(TreeHead::open_any(&broken, &[new.vkey(), old.vkey()]).is_err());
    }

    #[test]
    fn a_name_that_would_break_the_text_is_refused() {
        for name in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
            assert!(LogKey::new(name, &Zeroizing::new([7; 32])).is_err(), "{name:?}");
        }
    }
}
