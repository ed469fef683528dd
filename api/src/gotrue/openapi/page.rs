//! `GET /openapi.json`, and `GET /swagger`, where people read it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use utoipa_swagger_ui::{Config, Url};

use crate::gotrue::app::App;
use crate::gotrue::reply;
use crate::http::methods::Methods;
use crate::http::routes::{Entry, Router};

/// The page runs its own scripts and asks its own server, and nobody else.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The document of the routes of auditors, as seen from the page.
const AUDIT: &str = "../audit/openapi.json";

/// The document of these routes.
pub(in crate::gotrue) fn document(routes: &[Entry]) -> Router<App> {
    // Plain data always writes.
    let bytes = Bytes::from(super::describe(routes).to_json().unwrap_or_default());
    let show = async move || reply::json_bytes(bytes.clone());
    Router::new().route("/openapi.json", Methods::new().on(Method::GET, show).or_refuse())
}

/// The page, for this protocol, for the other one, which stands at its base path, and for auditors.
pub(in crate::gotrue) fn page(better_auth: &str) -> Router<App> {
    // Relative, so that it holds behind a proxy that puts something in front.
    let other: Arc<str> = format!("..{better_auth}/open-api/generate-schema").into();
    let index = {
        let other = other.clone();
        async move || file("index.html", &other).await
    };
    let rest = async move |Path(path): Path<String>| file(&path, &other).await;
    Router::new()
        .route("/swagger", Methods::new().on(Method::GET, to_folder).or_refuse())
        .route("/swagger/", Methods::new().on(Method::GET, index).or_refuse())
        .route("/swagger/{*path}", Methods::new().on(Method::GET, rest).or_refuse())
}

/// The page names its files relative to its folder.
async fn to_folder() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("swagger/"));
    response
}

async fn file(path: &str, other: &str) -> Response<Body> {
    let documents = [
        Url::with_primary("Supabase Auth", "../openapi.json", true),
        Url::new("Better Auth", other),
        Url::new("Reading the log", AUDIT),
    ];
    let config = Config::new(documents).validator_url("none").try_it_out_enabled(true);
    let Ok(Some(file)) = utoipa_swagger_ui::serve(path, Arc::new(config)) else {
        return crate::gotrue::routes::not_found().await;
    };
    let mut response = Response::new(Body::from(file.bytes.into_owned()));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value| headers.insert(name, value);
    if let Ok(kind) = HeaderValue::from_str(&file.content_type) {
        set(header::CONTENT_TYPE, kind);
    }
    set(header::CONTENT_SECURITY_POLICY, CONTENT_POLICY);
    response
}
