//! Headers that every answer carries, so that browsers keep what they get to themselves.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Two years, as browsers' lists ask for; other hosts of the domain are not ours to decide on.
const TRANSPORT: HeaderValue = HeaderValue::from_static("max-age=63072000");
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Which of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SecurityHeaders {
    https: bool,
}

impl SecurityHeaders {
    /// For a server that the world reaches at an address. Only where that is HTTPS, browsers are told to
    /// insist on it.
    pub fn new(external_url: &str) -> Self {
        let scheme = external_url.get(..8).unwrap_or_default();
        Self { https: scheme.eq_ignore_ascii_case("https://") }
    }

    /// Adds them. What may be kept says so itself; everything else is not stored.
    pub fn apply(self, headers: &mut HeaderMap) {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.insert(header::REFERRER_POLICY, NO_REFERRER);
        insert_missing(headers, header::CACHE_CONTROL, NO_STORE);
        insert_missing(headers, header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
        if self.https {
            headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT);
        }
    }
}

fn insert_missing(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    headers.entry(name).or_insert(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(external_url: &str, own: &[(HeaderName, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in own {
            headers.insert(name, HeaderValue::from_static(value));
        }
        SecurityHeaders::new(external_url).apply(&mut headers);
        headers
    }

    #[test]
    fn answers_are_neither_sniffed_nor_stored_nor_framed() {
        let plain = headers("http://localhost:9999", &[]);
        assert_eq!(plain[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(plain[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(plain[header::CACHE_CONTROL], "no-store");
        assert!(plain[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert!(!plain.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn what_is_public_stays_so() {
        let keys = headers("", &[(header::CACHE_CONTROL, "public, max-age=600")]);
        assert_eq!(keys[header::CACHE_CONTROL], "public, max-age=600");
    }

    #[test]
    fn browsers_insist_on_https_where_there_is_https() {
        for url in ["https://auth.example.com", "HTTPS://x"] {
            assert_eq!(headers(url, &[])[header::STRICT_TRANSPORT_SECURITY], "max-age=63072000");
        }
    }
}
