//! Requests from pages of other origins (the Fetch standard, section 3.2).
//!
//! Where tokens travel in a header, never in cookies, any origin may call; where cookies come along, only those
//! that the owner trusts. `apikey` is allowed beside the
//! headers that Supabase Auth lists: `supabase-js` sends it with every call.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use crate::better_auth::TrustedOrigins;

/// Methods that pages may use.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// Headers that pages may send, in lower case.
const HEADERS: [&str; 9] = [
    "accept",
    "apikey",
    "authorization",
    "content-type",
    "x-client-info",
    "x-client-ip",
    "x-jwt-aud",
    "x-supabase-api-version",
    "x-use-cookie",
];

const ANY: HeaderValue = HeaderValue::from_static("*");
const YES: HeaderValue = HeaderValue::from_static("true");
const EXPOSED: HeaderValue = HeaderValue::from_static("X-Total-Count, Link, X-Supabase-Api-Version");
const EXPOSED_TO_TRUSTED: HeaderValue = HeaderValue::from_static("set-auth-token, x-retry-after");
const VARY: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// What pages of other origins may do.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    more_headers: Vec<HeaderName>,
    /// Who may call with cookies; none: anybody may call, without.
    trusted: Option<Arc<TrustedOrigins>>,
}

impl Cors {
    /// With headers that pages may send besides the usual ones.
    pub fn new(more_headers: Vec<HeaderName>) -> Self {
        Self { more_headers, trusted: None }
    }

    /// For pages of these origins only, which send cookies along.
    #[must_use]
    pub fn for_trusted(mut self, origins: Arc<TrustedOrigins>) -> Self {
        self.trusted = Some(origins);
        self
    }

    /// What a page of an origin is told of who may call; none: it may not.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match &self.trusted {
            None => Some(ANY),
            Some(trusted) => origin.to_str().is_ok_and(|text| trusted.trusts(text)).then(|| origin.clone()),
        }
    }

    /// Whether a browser asks before it sends the real request.
    pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The answer to a browser that asks. What is not allowed gets no permission at all, as from
    /// Supabase Auth.
    pub fn preflight(&self, asked: &HeaderMap) -> Response<Body> {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        let headers = answer.headers_mut();
        headers.insert(header::VARY, VARY_PREFLIGHT);
        let method = asked.get(header::ACCESS_CONTROL_REQUEST_METHOD);
        let wanted = asked.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
        let Some(allowed) = asked.get(header::ORIGIN).and_then(|origin| self.allowed(origin)) else {
            return answer;
        };
        if !method.is_some_and(is_method) || !wanted.is_none_or(|list| self.are_headers(list)) {
            return answer;
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
        if let Some(method) = method {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        }
        if let Some(list) = wanted.filter(|list| !list.is_empty()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, list.clone());
        }
        answer
    }

    /// Lets the page read an answer.
    pub fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        headers.insert(header::VARY, VARY);
        if let Some(allowed) = origin.and_then(|origin| self.allowed(origin)) {
            let exposed = if self.trusted.is_some() { EXPOSED_TO_TRUSTED } else { EXPOSED };
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    fn are_headers(&self, list: &HeaderValue) -> bool {
        list.to_str().is_ok_and(|list| {
            list.split(',').map(str::trim).filter(|name| !name.is_empty()).all(|name| {
                HEADERS.iter().any(|allowed| name.eq_ignore_ascii_case(allowed))
                    || self.more_headers.iter().any(|allowed| name.eq_ignore_ascii_case(allowed.as_str()))
            })
        })
    }
}

fn is_method(name: &HeaderValue) -> bool {
    METHODS.iter().any(|method| method.as_str().as_bytes() == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight(cors: &Cors, method: &'static str, wanted: Option<&'static str>) -> HeaderMap {
        let mut asked = HeaderMap::new();
        asked.insert(header::ORIGIN, HeaderValue::from_static("http://localhost:3000"));
        asked.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static(method));
        if let Some(wanted) = wanted {
            asked.insert(header::ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static(wanted));
        }
        let answer = cors.preflight(&asked);
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()[header::VARY], VARY_PREFLIGHT);
        answer.headers().clone()
    }

    #[test]
    fn what_supabase_js_sends_is_allowed() {
        let sent = "apikey,authorization,content-type,x-client-info,x-supabase-api-version";
        let answer = preflight(&Cors::default(), "POST", Some(sent));
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_METHODS], "POST");
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_HEADERS], sent);
        assert!(!answer.contains_key(header::ACCESS_CONTROL_EXPOSE_HEADERS));
    }

    #[test]
    fn one_thing_that_is_not_allowed_takes_all_permission_away() {
        let none = |answer: HeaderMap| !answer.keys().any(|name| name.as_str().starts_with("access-control"));
        assert!(none(preflight(&Cors::default(), "TRACE", None)));
        assert!(none(preflight(&Cors::default(), "POST", Some("content-type,x-else"))));
        assert!(!none(preflight(&Cors::default(), "DELETE", None)));
        let wider = Cors::new(vec![HeaderName::from_static("x-else")]);
        assert!(!none(preflight(&wider, "POST", Some("Content-Type, X-Else"))));
    }

    #[test]
    fn only_options_with_a_wanted_method_is_a_preflight() {
        let mut headers = HeaderMap::new();
        assert!(!Cors::is_preflight(&Method::OPTIONS, &headers));
        headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT"));
        assert!(Cors::is_preflight(&Method::OPTIONS, &headers));
        assert!(!Cors::is_preflight(&Method::POST, &headers));
    }

    #[test]
    fn where_cookies_come_along_only_trusted_pages_may_call() {
        let origins = TrustedOrigins::new("https://auth.example.com", ["http://localhost:3000"]);
        let cors = Cors::default().for_trusted(Arc::new(origins));
        let answer = preflight(&cors, "POST", Some("content-type"));
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "http://localhost:3000");
        let applied = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            cors.apply(Some(&HeaderValue::from_static(origin)), &mut headers);
            headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
        };
        assert_eq!(applied("https://auth.example.com").unwrap(), "https://auth.example.com");
        assert_eq!(applied("https://evil.example.net"), None);
        assert_eq!(applied("null"), None);
    }

    #[test]
    fn answers_tell_that_they_depend_on_the_origin() {
        let mut headers = HeaderMap::new();
        Cors::default().apply(None, &mut headers);
        assert_eq!((headers.len(), &headers[header::VARY]), (1, &VARY));
        let origin = HeaderValue::from_static("http://localhost:3000");
        Cors::default().apply(Some(&origin), &mut headers);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
    }
}
