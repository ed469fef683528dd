//! Which path leads where. Everything stands at the root, and again at `/auth/v1`, where the official
//! clients look.

use axum::body::Body;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use super::access::{AdminCaller, UserCaller};
use super::app::App;
use super::error::errors;
use super::{
    admin_users, captcha, discovery, generate_link, invite, logout, openapi, otp, reauthenticate, recover,
    resend, sign_up, token, user, verify, verify_link,
};
use crate::http::methods::Methods;
use crate::http::routes::{Route, Router};

/// The routes of the protocol.
pub fn router(app: App) -> axum::Router {
    let routes = table();
    let described = openapi::document(routes.table()).merge(openapi::page());
    let captcha = from_fn_with_state(app.clone(), captcha::guard);
    let routes = routes.into_inner().layer(captcha);
    axum::Router::new()
        .merge(routes.clone())
        .nest("/auth/v1", routes)
        .merge(described.into_inner())
        .fallback(not_found)
        .layer(from_fn_with_state(app.clone(), errors))
        .with_state(app)
}

/// All of them, once.
pub(super) fn table() -> Router<App> {
    public().merge(own()).merge(admin())
}

/// Whoever asks is answered.
fn public() -> Router<App> {
    let verify = || get(verify_link::open_link).on(Method::POST, verify::verify).or_refuse();
    let sign_up = || post(sign_up::sign_up).or_refuse();
    Router::new()
        .route("/health", get(discovery::health).or_refuse())
        .route("/settings", get(discovery::settings).or_refuse())
        .route("/.well-known/jwks.json", get(discovery::jwks).or_refuse())
        .route("/.well-known/openid-configuration", get(discovery::openid_configuration).or_refuse())
        .route(
            "/.well-known/oauth-authorization-server",
            get(discovery::oauth_authorization_server).or_refuse(),
        )
        .route("/signup", sign_up())
        .route("/signup/", sign_up())
        .route("/token", post(token::token).or_refuse())
        .route("/otp", post(otp::otp).or_refuse())
        .route("/magiclink", post(otp::magic_link).or_refuse())
        .route("/recover", post(recover::recover).or_refuse())
        .route("/resend", post(resend::resend).or_refuse())
        .route("/invite", post(invite::invite).or_refuse())
        .route("/verify", verify())
        .route("/verify/", verify())
}

/// Only for users: who is none hears that before anything about methods and paths.
fn own() -> Router<App> {
    let user = for_users(get(user::show).on(Method::PUT, user::change));
    let reauthenticate = for_users(get(reauthenticate::reauthenticate));
    Router::new()
        .route("/user", user.clone())
        .route("/user/", user)
        .route("/reauthenticate", reauthenticate.clone())
        .route("/reauthenticate/", reauthenticate)
        .route("/user/{*rest}", any(async |_: UserCaller| not_found().await))
        .route("/logout", post(logout::logout).or_refuse())
}

/// Only for administrators, likewise.
fn admin() -> Router<App> {
    let users = get(admin_users::list).on(Method::POST, admin_users::create);
    let one = get(admin_users::show)
        .on(Method::PUT, admin_users::change)
        .on(Method::DELETE, admin_users::delete)
        .on(Method::POST, admin_users::create_at);
    let (users, one) = (for_admins(users), for_admins(one));
    let nothing = || any(async |_: AdminCaller| not_found().await);
    let mut router = Router::new()
        .route("/admin", nothing())
        .route("/admin/", nothing())
        .route("/admin/{*rest}", nothing())
        .route("/admin/generate_link", for_admins(post(generate_link::generate_link)))
        .route("/admin/users", users.clone())
        .route("/admin/users/", users);
    // The singular is how the documents that came first spell it.
    for path in ["/admin/users/{user_id}", "/admin/user/{user_id}"] {
        router = router.route(path, one.clone()).route(&format!("{path}/"), one.clone());
    }
    router
}

fn get<T: 'static>(handler: impl Handler<T, App>) -> Methods<App> {
    Methods::new().on(Method::GET, handler)
}

fn post<T: 'static>(handler: impl Handler<T, App>) -> Methods<App> {
    Methods::new().on(Method::POST, handler)
}

fn for_users(methods: Methods<App>) -> Route<App> {
    let refusal = methods.refusal();
    methods.or_else(async move |_: UserCaller| refusal.clone().into_response())
}

fn for_admins(methods: Methods<App>) -> Route<App> {
    let refusal = methods.refusal();
    methods.or_else(async move |_: AdminCaller| refusal.clone().into_response())
}

/// 404 as Go's router writes it.
pub(super) async fn not_found() -> Response<Body> {
    let mut response = Response::new(Body::from("404 page not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
