//! Ids, enciphered: a code that leads to its id, which does not lead to it.

use aes::Aes256;
use aes::cipher::{BlockDecrypt as _, BlockEncrypt as _, KeyInit as _};
use uuid::Uuid;

use super::mac::mac;

/// Makes codes of ids, and ids of codes.
pub(super) struct IdCipher(Aes256);

impl IdCipher {
    /// A cipher of its own for a purpose, under a key of the server.
    pub(super) fn new(key: &[u8; 32], purpose: &[u8]) -> Self {
        let key = zeroize::Zeroizing::new(mac(key, &[purpose]));
        Self(Aes256::new((&*key).into()))
    }

    pub(super) fn code(&self, id: Uuid) -> Uuid {
        let mut block = id.into_bytes().into();
        self.0.encrypt_block(&mut block);
        Uuid::from_bytes(block.into())
    }

    pub(super) fn id(&self, code: Uuid) -> Uuid {
        let mut block = code.into_bytes().into();
        self.0.decrypt_block(&mut block);
        Uuid::from_bytes(block.into())
    }
}
