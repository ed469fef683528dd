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
use super::oauth::{self, OAuthServer};
use super::{
    admin_factors, admin_users, audit, authorize, callback, captcha, custom_providers, discovery, factors,
    generate_link, identities, invite, logout, openapi, otp, passkeys, reauthenticate, recover, resend, scim,
    sign_up, sso_providers, token, user, verify, verify_link,
};
use crate::http::methods::Methods;
use crate::http::routes::{Route, Router};

/// The routes of the protocol.
pub fn router(app: App, better_auth: &str) -> axum::Router {
    let routes = table();
    let described = openapi::document(routes.table()).merge(openapi::page(better_auth));
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
    public().merge(oauth()).merge(own()).merge(admin()).merge(provisioning())
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

/// The OAuth server. Where it is off, that is heard before anything about methods and paths.
fn oauth() -> Router<App> {
    let nothing = || any(async |_: OAuthServer| not_found().await);
    Router::new()
        .route("/oauth", nothing())
        .route("/oauth/{*rest}", nothing())
        .route("/oauth/clients/register", where_on(post(oauth::clients::register_itself)))
        .route("/oauth/authorize", where_on(get(oauth::authorize::authorize)))
        .route("/oauth/authorizations/{authorization_id}", where_on(get(oauth::authorizations::show)))
        .route(
            "/oauth/authorizations/{authorization_id}/consent",
            where_on(post(oauth::authorizations::decide)),
        )
        .route("/oauth/token", where_on(post(oauth::token::token)))
        .route("/oauth/userinfo", where_on(get(oauth::user_info::user_info)))
}

/// What organizations connect; all of it can be off.
fn provisioning() -> Router<App> {
    let gated = |methods: Methods<App>| {
        let refusal = methods.refusal();
        methods.or_else(async move |_: scim::ScimOn| refusal.clone().into_response())
    };
    let saml =
        |method| Methods::new().on(method, sso_providers::saml_is_off).or_else(sso_providers::saml_is_off);
    Router::new()
        .route("/sso", saml(Method::POST))
        .route("/sso/", saml(Method::POST))
        .route("/sso/saml/metadata", saml(Method::GET))
        .route("/sso/saml/acs", saml(Method::POST))
        .route("/sso/{*rest}", any(sso_providers::saml_is_off))
        .route("/scim/v2/ServiceProviderConfig", gated(get(scim::service_provider_config)))
        .route("/scim/v2/ResourceTypes", gated(get(scim::nothing_to_list)))
        .route("/scim/v2/Schemas", gated(get(scim::nothing_to_list)))
        .route("/scim/v2", any(scim::not_there))
        .route("/scim/v2/", any(scim::not_there))
        .route("/scim/v2/{*rest}", any(scim::not_there))
}

/// Only for users: who is none hears that before anything about methods and paths.
fn own() -> Router<App> {
    let user = for_users(get(user::show).on(Method::PUT, user::change));
    let reauthenticate = for_users(get(reauthenticate::reauthenticate));
    let link = for_users(get(authorize::link));
    let unlink = for_users(Methods::new().on(Method::DELETE, identities::unlink));
    let grants = for_users(get(oauth::grants::list).on(Method::DELETE, oauth::grants::revoke));
    Router::new()
        .route("/user/identities/authorize", link)
        .route("/user/identities/{identity_id}", unlink)
        .route("/user", user.clone())
        .route("/user/", user)
        .route("/reauthenticate", reauthenticate.clone())
        .route("/reauthenticate/", reauthenticate)
        .route("/user/oauth/grants", grants)
        .route("/user/{*rest}", any(async |_: UserCaller| not_found().await))
        .route("/logout", post(logout::logout).or_refuse())
        .merge(factors())
        .merge(passkeys())
}

/// The caller's second factors: a user first, likewise.
fn factors() -> Router<App> {
    let for_users = |methods: Methods<App>| {
        let refusal = methods.refusal();
        methods.or_else(async move |_: UserCaller| refusal.clone().into_response())
    };
    let all = || for_users(post(factors::enroll));
    let one = || for_users(Methods::new().on(Method::DELETE, factors::remove));
    let nothing = || any(async |_: UserCaller| not_found().await);
    Router::new()
        .route("/factors", all())
        .route("/factors/", all())
        .route("/factors/{factor_id}/{*rest}", nothing())
        .route("/factors/{factor_id}", one())
        .route("/factors/{factor_id}/", one())
        .route("/factors/{factor_id}/challenge", for_users(post(factors::challenge)))
        .route("/factors/{factor_id}/verify", for_users(post(factors::verify)))
}

/// Passkeys: where they are off, that is all that is told.
fn passkeys() -> Router<App> {
    let gated = |methods: Methods<App>| {
        let refusal = methods.refusal();
        methods.or_else(async move |_: passkeys::Enabled| refusal.clone().into_response())
    };
    let for_users = |methods: Methods<App>| {
        let refusal = methods.refusal();
        methods.or_else(async move |_: passkeys::Enabled, _: UserCaller| refusal.clone().into_response())
    };
    let all = || for_users(get(passkeys::list));
    let one =
        || for_users(Methods::new().on(Method::PATCH, passkeys::rename).on(Method::DELETE, passkeys::remove));
    let nothing = || any(async |_: passkeys::Enabled| not_found().await);
    Router::new()
        .route("/passkeys", all())
        .route("/passkeys/", all())
        .route("/passkeys/{passkey_id}", one())
        .route("/passkeys/{passkey_id}/", one())
        .route("/passkeys/{passkey_id}/{*rest}", nothing())
        .route("/passkeys/registration/options", for_users(post(passkeys::ask_new)))
        .route("/passkeys/registration/verify", for_users(post(passkeys::add)))
        .route("/passkeys/authentication/options", gated(post(passkeys::ask)))
        .route("/passkeys/authentication/verify", gated(post(passkeys::sign_in)))
}

/// Only for administrators, likewise.
fn admin() -> Router<App> {
    let users = get(admin_users::list).on(Method::POST, admin_users::create);
    let one = get(admin_users::show)
        .on(Method::PUT, admin_users::change)
        .on(Method::DELETE, admin_users::delete)
        .on(Method::POST, admin_users::create_at);
    let (users, one) = (for_admins(users), for_admins(one));
    let audit = for_admins(get(audit::list));
    let sso = for_admins(get(sso_providers::list).on(Method::POST, sso_providers::register));
    let one_sso = for_admins(
        get(sso_providers::show)
            .on(Method::PUT, sso_providers::change)
            .on(Method::DELETE, sso_providers::remove),
    );
    let nothing = || any(async |_: AdminCaller| not_found().await);
    let mut router = Router::new()
        .route("/admin", nothing())
        .route("/admin/", nothing())
        .route("/admin/{*rest}", nothing())
        .route("/admin/generate_link", for_admins(post(generate_link::generate_link)))
        .route("/admin/users", users.clone())
        .route("/admin/users/", users)
        .route("/admin/audit", audit.clone())
        .route("/admin/audit/", audit)
        .route("/admin/sso/providers", sso.clone())
        .route("/admin/sso/providers/", sso)
        .route("/admin/sso/providers/{idp_id}", one_sso.clone())
        .route("/admin/sso/providers/{idp_id}/", one_sso);
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
    let clients = for_admins(get(oauth::clients::list).on(Method::POST, oauth::clients::create));
    let client = for_admins(
        get(oauth::clients::show)
            .on(Method::PUT, oauth::clients::change)
            .on(Method::DELETE, oauth::clients::delete),
    );
    router = router
        .route("/admin/oauth/clients", clients.clone())
        .route("/admin/oauth/clients/", clients)
        .route("/admin/oauth/clients/{client_id}", client.clone())
        .route("/admin/oauth/clients/{client_id}/", client)
        .route(
            "/admin/oauth/clients/{client_id}/regenerate_secret",
            for_admins(post(oauth::clients::regenerate_secret)),
        );
    // The singular is how the documents that came first spell it.
    let factors = for_admins(get(admin_factors::list));
    let factor =
        Methods::new().on(Method::PUT, admin_factors::change).on(Method::DELETE, admin_factors::remove);
    let factor = for_admins(factor);
    let passkeys = for_admins(get(passkeys::list_of));
    let passkey = for_admins(Methods::new().on(Method::DELETE, passkeys::remove_of));
    for path in ["/admin/users/{user_id}", "/admin/user/{user_id}"] {
        for (rest, route) in [
            ("", &one),
            ("/factors", &factors),
            ("/factors/{factor_id}", &factor),
            ("/passkeys", &passkeys),
            ("/passkeys/{passkey_id}", &passkey),
        ] {
            let path = format!("{path}{rest}");
            router = router.route(&path, route.clone()).route(&format!("{path}/"), route.clone());
        }
    }
    router
}

fn get<T: 'static>(handler: impl Handler<T, App>) -> Methods<App> {
    Methods::new().on(Method::GET, handler)
}

fn post<T: 'static>(handler: impl Handler<T, App>) -> Methods<App> {
    Methods::new().on(Method::POST, handler)
}

fn where_on(methods: Methods<App>) -> Route<App> {
    let refusal = methods.refusal();
    methods.or_else(async move |_: OAuthServer| refusal.clone().into_response())
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
