//! A candidate, taken apart the way browsers do, or refused when they could read it otherwise.

use std::{borrow::Cow, net::IpAddr};

use percent_encoding::percent_decode_str;
use url::Url;

/// Longer candidates are refused, in bytes.
const LONGEST: usize = 4096;
/// How many times a path may be escaped over.
const DEEPEST_ESCAPE: usize = 4;
/// Schemes that run or show something instead of leading somewhere.
const NEVER: [&str; 10] =
    ["javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss"];

/// An address that could be redirected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    text: String,
    /// In lower case.
    pub(super) scheme: String,
    pub(super) host: Host,
    /// As the address names it; the scheme's own port counts as none.
    pub(super) port: Option<u16>,
    /// Host and port in lower case, as written.
    pub(super) authority: String,
    /// Path, decoded and without dot segments, and the query as written.
    pub(super) rest: String,
}

/// The host of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// There is none, as in `com.example.app:/callback`.
    Nothing,
    /// A name, in lower case.
    Name(String),
    /// An IP address.
    Address(IpAddr),
    /// Something that programs could take for an IP address.
    Unclear,
}

impl Target {
    /// Takes an address apart.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let odd = |c: char| c.is_control() || c.is_whitespace() || c == '\\';
        if text.len() > LONGEST || text.contains(odd) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let scheme = url.scheme().to_owned();
        if NEVER.contains(&scheme.as_str()) || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let without_fragment = text.split('#').next().unwrap_or_default();
        let (_, after) = without_fragment.split_once(':')?;
        let is_web = matches!(scheme.as_str(), "http" | "https");
        let (authority, path_and_query) = match after.strip_prefix("//") {
            Some(after) => after.split_at(after.find(['/', '?']).unwrap_or(after.len())),
            None if is_web || scheme == "ftp" => return None,
            None => ("", after),
        };
        if authority.contains(['@', '%']) || !authority.is_ascii() {
            return None;
        }
        let authority = authority.to_ascii_lowercase();
        let host_text = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                port.parse::<u16>().ok()?;
                host
            }
            _ => &authority,
        };
        let host = if is_web { web_host(&url, host_text)? } else { app_host(host_text) };
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let mut rest = if path.is_empty() { String::new() } else { decoded(url.path())? };
        if let Some(query) = query {
            rest.push('?');
            rest += query;
        }
        let port = url.port();
        Some(Self { text: text.to_owned(), scheme, host, port, authority, rest })
    }

    /// The text as it came, with letters outside ASCII escaped.
    pub(super) fn into_text(self) -> String {
        if self.text.is_ascii() {
            return self.text;
        }
        percent_encoding::utf8_percent_encode(&self.text, percent_encoding::CONTROLS).to_string()
    }
}

/// The host of a web address, when it is written the way it is read.
fn web_host(url: &Url, written: &str) -> Option<Host> {
    match url.host()? {
        url::Host::Ipv4(ip) => (written == ip.to_string()).then_some(Host::Address(ip.into())),
        url::Host::Ipv6(ip) => {
            written.starts_with('[').then_some(Host::Address(IpAddr::from(ip).to_canonical()))
        }
        url::Host::Domain(name) => {
            let plain = name == written
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
                && name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.ends_with(|c: char| c.is_ascii_alphanumeric());
            plain.then(|| Host::Name(name.to_owned()))
        }
    }
}

/// The host of an app's address, which has no rules of its own.
fn app_host(written: &str) -> Host {
    let bare = written.trim_start_matches('[').trim_end_matches(']');
    if bare.is_empty() {
        return Host::Nothing;
    }
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Host::Address(ip.to_canonical());
    }
    let last = written.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") || written.contains('[');
    if numeric { Host::Unclear } else { Host::Name(written.to_owned()) }
}

/// A path, decoded once. Paths that lead elsewhere when somebody decodes them again are refused.
fn decoded(path: &str) -> Option<String> {
    let once = percent_decode_str(path).decode_utf8().ok()?.into_owned();
    let mut deeper = Cow::Borrowed(once.as_str());
    for _ in 0..DEEPEST_ESCAPE {
        if deeper.contains(|c: char| c.is_control() || c == '\\')
            || deeper.split('/').any(|segment| matches!(segment, "." | ".."))
        {
            return None;
        }
        let next = percent_decode_str(&deeper).decode_utf8().ok()?.into_owned();
        if *next == *deeper {
            return Some(once);
        }
        deeper = Cow::Owned(next);
    }
    None
}
