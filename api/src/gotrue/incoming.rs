//! A request apart from its body: where it comes from, its query, the headers that the protocol knows.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use evident_commands::Context;
use evident_domain::{Actor, Surface};

use super::app::App;
use super::params::Params;
use crate::http::Origin;
use crate::http::limits::CallerKey;

const AUDIENCE: HeaderName = HeaderName::from_static("x-jwt-aud");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REDIRECT_TO: HeaderName = HeaderName::from_static("redirect_to");

/// A request as it came in.
#[derive(Debug)]
pub struct Incoming {
    /// Where it comes from.
    pub origin: Origin,
    /// Who is limited.
    pub caller: CallerKey,
    /// Its query.
    pub params: Params,
    /// The path as the server sees it, without the prefix `/auth/v1`.
    pub path: String,
    aud: Option<String>,
    reached_at: Option<String>,
    redirect_header: Option<String>,
    referer: Option<String>,
}

impl Incoming {
    /// What events of the request say, when somebody acts.
    pub fn context(&self, actor: Actor) -> Context {
        let provenance = self.origin.provenance(actor, Surface::Gotrue);
        Context { provenance, reached_at: self.reached_at.clone() }
    }

    /// The audience of a request of somebody who has not signed in, or of an administrator.
    pub fn aud(&self, app: &App) -> String {
        self.aud.clone().unwrap_or_else(|| app.settings().tokens.default_aud.clone())
    }

    /// Where the links of a mail should lead in the end. The header wins over the query; where that one
    /// is not allowed, the page that sent the request counts, if it is.
    pub fn redirect_to(&self, app: &App) -> Option<String> {
        let wished = self.redirect_header.as_deref().or_else(|| self.params.get("redirect_to"));
        [wished, self.referer.as_deref()].into_iter().flatten().find_map(|url| app.redirects().admit(url))
    }

    fn of(parts: &Parts, app: &App) -> Self {
        let origin = Origin::of(parts);
        Self {
            caller: CallerKey::of(&origin.facts, &parts.headers, app.limit_header()),
            origin,
            params: Params::parse(parts.uri.query().unwrap_or_default()),
            path: parts.uri.path().to_owned(),
            aud: requested_aud(&parts.headers).map(str::to_owned),
            reached_at: reached_at(&parts.headers, &app.settings().mail.external_hosts),
            redirect_header: text(&parts.headers, &REDIRECT_TO).map(str::to_owned),
            referer: text(&parts.headers, &header::REFERER).map(str::to_owned),
        }
    }
}

/// The server's address by which a request came, where its host is one of those that the owner lists. A
/// proxy names it; whoever else does chooses among the owner's own.
fn reached_at(headers: &HeaderMap, listed: &[String]) -> Option<String> {
    let host = text(headers, &FORWARDED_HOST)?.split(',').next()?.trim();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    if !listed.iter().any(|listed| listed == name) {
        return None;
    }
    let plain = name == "localhost" && text(headers, &FORWARDED_PROTO) == Some("http");
    Some(format!("{}://{host}", if plain { "http" } else { "https" }))
}

/// The audience that a request names.
pub(super) fn requested_aud(headers: &HeaderMap) -> Option<&str> {
    text(headers, &AUDIENCE)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|text| !text.is_empty())
}

impl FromRequestParts<App> for Incoming {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_listed_hosts_are_taken_for_the_servers_own() {
        let listed = ["auth.example.com".to_owned(), "localhost".to_owned()];
        let reached = |host: &'static str, proto: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(FORWARDED_HOST, HeaderValue::from_static(host));
            headers.insert(FORWARDED_PROTO, HeaderValue::from_static(proto));
            reached_at(&headers, &listed)
        };
        assert_eq!(reached("auth.example.com", "http").as_deref(), Some("https://auth.example.com"));
        assert_eq!(reached("localhost:8000", "http").as_deref(), Some("http://localhost:8000"));
        assert_eq!(reached("localhost", "https").as_deref(), Some("https://localhost"));
        for foreign in
            ["evil.example", "auth.example.com.evil.example", "auth.example.com:x@evil.example", ""]
        {
            assert_eq!(reached(foreign, "https"), None, "{foreign}");
        }
    }
}
