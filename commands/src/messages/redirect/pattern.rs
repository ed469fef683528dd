//! One entry of the allow list.

use std::net::IpAddr;

use regex::Regex;

use super::{
    glob,
    target::{Host, Target},
};

const BROKEN: &str = "it is too long or a range in it is reversed";
const OPEN_HOST: &str = "leaves the end of the host open, so that it allows hosts of anybody";
const NO_SCHEME: &str = "names no scheme: it allows apps' addresses only, no web addresses";

/// One entry, or one alternative of one.
#[derive(Debug)]
pub(super) struct Pattern {
    shape: Shape,
    /// The IP address that the entry names.
    address: Option<IpAddr>,
}

#[derive(Debug)]
enum Shape {
    /// Web addresses: host with port, and path with query, are matched apart.
    Web { scheme: &'static str, authority: Regex, rest: Regex },
    /// Apps' addresses are matched whole.
    App(Regex),
}

/// What the allow list says of one pattern, and what the operator should know about it.
type Reading = (Vec<Pattern>, Option<&'static str>);

impl Pattern {
    /// Reads an entry without braces.
    pub(super) fn read(text: &str) -> Result<Reading, &'static str> {
        let Some((scheme, after)) = text.split_once(':') else {
            return Ok((vec![Self::app(text)?], Some(NO_SCHEME)));
        };
        let lower = scheme.to_ascii_lowercase();
        let schemes = anchored(&glob::expression(&lower)?)?;
        let is_literal = lower.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let mut patterns = Vec::new();
        let mut warning = None;
        for web in ["http", "https"].into_iter().filter(|web| schemes.is_match(web)) {
            match after.strip_prefix("//") {
                Some(after) => {
                    let (pattern, open) = Self::web(web, after)?;
                    patterns.push(pattern);
                    warning = warning.or(open.then_some(OPEN_HOST));
                }
                None if is_literal => return Err("// is missing behind the scheme"),
                None => warning = Some(NO_SCHEME),
            }
        }
        if patterns.is_empty() || !is_literal {
            patterns.push(Self::app(&format!("{lower}:{after}"))?);
        }
        Ok((patterns, warning))
    }

    /// The IP address that the entry names.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether the entry allows this.
    pub(super) fn matches(&self, target: &Target) -> bool {
        match &self.shape {
            Shape::Web { scheme, authority, rest } => {
                target.scheme == *scheme
                    && authority.is_match(&target.authority)
                    && rest.is_match(&target.rest)
            }
            Shape::App(whole) => {
                let Target { scheme, host, authority, rest, .. } = target;
                let slashes = if *host == Host::Nothing { &["", "//"][..] } else { &["//"][..] };
                !matches!(scheme.as_str(), "http" | "https")
                    && slashes
                        .iter()
                        .any(|slashes| whole.is_match(&format!("{scheme}:{slashes}{authority}{rest}")))
            }
        }
    }

    fn app(text: &str) -> Result<Self, &'static str> {
        let host = text.split_once("://").map(|(_, after)| after.split('/').next().unwrap_or_default());
        let address = host.and_then(named_address);
        // A named IPv6 address stands in brackets, which would otherwise be a class.
        let text = match address {
            Some(IpAddr::V6(_)) => text.replacen('[', "\\[", 1).replacen(']', "\\]", 1),
            _ => text.to_owned(),
        };
        Ok(Self { shape: Shape::App(anchored(&glob::expression(&text)?)?), address })
    }

    /// Reads what follows `https://`; says also whether anybody's host fits.
    fn web(scheme: &'static str, after: &str) -> Result<(Self, bool), &'static str> {
        let end = after.find('/').or_else(|| after.find('?')).unwrap_or(after.len());
        let (host, rest) = after.split_at(end);
        if host.is_empty() {
            return Err("the host is missing");
        }
        if host.contains('@') {
            return Err("user names are not allowed in it");
        }
        let host = host.to_ascii_lowercase();
        let bare = host.trim_end_matches('*');
        let stars = host.len() - bare.len();
        let address = named_address(&host);
        let named = match address {
            Some(IpAddr::V6(_)) => bare.replacen('[', "\\[", 1).replacen(']', "\\]", 1),
            _ => bare.to_owned(),
        };
        let mut authority = glob::expression(&named)?;
        let mut open = false;
        if stars > 0 {
            let ends_in_name = bare.ends_with(|c: char| c.is_ascii_alphanumeric() || c == ']');
            let has_port = bare.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
            authority += match (has_port, ends_in_name) {
                (true, _) => "[0-9]*",
                (false, true) => "(?::[0-9]+)?",
                (false, false) => {
                    open = true;
                    if stars > 1 { ".*" } else { "[^./]*" }
                }
            };
        }
        let rest = match (rest, stars) {
            ("", 0) => String::new(),
            ("", 1) => "(?:\\?[^./]*)?".to_owned(),
            ("", _) => "(?:[/?].*)?".to_owned(),
            (rest, _) => glob::expression(rest)?,
        };
        let shape = Shape::Web { scheme, authority: anchored(&authority)?, rest: anchored(&rest)? };
        Ok((Self { shape, address }, open))
    }
}

/// The IP address in front of a port or wildcard: `127.0.0.1:*`, `[::1]`.
fn named_address(host: &str) -> Option<IpAddr> {
    let bare = match host.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => host.split(':').next()?.trim_end_matches('*'),
    };
    bare.parse().ok()
}

fn anchored(expression: &str) -> Result<Regex, &'static str> {
    Regex::new(&format!("\\A(?s:{expression})\\z")).map_err(|_| BROKEN)
}
