//! Which path leads where, below [`super::BASE_PATH`].

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::IntoResponse as _;

use super::access::AuditorCaller;
use super::app::App;
use super::error::AuditError;
use super::{erasures, events, openapi, proofs, stream, timelines, users};
use crate::http::guard::guarded;
use crate::http::methods::Methods;
use crate::http::routes::{Route, Router};

/// The routes, and the document that describes them.
pub fn router(app: App) -> axum::Router {
    let routes = table();
    let described = openapi::routes(routes.table());
    routes
        .merge(described)
        .fallback(async |_: AuditorCaller| AuditError::not_found("there is no such path"))
        .into_inner()
        .layer(from_fn_with_state(app.clone(), guard))
        .with_state(app)
}

/// All of them, once. The document's own is not among them.
pub(super) fn table() -> Router<App> {
    Router::new()
        .merge(events::routes())
        .merge(timelines::routes())
        .merge(users::routes())
        .merge(stream::routes())
        .merge(proofs::routes())
        .merge(erasures::routes())
}

/// Only for auditors: who is none hears that before anything about methods.
pub(super) fn for_auditors(methods: Methods<App>) -> Route<App> {
    let refusal = methods.refusal();
    methods.or_else(async move |_: AuditorCaller| {
        let mut response = refusal.clone().into_response();
        let message = "the path does not take this method";
        let error = AuditError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
        let (parts, body) = error.into_response().into_parts();
        *response.body_mut() = body;
        response.headers_mut().extend(parts.headers);
        response
    })
}

/// For everybody.
pub(super) fn public(methods: Methods<App>) -> Route<App> {
    methods.or_refuse()
}

/// `GET`, and nothing else.
pub(super) fn get<T: 'static>(handler: impl axum::handler::Handler<T, App>) -> Methods<App> {
    Methods::new().on(Method::GET, handler)
}

/// No request takes for ever until it begins to answer, and none takes the server down.
async fn guard(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    match guarded(app.time_limit(), next.run(request)).await {
        Ok(response) => response,
        Err(fault) => AuditError::from(fault).into_response(),
    }
}
