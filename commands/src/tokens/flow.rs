//! Codes of flows, and the secrets that a flow shares with its provider. None of them is stored: each
//! follows from the flow's id under a key of the server.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use evident_domain::FlowId;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::id_cipher::IdCipher;
use super::mac::mac;

/// What a flow shares with its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowSecret {
    /// The verifier of the PKCE challenge towards the provider (RFC 7636).
    Verifier,
    /// The nonce that the provider's ID token repeats (OpenID Connect Core, section 3.1.2.1).
    Nonce,
}

/// Makes and reads the codes of flows. A code is the flow's id, enciphered: the id alone, which providers
/// and their logs see, does not lead to it.
pub struct FlowCodec {
    codes: IdCipher,
    secrets: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for FlowCodec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FlowCodec(…)")
    }
}

impl FlowCodec {
    /// A codec under a key of the server.
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        Self { codes: IdCipher::new(&key, b"codes"), secrets: Zeroizing::new(mac(&key, &[b"secrets"])) }
    }

    /// The code of a flow, as a UUID, which is the form that clients know.
    pub fn code(&self, flow: FlowId) -> Uuid {
        self.codes.code(flow.0)
    }

    /// The flow that a code would be of. Whether there is one, its stream tells.
    pub fn flow(&self, code: Uuid) -> FlowId {
        FlowId(self.codes.id(code))
    }

    /// What a flow shares with its provider: 43 characters of base64url.
    pub fn secret(&self, flow: FlowId, secret: FlowSecret) -> Zeroizing<String> {
        let name: &[u8] = match secret {
            FlowSecret::Verifier => b"verifier",
            FlowSecret::Nonce => b"nonce",
        };
        Zeroizing::new(URL_SAFE_NO_PAD.encode(mac(&self.secrets, &[flow.0.as_bytes(), name])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_leads_to_its_flow_and_the_flow_to_its_code_only_with_the_key() {
        let (codec, other) = (FlowCodec::new([7; 32]), FlowCodec::new([8; 32]));
        let flow = FlowId(Uuid::from_u128(42));
        let code = codec.code(flow);
        assert_eq!(codec.flow(code), flow);
        assert_ne!(code, flow.0);
        assert_ne!(other.code(flow), code);
    }

    #[test]
    fn secrets_differ_by_flow_and_by_use_and_have_the_form_of_a_verifier() {
        let codec = FlowCodec::new([7; 32]);
        let secret = |id, of| codec.secret(FlowId(Uuid::from_u128(id)), of);
        assert_eq!(secret(1, FlowSecret::Verifier), secret(1, FlowSecret::Verifier));
        assert_ne!(secret(1, FlowSecret::Verifier), secret(2, FlowSecret::Verifier));
        assert_ne!(secret(1, FlowSecret::Verifier), secret(1, FlowSecret::Nonce));
        assert_eq!(secret(1, FlowSecret::Nonce).len(), 43);
    }
}
