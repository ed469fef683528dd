//! HMAC-SHA256 under keys of 32 bytes.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A MAC over the parts, one after the other. Callers see to it that no other parts join to the same bytes.
pub(super) fn mac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC fills a short key up with zeros (RFC 2104); a key of exactly one block cannot be refused.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_hmac_sha256() {
        let mut other = Hmac::<Sha256>::new_from_slice(&[7; 32]).unwrap();
        other.update(b"Hi There");
        assert_eq!(mac(&[7; 32], &[b"Hi ", b"There"]), <[u8; 32]>::from(other.finalize().into_bytes()));
    }
}
