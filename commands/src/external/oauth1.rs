//! OAuth 1.0a (RFC 5849), which Twitter still speaks.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use evident_domain::{FlowId, Time};
use hmac::{Hmac, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, header};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use url::{Url, form_urlencoded};
use uuid::Uuid;

use super::client::{FetchError, Way};
use crate::outbound::{Chosen, Outbound};
use crate::settings::Secret;

/// What stays as it is (RFC 5849, 3.6).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The challenge of a PKCE verifier.
pub(super) fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// A token and its secret.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) token: String,
    pub(super) secret: String,
}

/// This server, as a client of such a provider, for one request.
#[derive(Debug)]
pub(super) struct Consumer<'a> {
    pub(super) key: &'a str,
    pub(super) secret: &'a Secret,
    pub(super) callback: &'a str,
    pub(super) authorize: &'a Url,
    pub(super) access: &'a Url,
    pub(super) outbound: Outbound,
    pub(super) now: Time,
    pub(super) nonce: Uuid,
}

impl Consumer<'_> {
    /// Asks for a request token, and tells where to send somebody with it. Its secret is kept.
    pub(super) async fn way(&self, flow: FlowId) -> Result<Way, FetchError> {
        let mut callback = Url::parse(self.callback).map_err(|_| FetchError::Profile)?;
        callback.query_pairs_mut().append_pair("state", &flow.to_string());
        let request = self.access.join("request_token").map_err(|_| FetchError::Profile)?;
        let token = self.ask(&request, None, &[("oauth_callback", callback.as_str())]).await?;
        let mut url = self.authorize.clone();
        url.query_pairs_mut().append_pair("oauth_token", &token.token);
        Ok(Way { url: url.into(), kept: Some(format!("{}&{}", token.token, token.secret)) })
    }

    /// Exchanges the token that somebody came back with. It must be the one they were sent with.
    pub(super) async fn exchange(
        &self,
        kept: &str,
        token: &str,
        verifier: &str,
    ) -> Result<Token, FetchError> {
        let (own, secret) = kept.split_once('&').ok_or(FetchError::Code)?;
        if own != token || verifier.is_empty() {
            return Err(FetchError::Code);
        }
        let request = Token { token: own.to_owned(), secret: secret.to_owned() };
        self.ask(self.access, Some(&request), &[("oauth_verifier", verifier)]).await
    }

    /// Fetches a document as the person whom a token belongs to.
    pub(super) async fn fetch(&self, url: &Url, token: &Token) -> Result<Value, FetchError> {
        let header = self.header(&Method::GET, url, Some(token), &[])?;
        let request = self.outbound.request(Method::GET, url, Chosen::ByOwner)?;
        let answer = self.outbound.send(request.header(header::AUTHORIZATION, header)).await?;
        if answer.status.is_success() { Ok(answer.json()?) } else { Err(FetchError::Profile) }
    }

    async fn ask(
        &self,
        url: &Url,
        token: Option<&Token>,
        params: &[(&str, &str)],
    ) -> Result<Token, FetchError> {
        let header = self.header(&Method::POST, url, token, params)?;
        let request = self.outbound.request(Method::POST, url, Chosen::ByOwner)?;
        let answer = self.outbound.send(request.header(header::AUTHORIZATION, header)).await?;
        if !answer.status.is_success() {
            return Err(FetchError::Code);
        }
        let field = |name: &str| {
            let mut fields = form_urlencoded::parse(&answer.body);
            fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        match (field("oauth_token"), field("oauth_token_secret")) {
            (Some(token), Some(secret)) if !token.is_empty() && !token.contains('&') => {
                Ok(Token { token, secret })
            }
            _ => Err(FetchError::Code),
        }
    }

    /// The header that signs a request (RFC 5849, 3.4 and 3.5.1).
    fn header(
        &self,
        method: &Method,
        url: &Url,
        token: Option<&Token>,
        more: &[(&str, &str)],
    ) -> Result<String, FetchError> {
        let timestamp = self.now.timestamp().to_string();
        let nonce = self.nonce.simple().to_string();
        let mut params = vec![
            ("oauth_consumer_key", self.key),
            ("oauth_nonce", nonce.as_str()),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", timestamp.as_str()),
            ("oauth_version", "1.0"),
        ];
        params.extend(token.map(|token| ("oauth_token", token.token.as_str())));
        params.extend_from_slice(more);
        let secret = token.map(|token| token.secret.as_str()).unwrap_or_default();
        let signature =
            signature(method, url, &params, self.secret.expose(), secret).ok_or(FetchError::Profile)?;
        params.push(("oauth_signature", &signature));
        let fields: Vec<String> =
            params.iter().map(|(key, value)| format!("{key}=\"{}\"", encoded(value))).collect();
        Ok(format!("OAuth {}", fields.join(", ")))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn signature(
    method: &Method,
    url: &Url,
    params: &[(&str, &str)],
    consumer_secret: &str,
    token_secret: &str,
) -> Option<String> {
    let mut all: Vec<(String, String)> =
        url.query_pairs().map(|(key, value)| (encoded(&key), encoded(&value))).collect();
    all.extend(params.iter().map(|(key, value)| (encoded(key), encoded(value))));
    all.sort();
    let joined = all.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&");
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    let base = format!("{method}&{}&{}", encoded(bare.as_str()), encoded(&joined));
    let key = format!("{}&{}", encoded(consumer_secret), encoded(token_secret));
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).ok()?;
    mac.update(base.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 5849, section 1.2.
    #[test]
    fn a_request_is_signed_as_the_rfc_shows() {
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let params = [
            ("oauth_consumer_key", "dpf43f3p2l4k3l03"),
            ("oauth_token", "nnch734d00sl2jdk"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131202"),
            ("oauth_nonce", "chapoH"),
        ];
        let signed = signature(&Method::GET, &url, &params, "kd94hf93k423kf44", "pfkkdhi9sl3r4s00");
        assert_eq!(signed.as_deref(), Some("MdpQcU8iPSUjWoN/UDMsK2sui9I="));
    }
}
