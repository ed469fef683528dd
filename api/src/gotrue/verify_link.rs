//! `GET /verify`: the links in mails. Whoever opens one is sent on to the application, with a session or
//! an error in the fragment, which browsers do not send to servers.

use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Response, StatusCode};
use evident_commands::{Grant, Verified, Verify, VerifyEnd, VerifyProof};
use evident_domain::Actor;
use url::form_urlencoded::Serializer;

use super::app::{App, Bucket};
use super::error::GotrueError;
use super::incoming::Incoming;
use super::link_page;
use super::redirect::send_on;
use super::reply;
use super::verify::{HALFWAY, MessageType, link_expired, refusal};

/// Confirms an address and sends on.
pub(super) async fn open_link(
    State(app): State<App>,
    incoming: Incoming,
) -> Result<Response<Body>, GotrueError> {
    app.limit(Bucket::Verify, &incoming)?;
    let param = |key| incoming.params.get(key).filter(|value| !value.is_empty());
    let kind = param("type").ok_or_else(|| GotrueError::validation("Verify requires a verification type"))?;
    let token =
        param("token").ok_or_else(|| GotrueError::validation("Verify requires a token or a token hash"))?;
    if app.settings().mail.links_ask_first && !link_page::was_pressed(&incoming.params) {
        return Ok(link_page::page(&incoming.params));
    }
    let target = incoming.redirect_to(&app).unwrap_or_else(|| app.redirects().site_url().to_owned());
    // A session goes behind whatever the target says; other news replace its fragment.
    let bare = target.split('#').next().unwrap_or_default();
    let of_flow = token.starts_with("pkce_");
    match proven(&app, &incoming, kind, token).await {
        Ok(Verified::In(grant)) => {
            let mut response = see_other(&format!("{target}#{}", session_fragment(&grant, kind)))?;
            reply::name_session(response.headers_mut(), &grant);
            Ok(response)
        }
        Ok(Verified::Code(code)) => see_other(&with_query(&target, &[("code", &code.to_string())])),
        Ok(Verified::Halfway) => {
            let news = [("message", HALFWAY)];
            let bare = if of_flow { with_query(bare, &news) } else { bare.to_owned() };
            see_other(&format!("{bare}#{}", message_fragment(HALFWAY)))
        }
        // The log is told by the layer that writes errors, so they go the usual way.
        Err(error) if error.status().is_server_error() => Err(error),
        Err(error) => {
            let news = error_pairs(&error);
            let bare = if of_flow { with_query(bare, &news) } else { bare.to_owned() };
            see_other(&format!("{bare}#{}", error_fragment(&error)))
        }
    }
}

/// A target with more in its query. As Go's library writes it: the keys are sorted; a fragment stays behind.
fn with_query(target: &str, more: &[(&'static str, &str)]) -> String {
    let (address, fragment) = match target.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (target, None),
    };
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let news = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .filter(|(key, _)| !more.iter().any(|(new, _)| new == key))
        .chain(news)
        .collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{path}?{query}{fragment}")
}

async fn proven(app: &App, incoming: &Incoming, kind: &str, token: &str) -> Result<Verified, GotrueError> {
    let Some(kind) = MessageType::parse(kind).filter(|kind| kind.has_link()) else {
        return Err(GotrueError::validation("Invalid email verification type"));
    };
    let proof = VerifyProof::LinkToken(token.to_owned());
    let wanted = Verify { kind: kind.kind(), proof, end: VerifyEnd::Browser };
    let verified = app.commands().verify(&incoming.context(Actor::Visitor), wanted).await;
    verified.map_err(|error| refusal(error, link_expired()))
}

fn session_fragment(grant: &Grant, kind: &str) -> String {
    Serializer::new(String::new())
        .append_pair("access_token", &grant.access_token)
        .append_pair("expires_at", &grant.expires_at.to_string())
        .append_pair("expires_in", &grant.expires_in.to_string())
        .append_pair("refresh_token", grant.refresh_token.expose())
        .append_pair("sb", "")
        .append_pair("token_type", "bearer")
        .append_pair("type", kind)
        .finish()
}

fn message_fragment(message: &str) -> String {
    Serializer::new(String::new()).append_pair("message", message).append_pair("sb", "").finish()
}

fn error_pairs(error: &GotrueError) -> Vec<(&'static str, &str)> {
    let kind = oauth_error(error.status()).map(|kind| ("error", kind));
    let rest = [("error_code", error.code().as_str()), ("error_description", error.message())];
    kind.into_iter().chain(rest).collect()
}

fn error_fragment(error: &GotrueError) -> String {
    Serializer::new(String::new()).extend_pairs(error_pairs(error)).append_pair("sb", "").finish()
}

/// OAuth's word for a status (RFC 6749, 4.1.2.1), as far as it has one.
fn oauth_error(status: StatusCode) -> Option<&'static str> {
    Some(match status {
        StatusCode::BAD_REQUEST => "invalid_request",
        StatusCode::UNAUTHORIZED => "unauthorized_client",
        StatusCode::FORBIDDEN => "access_denied",
        StatusCode::INTERNAL_SERVER_ERROR => "server_error",
        StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        _ => return None,
    })
}

/// 303, with a page for whoever does not follow.
fn see_other(location: &str) -> Result<Response<Body>, GotrueError> {
    send_on(StatusCode::SEE_OTHER, &Method::GET, location)
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn errors_stand_in_the_fragment() {
        assert_eq!(
            error_fragment(&link_expired()),
            "error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired&sb="
        );
        assert_eq!(
            error_fragment(&GotrueError::validation("Invalid email verification type")),
            "error=invalid_request&error_code=validation_failed&error_description=Invalid+email+verification+type&sb="
        );
    }

    #[test]
    fn a_code_joins_the_query_of_the_target() {
        let code = [("code", "c0de")];
        for (target, expected) in [
            ("https://app.example", "https://app.example?code=c0de"),
            ("https://app.example/in?z=1&a=b%20c", "https://app.example/in?a=b+c&code=c0de&z=1"),
            ("https://app.example/?code=old#top", "https://app.example/?code=c0de#top"),
        ] {
            assert_eq!(with_query(target, &code), expected);
        }
    }

    #[test]
    fn the_first_of_two_confirmations_is_a_message() {
        assert_eq!(
            message_fragment(HALFWAY),
            "message=Confirmation+link+accepted.+Please+proceed+to+confirm+link+sent+to+the+other+email&sb="
        );
    }

    #[test]
    fn whoever_opens_a_link_is_sent_on() {
        let response = see_other("http://localhost:3000/welcome?a=1&b=2#x='\"").unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "http://localhost:3000/welcome?a=1&b=2#x='\"");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        assert!(see_other("http://x/\r\nSet-Cookie: a").is_err());
    }
}
