//! Requests from pages of other origins (the Fetch standard, section 3.2).
//!
//! Tokens travel in a header, never in cookies, so any origin may call. `apikey` is allowed beside the
//! headers that Supabase Auth lists: `supabase-js` sends it with every call.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

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
const VARY: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Method, Access-Control-Request-Headers");

/// What pages of other origins may do.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    more_headers: Vec<HeaderName>,
}

impl Cors {
    /// With headers that pages may send besides the usual ones.
    pub fn new(more_headers: Vec<HeaderName>) -> Self {
        Self { more_headers }
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
        if !asked.contains_key(header::ORIGIN)
            || !method.is_some_and(is_method)
            || !wanted.is_none_or(|list| self.are_headers(list))
        {
            return answer;
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
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
    pub fn apply(&self, with_origin: bool, headers: &mut HeaderMap) {
        headers.insert(header::VARY, VARY);
        if with_origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, YES);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
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
    fn answers_tell_that_they_depend_on_the_origin() {
        let mut headers = HeaderMap::new();
        Cors::default().apply(false, &mut headers);
        assert_eq!((headers.len(), &headers[header::VARY]), (1, &VARY));
        Cors::default().apply(true, &mut headers);
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS], EXPOSED);
    }
}
