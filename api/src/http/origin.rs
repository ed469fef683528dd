//! Where a request comes from, as the layers in front of the handlers found it out.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use evident_domain::{Actor, Personal, Provenance, Surface};
use uuid::Uuid;

const CLIENT_INFO: HeaderName = HeaderName::from_static("x-client-info");

/// The longest name of a program that is kept, in bytes.
const NAME_LIMIT: usize = 512;

/// The other end of the connection; the server puts it into every request.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub SocketAddr);

/// What is known of every request. It stands in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// The request, as the log names it.
    pub id: Uuid,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// Whether the connection is a trusted proxy's, so that its headers are no client's word.
    pub through_proxy: bool,
}

/// Where a request comes from: what events say of it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// What is known of every request.
    pub facts: Facts,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client library, as it names itself (`X-Client-Info`).
    pub client: Option<String>,
}

impl Origin {
    /// What events of this request say, when somebody acts through a door.
    pub fn provenance(&self, actor: Actor, surface: Surface) -> Provenance {
        Provenance {
            actor,
            request_id: self.facts.id,
            causation: None,
            ip: self.facts.ip.map(Personal::from),
            user_agent: self.user_agent.clone().map(Personal::from),
            surface,
            client: self.client.clone(),
        }
    }

    /// Of a request that has passed the edge.
    pub fn of(parts: &Parts) -> Self {
        let facts = parts.extensions.get::<Facts>().copied();
        Self {
            facts: facts.unwrap_or(Facts { id: Uuid::nil(), ip: None, through_proxy: false }),
            user_agent: name(&parts.headers, &header::USER_AGENT),
            client: name(&parts.headers, &CLIENT_INFO),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// The name of a program: of sane length, without control characters.
fn name(headers: &HeaderMap, header: &HeaderName) -> Option<String> {
    let bytes = headers.get(header)?.as_bytes();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(2 * NAME_LIMIT)]);
    let mut name = String::with_capacity(text.len().min(NAME_LIMIT));
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if name.len() + letter.len_utf8() > NAME_LIMIT {
            break;
        }
        name.push(letter);
    }
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &[u8]) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, axum::http::HeaderValue::from_bytes(value).unwrap());
        name(&headers, &header::USER_AGENT)
    }

    #[test]
    fn a_programs_name_is_kept_as_it_is() {
        assert_eq!(read(b"curl/8.5.0").as_deref(), Some("curl/8.5.0"));
        assert_eq!(read("Prüfer/1".as_bytes()).as_deref(), Some("Prüfer/1"));
        assert_eq!(name(&HeaderMap::new(), &header::USER_AGENT), None);
        assert_eq!(read(b""), None);
    }

    #[test]
    fn it_is_cut_and_holds_no_control_characters() {
        assert_eq!(read(&b"x".repeat(5000)).map(|name| name.len()), Some(NAME_LIMIT));
        assert_eq!(read("ü".repeat(400).as_bytes()).map(|name| name.len()), Some(NAME_LIMIT));
        assert_eq!(read("a\u{85}\tb".as_bytes()).as_deref(), Some("ab"));
        assert!(read(b"\xff\xfe").is_some_and(|name| name.chars().all(|c| c == '\u{fffd}')));
    }
}
