//! Which path leads where. Everything stands at the root, and again at `/auth/v1`, where the official
//! clients look.

use axum::Router;
use axum::body::Body;
use axum::handler::Handler;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use super::access::{AdminCaller, UserCaller};
use super::app::App;
use super::error::errors;
use super::{
    admin_users, authorize, callback, custom_providers, discovery, generate_link, identities, invite, logout,
    otp, reauthenticate, recover, resend, sign_up, token, user, verify, verify_link,
};
use crate::http::methods::Methods;

/// The routes of the protocol.
pub fn router(app: App) -> Router {
    let routes = public().merge(own()).merge(admin());
    Router::new()
        .merge(routes.clone())
        .nest("/auth/v1", routes)
        .fallback(not_found)
        .layer(from_fn_with_state(app.clone(), errors))
        .with_state(app)
}

/// Whoever asks is answered.
fn public() -> Router<App> {
    let verify = || get(verify_link::open_link).on(Method::POST, verify::verify).or_refuse();
    let sign_up = || post(sign_up::sign_up).or_refuse();
    let callback = || get(callback::by_link).on(Method::POST, callback::by_form).or_refuse();
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
        .route("/authorize", get(authorize::authorize).or_refuse())
        .route("/callback", callback())
        .route("/callback/", callback())
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
    let link = for_users(get(authorize::link));
    let unlink = for_users(Methods::new().on(Method::DELETE, identities::unlink));
    Router::new()
        .route("/user/identities/authorize", link)
        .route("/user/identities/{identity_id}", unlink)
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
    let providers = get(custom_providers::list).on(Method::POST, custom_providers::create);
    let provider = get(custom_providers::show)
        .on(Method::PUT, custom_providers::change)
        .on(Method::DELETE, custom_providers::delete);
    let (providers, provider) = (for_admins(providers), for_admins(provider));
    for end in ["", "/"] {
        router = router
            .route(&format!("/admin/custom-providers{end}"), providers.clone())
            .route(&format!("/admin/custom-providers/{{identifier}}{end}"), provider.clone());
    }
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

fn for_users(methods: Methods<App>) -> axum::routing::MethodRouter<App> {
    let refusal = methods.refusal();
    methods.or_else(async move |_: UserCaller| refusal.clone().into_response())
}

fn for_admins(methods: Methods<App>) -> axum::routing::MethodRouter<App> {
    let refusal = methods.refusal();
    methods.or_else(async move |_: AdminCaller| refusal.clone().into_response())
}

/// 404 as Go's router writes it.
async fn not_found() -> Response<Body> {
    let mut response = Response::new(Body::from("404 page not found\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
