//! Where people may be sent after a link or a sign-in: the site itself, and what a list of patterns allows.
//!
//! Patterns read as GoTrue's do: `*` is any run without `.` and `/`, `**` any run, `?` one character that is
//! neither, `[ab]` and `[!a-z]` one of a class, `{a,b}` one of several, `\` takes the next character as it
//! is. They are stricter in four ways. Host and path of web addresses are matched apart, so that no wildcard
//! of the one reaches into the other, and a wildcard right behind a host's name (`https://app.example.com*`)
//! means port and path, never a longer host. Dot segments are resolved and escapes decoded before a path is
//! matched. Addresses of this machine (`127.0.0.1`, `::1`) need an entry that names them. User names in
//! addresses, backslashes and control characters are refused.

mod glob;
mod pattern;
mod target;

use std::net::IpAddr;

use pattern::Pattern;
use target::{Host, Target};

/// Why redirects cannot be checked with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// The site's own address is none.
    #[error("the site URL {0:?} is not an address, as https://app.example.com is")]
    Site(String),
    /// A pattern is broken.
    #[error(
        "the redirect pattern {pattern:?} is broken: {problem} (write it as in https://*.example.com/**)"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        problem: &'static str,
    },
}

/// Decides where people may be sent.
#[derive(Debug)]
pub struct RedirectPolicy {
    site_url: String,
    site: Target,
    patterns: Vec<Pattern>,
    warnings: Vec<String>,
}

impl RedirectPolicy {
    /// Reads the site's address and the patterns.
    ///
    /// # Errors
    /// When the address is none or a pattern is broken.
    pub fn new<P: AsRef<str>>(site_url: &str, allow_list: &[P]) -> Result<Self, RedirectError> {
        let site = Target::parse(site_url).ok_or_else(|| RedirectError::Site(site_url.to_owned()))?;
        let mut patterns = Vec::new();
        let mut warnings = Vec::new();
        for written in allow_list.iter().map(|p| p.as_ref().trim()).filter(|p| !p.is_empty()) {
            let broken = |problem| RedirectError::Pattern { pattern: written.to_owned(), problem };
            for plain in glob::expand(written).map_err(broken)? {
                let (read, warning) = Pattern::read(&plain).map_err(broken)?;
                patterns.extend(read);
                warnings.extend(warning.map(|warning| format!("the redirect pattern {written:?} {warning}")));
            }
        }
        Ok(Self { site_url: site_url.to_owned(), site, patterns, warnings })
    }

    /// Splits a comma list into patterns; the commas inside `{a,b}` do not count.
    pub fn split(list: &str) -> Vec<String> {
        glob::split(list)
    }

    /// What the operator should look at: patterns that allow more, or less, than they seem to.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The site's address, as configured.
    pub fn site_url(&self) -> &str {
        &self.site_url
    }

    /// The candidate when it is allowed, else the site's address.
    pub fn resolve(&self, candidate: Option<&str>) -> String {
        candidate.and_then(|candidate| self.admit(candidate)).unwrap_or_else(|| self.site_url.clone())
    }

    /// The candidate when it is allowed. It is returned as it came, with letters outside ASCII escaped,
    /// so that it can stand in a header.
    pub fn admit(&self, candidate: &str) -> Option<String> {
        let target = Target::parse(candidate)?;
        (self.is_site(&target) || self.is_listed(&target)).then(|| target.into_text())
    }

    /// Same scheme, host and port as the site; any port when the site is on this machine.
    fn is_site(&self, target: &Target) -> bool {
        let Target { scheme, host, port, .. } = &self.site;
        let on_this_machine = match host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Address(ip) => ip.is_loopback(),
            Host::Nothing | Host::Unclear => false,
        };
        *scheme == target.scheme
            && *host == target.host
            && *host != Host::Unclear
            && (*port == target.port || on_this_machine)
    }

    fn is_listed(&self, target: &Target) -> bool {
        let named = |ip: IpAddr| {
            self.patterns.iter().any(|pattern| pattern.address() == Some(ip) && pattern.matches(target))
        };
        match target.host {
            Host::Name(_) | Host::Nothing => self.patterns.iter().any(|pattern| pattern.matches(target)),
            Host::Address(ip) => ip.is_loopback() && named(ip),
            Host::Unclear => false,
        }
    }
}

#[cfg(test)]
mod tests;
