//! The outermost layer: names the request, finds out where it comes from, answers browsers that ask
//! before they send, adds the headers of every answer, and writes the line of the log.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, Response, StatusCode, header};
use axum::middleware::Next;
use evident_domain::ports::Entropy;
use tracing::Instrument as _;
use uuid::Uuid;

use super::address::TrustedProxies;
use super::cors::Cors;
use super::headers::SecurityHeaders;
use super::origin::{Facts, PeerAddress};
use crate::better_auth::TrustedOrigins;
use crate::config::ServerSettings;

/// What the layer works with.
#[derive(Debug)]
pub struct Edge {
    entropy: Arc<dyn Entropy>,
    request_id_header: Option<HeaderName>,
    proxies: TrustedProxies,
    cors: Cors,
    security: SecurityHeaders,
}

impl Edge {
    /// By the server's settings; `external_url` is where the world reaches it.
    pub fn new(settings: &ServerSettings, external_url: &str, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            request_id_header: settings.request_id_header.clone(),
            proxies: TrustedProxies::new(
                settings.trusted_proxies.clone(),
                settings.address_headers.clone(),
                settings.sb_forwarded_for,
            ),
            cors: Cors::new(settings.cors_allowed_headers.clone()),
            security: SecurityHeaders::new(external_url),
        }
    }

    /// For a surface whose callers send cookies: pages of trusted origins only.
    #[must_use]
    pub fn for_trusted(mut self, origins: Arc<TrustedOrigins>) -> Self {
        self.cors = self.cors.for_trusted(origins);
        self
    }

    fn facts(&self, request: &Request) -> Facts {
        let peer = request.extensions().get::<PeerAddress>().map(|peer| peer.0.ip().to_canonical());
        Facts {
            id: self.request_id(request).unwrap_or_else(|| self.entropy.uuid()),
            ip: peer.map(|peer| self.proxies.client(peer, request.headers())),
            through_proxy: peer.is_some_and(|peer| self.proxies.contain(peer)),
        }
    }

    /// The id that a proxy gave the request, if it is a UUID.
    fn request_id(&self, request: &Request) -> Option<Uuid> {
        let value = request.headers().get(self.request_id_header.as_ref()?)?;
        Uuid::try_parse_ascii(value.as_bytes()).ok()
    }
}

/// The layer.
pub async fn edge(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response<Body> {
    if Cors::is_preflight(request.method(), request.headers()) {
        let mut answer = edge.cors.preflight(request.headers());
        edge.security.apply(answer.headers_mut());
        return answer;
    }
    let started = Instant::now();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let facts = edge.facts(&request);
    request.extensions_mut().insert(facts);

    // Neither the query nor the path as it came: both may hold tokens.
    let span = tracing::info_span!(
        "request",
        id = %facts.id,
        method = method_name(&request),
        path = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str),
    );
    let reads = request.method().is_safe();
    let mut answer = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| log_line(answer.status(), started, reads));
    edge.cors.apply(origin.as_ref(), answer.headers_mut());
    edge.security.apply(answer.headers_mut());
    answer
}

/// The method, if it is a known one: others are the client's own words.
fn method_name(request: &Request) -> &'static str {
    const KNOWN: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"];
    KNOWN.into_iter().find(|known| *known == request.method().as_str()).unwrap_or("-")
}

/// Reads that went well are many and of little interest.
fn log_line(status: StatusCode, started: Instant, reads: bool) {
    let (status_code, micros) = (status.as_u16(), started.elapsed().as_micros());
    if reads && status.is_success() {
        tracing::debug!(status = status_code, micros, "answered");
    } else {
        tracing::info!(status = status_code, micros, "answered");
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Extension;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;
    use crate::ports::SystemEntropy;

    fn app(settings: &ServerSettings) -> Router {
        let edge_state = Arc::new(Edge::new(settings, "https://auth.example.com", Arc::new(SystemEntropy)));
        let show = async |Extension(facts): Extension<Facts>| {
            format!("{} {:?} {}", facts.id, facts.ip, facts.through_proxy)
        };
        Router::new().route("/", get(show)).layer(from_fn_with_state(edge_state, edge))
    }

    async fn ask(settings: &ServerSettings, headers: &[(&str, &str)]) -> (String, axum::http::HeaderMap) {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(PeerAddress("[::ffff:10.0.0.1]:5000".parse().unwrap()));
        let response = app(settings).oneshot(request).await.unwrap();
        let headers = response.headers().clone();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (String::from_utf8(body.to_vec()).unwrap(), headers)
    }

    #[tokio::test]
    async fn a_request_has_an_id_of_its_own_and_the_address_of_its_peer() {
        let settings = ServerSettings::default();
        let (first, headers) =
            ask(&settings, &[("x-forwarded-for", "198.51.100.1"), ("x-request-id", "x")]).await;
        let (second, _) = ask(&settings, &[]).await;
        assert_ne!(first, second);
        assert!(first.ends_with(" Some(10.0.0.1) false"), "{first}");
        assert_eq!(headers[header::VARY], "Origin");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    }

    #[tokio::test]
    async fn a_proxy_gives_the_id_and_the_address() {
        let settings = ServerSettings {
            request_id_header: Some(HeaderName::from_static("x-request-id")),
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            ..ServerSettings::default()
        };
        let id = "7f3f8f58-0000-4000-8000-000000000001";
        let (seen, _) = ask(&settings, &[("x-request-id", id), ("x-forwarded-for", "198.51.100.1")]).await;
        assert_eq!(seen, format!("{id} Some(198.51.100.1) true"));
        let (seen, _) = ask(&settings, &[("x-request-id", "not an id")]).await;
        assert!(!seen.contains("not an id"));
    }
}
