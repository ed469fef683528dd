//! Documents that do not change while the server runs: they are written once, at the start.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Response, header};
use evident_commands::settings::Settings;
use evident_commands::tokens::SigningKeys;
use serde::Serialize;

use super::app::App;
use super::oauth::OAuthServer;
use super::reply;
use super::settings::{HealthDocument, SettingsDocument};

/// Keys and endpoints may be kept for ten minutes.
const KEEP: HeaderValue = HeaderValue::from_static("public, max-age=600");

/// The documents, as bytes.
#[derive(Debug)]
pub(super) struct Discovery {
    health: Bytes,
    settings: Bytes,
    jwks: Bytes,
    openid: Bytes,
}

impl Discovery {
    pub(super) fn new(settings: &Settings, keys: &SigningKeys) -> Self {
        Self {
            health: written(&HealthDocument::new()),
            settings: written(&SettingsDocument::of(settings)),
            jwks: written(keys.jwks()),
            openid: written(&OpenIdConfiguration::of(settings, keys.public_algorithm())),
        }
    }
}

fn written(document: &impl Serialize) -> Bytes {
    // Plain data always writes.
    serde_json::to_vec(document).unwrap_or_default().into()
}

/// `GET /health`
pub(super) async fn health(State(app): State<App>) -> Response<Body> {
    reply::json_bytes(app.discovery().health.clone())
}

/// `GET /settings`
pub(super) async fn settings(State(app): State<App>) -> Response<Body> {
    reply::json_bytes(app.discovery().settings.clone())
}

/// `GET /.well-known/jwks.json`
pub(super) async fn jwks(State(app): State<App>) -> Response<Body> {
    kept(app.discovery().jwks.clone())
}

/// `GET /.well-known/openid-configuration`
pub(super) async fn openid_configuration(State(app): State<App>) -> Response<Body> {
    kept(app.discovery().openid.clone())
}

/// `GET /.well-known/oauth-authorization-server`
pub(super) async fn oauth_authorization_server(State(app): State<App>, _: OAuthServer) -> Response<Body> {
    kept(app.discovery().openid.clone())
}

fn kept(document: Bytes) -> Response<Body> {
    let mut response = reply::json_bytes(document);
    response.headers_mut().insert(header::CACHE_CONTROL, KEEP);
    response
}

/// OpenID Connect Discovery 1.0, section 3.
#[derive(Serialize)]
struct OpenIdConfiguration<'a> {
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    scopes_supported: [&'static str; 5],
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 3],
    claims_supported: [&'static str; 15],
    code_challenge_methods_supported: [&'static str; 2],
}

impl<'a> OpenIdConfiguration<'a> {
    /// Of a server whose tokens others can check by an algorithm; none: they cannot, and there are no ID
    /// tokens.
    fn of(settings: &'a Settings, algorithm: Option<&'static str>) -> Self {
        let (issuer, oauth) = (settings.issuer(), &settings.oauth_server);
        let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
        Self {
            issuer,
            authorization_endpoint: at("/oauth/authorize"),
            token_endpoint: at("/oauth/token"),
            jwks_uri: at("/.well-known/jwks.json"),
            userinfo_endpoint: at("/oauth/userinfo"),
            registration_endpoint: (oauth.enabled && oauth.dynamic_registration)
                .then(|| at("/oauth/clients/register")),
            scopes_supported: ["openid", "profile", "email", "phone", "offline_access"],
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            subject_types_supported: ["public"],
            id_token_signing_alg_values_supported: algorithm.into_iter().collect(),
            token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
            claims_supported: [
                "sub",
                "aud",
                "iss",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "email",
                "email_verified",
                "phone_number",
                "phone_number_verified",
                "name",
                "picture",
                "preferred_username",
                "updated_at",
            ],
            code_challenge_methods_supported: ["S256", "plain"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(settings: &Settings, algorithm: Option<&'static str>) -> String {
        String::from_utf8(written(&OpenIdConfiguration::of(settings, algorithm)).to_vec()).unwrap()
    }

    #[test]
    fn the_openid_document_is_written_key_by_key_as_the_peer_does() {
        let mut settings = Settings::default();
        settings.tokens.issuer = Some("http://localhost:9999/".to_owned());
        settings.oauth_server.enabled = true;
        settings.oauth_server.dynamic_registration = true;
        assert_eq!(
            document(&settings, Some("ES256")),
            r#"{"issuer":"http://localhost:9999/","authorization_endpoint":"http://localhost:9999/oauth/authorize","token_endpoint":"http://localhost:9999/oauth/token","jwks_uri":"http://localhost:9999/.well-known/jwks.json","userinfo_endpoint":"http://localhost:9999/oauth/userinfo","registration_endpoint":"http://localhost:9999/oauth/clients/register","scopes_supported":["openid","profile","email","phone","offline_access"],"response_types_supported":["code"],"response_modes_supported":["query"],"grant_types_supported":["authorization_code","refresh_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256"],"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","none"],"claims_supported":["sub","aud","iss","exp","iat","auth_time","nonce","email","email_verified","phone_number","phone_number_verified","name","picture","preferred_username","updated_at"],"code_challenge_methods_supported":["S256","plain"]}"#
        );
    }

    #[test]
    fn the_openid_document_tells_what_there_is() {
        let mut settings = Settings::default();
        settings.oauth_server.dynamic_registration = true;
        let off = document(&settings, None);
        assert!(!off.contains("registration_endpoint"), "{off}");
        assert!(off.contains(r#""id_token_signing_alg_values_supported":[]"#), "{off}");
    }

    #[test]
    fn without_an_issuer_the_address_of_the_server_counts() {
        let mut settings = Settings::default();
        settings.site.external_url = "https://auth.example.com".to_owned();
        assert_eq!(settings.issuer(), "https://auth.example.com");
        settings.tokens.issuer = Some("https://x.example/auth/v1".to_owned());
        assert_eq!(settings.issuer(), "https://x.example/auth/v1");
    }
}
