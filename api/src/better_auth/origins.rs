//! Which origins are trusted: who may send requests with cookies, and where links may lead.

use regex::Regex;
use url::Url;

/// A URL that a client names, and that has to lead to a trusted place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlParameter {
    /// `callbackURL`
    Callback,
    /// `redirectTo`
    Redirect,
    /// `errorCallbackURL`
    ErrorCallback,
    /// `newUserCallbackURL`
    NewUserCallback,
}

/// The URL leads elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the URL leads to a place that is not trusted")]
pub struct ForeignUrl(pub UrlParameter);

/// The trusted origins: the server's own, and those that the owner named.
#[derive(Debug)]
pub struct TrustedOrigins {
    patterns: Vec<Pattern>,
    relative: Option<Regex>,
}

#[derive(Debug, PartialEq, Eq)]
enum Pattern {
    /// `https://app.example.com`: exactly this origin.
    Origin(String),
    /// `*.example.com`, `https://*.example.com`: hosts by a pattern, with one scheme or any web one.
    Hosts { scheme: Option<String>, host: String },
    /// `myapp://`: an application of its own scheme, whatever follows.
    Scheme(String),
}

impl TrustedOrigins {
    /// The origin of the server's own address, and further patterns. What does not read trusts nobody.
    pub fn new<'a>(own: &str, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let own = Url::parse(own).ok().map(|url| Pattern::Origin(url.origin().ascii_serialization()));
        let others = patterns.into_iter().filter_map(|text| Pattern::parse(text.trim()));
        // A path of this server's application: no host, no fragment, no trick that a browser reads as a host.
        let relative =
            Regex::new(r"^/(?:[A-Za-z0-9_.+@-][A-Za-z0-9_.+/@-]*)?(?:\?[A-Za-z0-9_.+/=&%@-]*)?$").ok();
        Self { patterns: own.into_iter().chain(others).collect(), relative }
    }

    /// Whether an absolute URL or an origin is at a trusted place.
    pub fn trusts(&self, text: &str) -> bool {
        let Ok(url) = Url::parse(text) else { return false };
        // Whoever reads a URL with user information takes it for another host than it is.
        let plain = url.username().is_empty() && url.password().is_none();
        plain && self.patterns.iter().any(|pattern| pattern.fits(&url))
    }

    /// Whether a link may lead to a URL: to a trusted place, or to a path.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self, parameter: UrlParameter, text: &str) -> Result<(), ForeignUrl> {
        let relative = || self.relative.as_ref().is_some_and(|form| form.is_match(text));
        if text.starts_with('/') && relative() || self.trusts(text) {
            Ok(())
        } else {
            Err(ForeignUrl(parameter))
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        if rest.contains(['*', '?']) {
            let host = rest.trim_end_matches('/').to_ascii_lowercase();
            return Some(Self::Hosts { scheme, host });
        }
        match scheme.as_deref() {
            None => None,
            Some("http" | "https") => {
                Url::parse(text).ok().map(|url| Self::Origin(url.origin().ascii_serialization()))
            }
            Some(scheme) => Some(Self::Scheme(scheme.to_owned())),
        }
    }

    fn fits(&self, url: &Url) -> bool {
        let web = matches!(url.scheme(), "http" | "https");
        match self {
            Self::Origin(origin) => web && url.origin().ascii_serialization() == *origin,
            Self::Scheme(scheme) => url.scheme() == scheme,
            Self::Hosts { scheme, host } => {
                let scheme_fits = scheme.as_ref().map_or(web, |scheme| url.scheme() == scheme);
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                let given = url.host_str().map(|host| format!("{host}{port}"));
                scheme_fits && given.is_some_and(|given| host_fits(host.as_bytes(), given.as_bytes()))
            }
        }
    }
}

/// `*` is any run of characters of a host, `?` is one.
fn host_fits(pattern: &[u8], host: &[u8]) -> bool {
    let (mut at, mut star) = ((0, 0), None);
    while at.1 < host.len() {
        match pattern.get(at.0) {
            Some(b'*') => {
                star = Some(at);
                at.0 += 1;
            }
            Some(c) if *c == b'?' || *c == host[at.1] => at = (at.0 + 1, at.1 + 1),
            _ => match &mut star {
                Some(last) => {
                    last.1 += 1;
                    at = (last.0 + 1, last.1);
                }
                None => return false,
            },
        }
    }
    pattern[at.0..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> TrustedOrigins {
        let patterns =
            ["https://app.example.com", "*.preview.example.net", "https://*.example.org", "myapp://"];
        TrustedOrigins::new("https://auth.example.com/api/auth", patterns)
    }

    #[test]
    fn the_own_origin_and_the_named_ones_are_trusted() {
        for good in [
            "https://auth.example.com",
            "https://app.example.com/deep/path?x=1",
            "https://a.preview.example.net",
            "http://a.b.preview.example.net/x",
            "https://x.example.org",
            "myapp://callback",
        ] {
            assert!(origins().trusts(good), "{good}");
        }
    }

    #[test]
    fn what_only_looks_like_them_is_not() {
        for bad in [
            "",
            "null",
            "https://app.example.com.evil.com",
            "https://evil.com/https://app.example.com",
            "https://app.example.com@evil.com",
            "https://evil.com#.preview.example.net",
            "https://evil.com/.preview.example.net",
            "http://app.example.com",
            "https://app.example.com:8443",
            "http://x.example.org",
            "https://example.org",
            "javascript:alert(1)",
            "data:text/html,x",
            "other://callback",
        ] {
            assert!(!origins().trusts(bad), "{bad}");
        }
    }

    #[test]
    fn a_link_may_lead_to_a_path() {
        for good in ["/", "/a", "/a/b?c=d&e=f%20", "/dash-board/@me"] {
            assert_eq!(origins().check(UrlParameter::Callback, good), Ok(()), "{good}");
        }
        for bad in
            ["//evil.com", "/\\evil.com", "/%2fevil.com", "/%5cevil.com", "/a b", "/a#b", "/a?b=c:d", "a/b"]
        {
            let refused = origins().check(UrlParameter::Redirect, bad);
            assert_eq!(refused, Err(ForeignUrl(UrlParameter::Redirect)), "{bad}");
        }
    }

    #[test]
    fn stars_are_runs_of_characters() {
        for (pattern, host, fits) in [
            ("*", "a.b", true),
            ("*.a.b", "x.a.b", true),
            ("*.a.b", "a.b", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*x*", "axxb", true),
            ("*ab", "aab", true),
        ] {
            assert_eq!(host_fits(pattern.as_bytes(), host.as_bytes()), fits, "{pattern} {host}");
        }
    }
}
