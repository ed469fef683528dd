//! Where requests may come from, and where the links may lead that they name.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};
use serde_json::Value;
use url::Url;

use super::app::App;
use super::error::BetterAuthError;
use super::origins::UrlParameter;
use crate::gotrue::params::Params;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Endpoints that open a session, or send something, for whoever asks: they are guarded without cookies,
/// too.
const LOGINS: [&str; 3] = ["/sign-in/email", "/sign-up/email", "/email-otp/send-verification-otp"];

/// A provider's page posts there, whose origin is its own; it is only sent on, to be looked at then.
const PROVIDERS_FORM: &str = "/callback/{id}";

/// Links of mails: the browser comes from nowhere, and the place that it is sent on to is looked at.
const LINKS: [&str; 3] = ["/verify-email", "/reset-password/{token}", "/delete-user/callback"];

/// Checks a request.
pub(super) fn check(
    app: &App,
    parts: &Parts,
    params: &Params,
    body: &Value,
    route: &str,
) -> Result<(), BetterAuthError> {
    let place = &app.options().place;
    let reads = parts.method == Method::GET;
    let guarded = !reads && route != PROVIDERS_FORM;
    if guarded && !place.csrf_check_disabled && !place.origin_check_disabled {
        check_origin(app, &parts.headers, route)?;
    }
    if place.origin_check_disabled || (reads && !LINKS.contains(&route)) {
        return Ok(());
    }
    let of_body = |name: &str| body.get(name).and_then(Value::as_str);
    let named = [
        (UrlParameter::Callback, of_body("callbackURL").or_else(|| params.get("callbackURL"))),
        (UrlParameter::Redirect, of_body("redirectTo")),
        (UrlParameter::ErrorCallback, of_body("errorCallbackURL")),
        (UrlParameter::NewUserCallback, of_body("newUserCallbackURL")),
    ];
    for (parameter, url) in named {
        if let Some(url) = url.filter(|url| !url.is_empty()) {
            app.origins().check(parameter, url)?;
        }
    }
    Ok(())
}

/// Whoever sends cookies along says where they come from.
fn check_origin(app: &App, headers: &HeaderMap, route: &str) -> Result<(), BetterAuthError> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let named = text(&header::ORIGIN).or_else(|| text(&header::REFERER)).filter(|origin| !origin.is_empty());
    let trusted = |origin: &str| {
        // Of a page that sends its whole address, the origin is meant.
        let origin = Url::parse(origin).map_or_else(
            |_| origin.to_owned(),
            |url| match url.scheme() {
                "http" | "https" => url.origin().ascii_serialization(),
                _ => url.to_string(),
            },
        );
        app.origins().trusts(&origin)
    };
    let check = || match named {
        None | Some("null") => {
            Err(BetterAuthError::forbidden("MISSING_OR_NULL_ORIGIN", "Missing or null Origin"))
        }
        Some(origin) if trusted(origin) => Ok(()),
        Some(_) => Err(BetterAuthError::forbidden("INVALID_ORIGIN", "Invalid origin")),
    };
    if headers.contains_key(header::COOKIE) {
        return check();
    }
    if !LOGINS.contains(&route) {
        return Ok(());
    }
    let site = text(&FETCH_SITE).filter(|site| !site.is_empty());
    let mode = text(&FETCH_MODE).filter(|mode| !mode.is_empty());
    let dest = text(&FETCH_DEST).filter(|dest| !dest.is_empty());
    if site == Some("cross-site") && mode == Some("navigate") {
        return Err(BetterAuthError::forbidden(
            "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
            "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
        ));
    }
    // A browser says so; programs without cookies have nothing that another site could use.
    if site.is_some() || mode.is_some() || dest.is_some() || named.is_some() { check() } else { Ok(()) }
}
