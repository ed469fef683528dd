//! Where the browser goes with a code: compared whole, character by character (RFC 9700, section 2.1).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

/// The longest address that is taken, in bytes.
pub(super) const LONGEST: usize = 2048;

/// Schemes that run or show something instead of leading somewhere.
const NEVER: [&str; 8] =
    ["javascript", "data", "file", "vbscript", "about", "blob", "filesystem", "view-source"];

/// An address of a client that codes may be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RedirectUri(String);

/// Why codes may not be sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedirectUriError {
    /// It is longer than 2048 bytes.
    #[error("the address is too long")]
    TooLong,
    /// It is no absolute address with a host.
    #[error("the address has no scheme or no host")]
    NotAbsolute,
    /// It holds a name, a password, a space or a letter outside ASCII.
    #[error("the address holds what programs read in different ways")]
    Ambiguous,
    /// It has a fragment.
    #[error("the address has a fragment")]
    Fragment,
    /// It is neither encrypted nor on the machine of the user.
    #[error("the address is neither encrypted nor local")]
    Insecure,
    /// Its scheme runs code or shows files.
    #[error("the scheme of the address is not allowed")]
    Scheme,
}

impl RedirectUri {
    /// Takes an address; it stays as it is written.
    ///
    /// # Errors
    /// When codes must not be sent there.
    pub fn parse(text: &str) -> Result<Self, RedirectUriError> {
        if text.len() > LONGEST {
            return Err(RedirectUriError::TooLong);
        }
        if text.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'\\' | b'"' | b'<' | b'>')) {
            return Err(RedirectUriError::Ambiguous);
        }
        let url = Url::parse(text).map_err(|_| RedirectUriError::NotAbsolute)?;
        // What the parser mends (`https:/host`, `https:host`) others read otherwise.
        let written_with_host =
            text.split_once(':').is_some_and(|(_, rest)| rest.starts_with("//") && !rest.starts_with("///"));
        let host = url.host_str().filter(|host| !host.is_empty() && written_with_host);
        let host = host.ok_or(RedirectUriError::NotAbsolute)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RedirectUriError::Ambiguous);
        }
        if url.fragment().is_some() {
            return Err(RedirectUriError::Fragment);
        }
        match url.scheme() {
            "http" if !matches!(host, "localhost" | "127.0.0.1" | "[::1]") => Err(RedirectUriError::Insecure),
            scheme if NEVER.contains(&scheme) => Err(RedirectUriError::Scheme),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_codes_may_go_to_stay_as_they_are_written() {
        for good in [
            "https://photos.example.com/cb",
            "HTTPS://Photos.example.com:8443/cb?x=1&y=%20",
            "http://localhost:5173/cb",
            "http://127.0.0.1/cb",
            "http://[::1]:4000/",
            "com.example.app://callback",
        ] {
            assert_eq!(RedirectUri::parse(good).map(|uri| uri.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn others_are_refused() {
        use RedirectUriError as E;
        for (bad, why) in [
            ("", E::NotAbsolute),
            ("/cb", E::NotAbsolute),
            ("javascript:alert(1)", E::NotAbsolute),
            ("com.example.app:/callback", E::NotAbsolute),
            ("https:photos.example.com", E::NotAbsolute),
            ("https:///photos.example.com", E::NotAbsolute),
            ("javascript://x.example/%0aalert(1)", E::Scheme),
            ("file://host/etc/passwd", E::Scheme),
            ("http://evil.com/cb", E::Insecure),
            ("http://localhost.evil.com/cb", E::Insecure),
            ("https://a.example/cb#x", E::Fragment),
            ("https://a.example@evil.com/cb", E::Ambiguous),
            ("https://a.example/c b", E::Ambiguous),
            ("https://a.example\\@evil.com", E::Ambiguous),
            ("https://ä.example/", E::Ambiguous),
            ("https://a.example/\r\nx", E::Ambiguous),
        ] {
            assert_eq!(RedirectUri::parse(bad), Err(why), "{bad:?}");
        }
        assert_eq!(RedirectUri::parse(&format!("https://a.example/{}", "a".repeat(2048))), Err(E::TooLong));
    }
}
