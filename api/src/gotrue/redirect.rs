//! Sending browsers on: to a provider, and back to the application with what came of it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use evident_commands::Grant;
use evident_domain::flow::ProviderTokens;
use url::form_urlencoded::Serializer;

use super::error::{ErrorCode, GotrueError};
use super::link_page::escaped;

/// Fields of a query or a fragment, in alphabetical order, as Go writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// With a field more.
    #[must_use]
    pub(super) fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// What went wrong, as OAuth says it (RFC 6749, 4.1.2.1).
    pub(super) fn of_error(error: &GotrueError) -> Self {
        Self::default()
            .with("error", oauth_error(error))
            .with("error_code", error.code().as_str())
            .with("error_description", error.message())
    }

    /// A session, and what the provider handed out.
    pub(super) fn of_session(grant: &Grant, tokens: &ProviderTokens) -> Self {
        let fields = Self::default()
            .with("access_token", &grant.access_token)
            .with("expires_at", grant.expires_at.to_string())
            .with("expires_in", grant.expires_in.to_string())
            .with("provider_token", &tokens.access_token)
            .with("refresh_token", grant.refresh_token.expose())
            .with("sb", "")
            .with("token_type", "bearer");
        match &tokens.refresh_token {
            Some(token) => fields.with("provider_refresh_token", token),
            None => fields,
        }
    }

    fn written(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// An address with the fields in its query, in place of equal ones. Its fragment goes.
    pub(super) fn in_query_of(&self, target: &str) -> String {
        let target = target.split('#').next().unwrap_or_default();
        let (base, query) = target.split_once('?').unwrap_or((target, ""));
        let mut all = Self::default();
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            all = all.with(&key, value);
        }
        all.0.extend(self.0.clone());
        format!("{base}?{}", all.written())
    }

    /// An address with the fields as its fragment.
    pub(super) fn in_fragment_of(&self, target: &str) -> String {
        format!("{}#{}", target.split('#').next().unwrap_or_default(), self.written())
    }
}

/// OAuth's word for what went wrong.
fn oauth_error(error: &GotrueError) -> &'static str {
    match (error.code(), error.status()) {
        (
            ErrorCode::SignupDisabled | ErrorCode::UserBanned | ErrorCode::ProviderEmailNeedsVerification,
            _,
        )
        | (_, StatusCode::FORBIDDEN) => "access_denied",
        (_, StatusCode::BAD_REQUEST) => "invalid_request",
        (_, StatusCode::UNAUTHORIZED) => "unauthorized_client",
        (_, StatusCode::SERVICE_UNAVAILABLE) => "temporarily_unavailable",
        _ => "server_error",
    }
}

/// Sends on, with a page for browsers that do not follow.
pub(super) fn send_on(
    status: StatusCode,
    method: &Method,
    location: &str,
) -> Result<Response<Body>, GotrueError> {
    let escaped = escaped(location);
    let location = HeaderValue::from_str(location)
        .map_err(|_| GotrueError::validation("The redirect target cannot stand in a header"))?;
    let word = if status == StatusCode::FOUND { "Found" } else { "See Other" };
    let page = method == Method::GET;
    let body =
        if page { Body::from(format!("<a href=\"{escaped}\">{word}</a>.\n\n")) } else { Body::empty() };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if page {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, html);
    }
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_go_behind_what_an_address_says_already() {
        let fields = Fields::default().with("code", "a b").with("error", "x&y");
        assert_eq!(fields.in_query_of("https://a/cb"), "https://a/cb?code=a+b&error=x%26y");
        assert_eq!(
            fields.in_query_of("https://a/cb?z=1&code=old#f"),
            "https://a/cb?code=a+b&error=x%26y&z=1"
        );
        assert_eq!(fields.in_fragment_of("https://a/cb?z=1#f"), "https://a/cb?z=1#code=a+b&error=x%26y");
    }

    #[test]
    fn errors_have_oauth_s_words() {
        for (error, word) in [
            (GotrueError::validation("x"), "invalid_request"),
            (GotrueError::forbidden(ErrorCode::UserBanned, "x"), "access_denied"),
            (GotrueError::unprocessable(ErrorCode::SignupDisabled, "x"), "access_denied"),
            (GotrueError::unprocessable(ErrorCode::ProviderEmailNeedsVerification, "x"), "access_denied"),
            (GotrueError::unprocessable(ErrorCode::IdentityAlreadyExists, "x"), "server_error"),
        ] {
            assert_eq!(oauth_error(&error), word);
        }
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_refused_and_pages_are_escaped() {
        assert!(send_on(StatusCode::FOUND, &Method::GET, "http://x/\r\nSet-Cookie: a").is_err());
        let response = send_on(StatusCode::FOUND, &Method::POST, "http://x/?a=\"'<").unwrap();
        assert_eq!(response.headers()[header::LOCATION], "http://x/?a=\"'<");
        assert!(!response.headers().contains_key(header::CONTENT_TYPE));
    }
}
