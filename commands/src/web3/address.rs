//! Addresses of wallets: what a message names, and what proves to be it.

use sha3::{Digest as _, Keccak256};

use super::Chain;

/// The address of a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// An Ed25519 key.
    Solana([u8; 32]),
    /// The last bytes of the hash of a secp256k1 key.
    Ethereum([u8; 20]),
}

impl Address {
    /// Reads an address: base58, or `0x` and hexadecimal digits in any case.
    pub(super) fn parse(chain: Chain, text: &str) -> Option<Self> {
        match chain {
            Chain::Solana if (32..=44).contains(&text.len()) => {
                bs58::decode(text).into_vec().ok()?.try_into().ok().map(Self::Solana)
            }
            Chain::Solana => None,
            Chain::Ethereum => {
                let mut bytes = [0; 20];
                hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
                Some(Self::Ethereum(bytes))
            }
        }
    }

    /// The one form in which it names an identity. Ethereum's shows a checksum by its letters' case
    /// (EIP-55), as wallets do.
    pub(super) fn canonical(&self) -> String {
        match self {
            Self::Solana(key) => bs58::encode(key).into_string(),
            Self::Ethereum(bytes) => {
                let digits = hex::encode(bytes);
                let hash = Keccak256::digest(digits.as_bytes());
                let cased = digits.chars().enumerate().map(|(at, digit)| {
                    let byte = hash.get(at / 2).copied().unwrap_or_default();
                    let nibble = if at % 2 == 0 { byte >> 4 } else { byte & 0x0f };
                    if nibble >= 8 { digit.to_ascii_uppercase() } else { digit }
                });
                std::iter::once("0x".to_owned()).chain(cased.map(String::from)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        // The examples of EIP-55.
        for checked in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            for spelled in [checked.to_owned(), checked.to_lowercase()] {
                let address = Address::parse(Chain::Ethereum, &spelled).unwrap();
                assert_eq!(address.canonical(), checked);
            }
        }
        let solana = "CWeA15dFsVZ1dCVf3jvjAG8DXd93n3FLkhfzWNAr4mfP";
        assert_eq!(Address::parse(Chain::Solana, solana).unwrap().canonical(), solana);
    }

    #[test]
    fn what_is_no_address_does_not_read() {
        for (chain, text) in [
            (Chain::Solana, ""),
            (Chain::Solana, "CWeA15dFsVZ1dCVf3jvjAG8DXd93n3FLkhfzWNAr4mf0"),
            (Chain::Solana, "11111111111111111111111111111111111111111111"),
            (Chain::Solana, "CWeA15dFsVZ1dCVf3jvjAG8DXd93n3FL"),
            (Chain::Ethereum, "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            (Chain::Ethereum, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe"),
            (Chain::Ethereum, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg"),
            (Chain::Ethereum, "0x\u{e9}aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe"),
        ] {
            assert_eq!(Address::parse(chain, text), None, "{text}");
        }
    }
}
