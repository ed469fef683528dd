//! The OAuth server: clients, requests, decisions, codes, tokens, and who must not get them.

mod attacks;
mod authorize;
mod clients;
mod consent;
mod openid_client;
mod races;
mod token;
mod user_info;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::support::{
    Anonymous, Caller, ES256_KEY, Person, Reply, ServerSetup, ServiceRole, TestDatabase, TestServer, key_set,
};

/// The pair of RFC 7636, appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(super) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Where the test's clients listen.
pub(super) const CALLBACK: &str = "https://photos.example.com/cb";

/// A server whose OAuth server is on, with a key that others can check.
pub(super) fn with_oauth(database: &TestDatabase) -> ServerSetup {
    TestServer::on(database)
        .with("GOTRUE_OAUTH_SERVER_ENABLED", "true")
        .with("GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION", "true")
        .with("GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH", "/oauth/consent")
        .with("GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER", "1000000")
        .with("GOTRUE_JWT_KEYS", &key_set(ES256_KEY, &[]))
}

/// A client that is known to the server.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: Option<String>,
}

impl Client {
    #[track_caller]
    fn of(document: &Value) -> Self {
        let id = document["client_id"].as_str().unwrap().to_owned();
        Self { id, secret: document["client_secret"].as_str().map(str::to_owned) }
    }

    /// `Authorization: Basic …`
    fn basic(&self) -> Option<String> {
        let secret = self.secret.as_ref()?;
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{secret}", self.id))))
    }
}

/// What a client got.
#[expect(clippy::struct_field_names, reason = "the names are those on the wire")]
#[derive(Debug, Clone)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
    pub(super) id_token: Option<String>,
}

impl Tokens {
    #[track_caller]
    pub(super) fn of(document: &Value) -> Self {
        let text = |name: &str| document[name].as_str().map(str::to_owned);
        Self {
            access_token: text("access_token").unwrap(),
            refresh_token: text("refresh_token").unwrap(),
            id_token: text("id_token"),
        }
    }
}

impl Caller for Tokens {
    fn bearer(&self) -> Option<String> {
        Some(self.access_token.clone())
    }
}

/// A query or a form.
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The value of a pair in the query of an address.
#[track_caller]
pub(super) fn in_query(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A claim of a token, unchecked.
pub(super) fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

impl TestServer {
    /// An administrator registers a client.
    pub(super) async fn oauth_client(&self, more: Value) -> Client {
        let mut body = json!({ "client_name": "Photo Book", "redirect_uris": [CALLBACK] });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let reply = self.post(&ServiceRole, "/admin/oauth/clients", body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        Client::of(&reply.json())
    }

    /// A browser comes with a client's request; `more` is added to it.
    pub(super) async fn authorize(&self, client: &Client, scope: &str, more: &[(&str, &str)]) -> Reply {
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", client.id.as_str()),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("state", "st-1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.extend_from_slice(more);
        self.get(&Anonymous, &format!("/oauth/authorize?{}", form(&pairs))).await
    }

    /// As [`TestServer::authorize`]; gives the id that the consent page gets.
    pub(super) async fn asked(&self, client: &Client, scope: &str) -> String {
        let reply = self.authorize(client, scope, &[("nonce", "no-1")]).await;
        assert_eq!(reply.status, 302, "{}", reply.text);
        in_query(reply.header("location"), "authorization_id").unwrap()
    }

    /// The consent page reads a request.
    pub(super) async fn see(&self, who: &impl Caller, id: &str) -> Reply {
        self.get(who, &format!("/oauth/authorizations/{id}")).await
    }

    /// The user decides.
    pub(super) async fn decide(&self, who: &impl Caller, id: &str, action: &str) -> Reply {
        self.post(who, &format!("/oauth/authorizations/{id}/consent"), json!({ "action": action })).await
    }

    /// A user grants a client what it asks for; gives the code.
    pub(super) async fn granted(&self, who: &Person, client: &Client, scope: &str) -> String {
        let id = self.asked(client, scope).await;
        let seen = self.see(who, &id).await.ok();
        let url = match seen["redirect_url"].as_str() {
            Some(url) => url.to_owned(),
            None => {
                let decided = self.decide(who, &id, "approve").await.ok();
                decided["redirect_url"].as_str().unwrap().to_owned()
            }
        };
        assert!(url.starts_with(&format!("{CALLBACK}?code=")), "{url}");
        assert_eq!(in_query(&url, "state").as_deref(), Some("st-1"));
        in_query(&url, "code").unwrap()
    }

    /// A client asks for tokens, as a form, proving itself by the header where it has a secret.
    pub(super) async fn token(&self, client: &Client, pairs: &[(&str, &str)]) -> Reply {
        let mut pairs = pairs.to_vec();
        let mut request = self
            .request(Method::POST, "/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded");
        match client.basic() {
            Some(basic) => request = request.header("authorization", basic),
            None => pairs.push(("client_id", &client.id)),
        }
        self.send(request.body(form(&pairs))).await
    }

    /// A client redeems a code.
    pub(super) async fn redeem(&self, client: &Client, code: &str) -> Reply {
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(client, &pairs).await
    }

    /// A client goes on.
    pub(super) async fn refresh_as(&self, client: &Client, token: &str) -> Reply {
        self.token(client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// All the way from the request to the tokens.
    pub(super) async fn tokens_for(&self, who: &Person, client: &Client, scope: &str) -> Tokens {
        let code = self.granted(who, client, scope).await;
        Tokens::of(&self.redeem(client, &code).await.ok())
    }
}

impl Reply {
    /// Checks a refusal in OAuth's form, word for word.
    #[track_caller]
    pub(super) fn refused_by_oauth(&self, error: &str, description: &str) {
        assert_eq!(self.json(), json!({ "error": error, "error_description": description }));
        assert_eq!(self.status, 400);
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("x-sb-error-code"), "");
    }

    /// Checks that a client did not prove that it is the one.
    #[track_caller]
    pub(super) fn refused_client(&self, message: &str) {
        let expected = json!({
            "code": 400,
            "error_code": "invalid_credentials",
            "msg": message,
            "error": "invalid_client",
            "error_description": message,
        });
        assert_eq!(self.json(), expected);
        assert_eq!(self.status, 400);
        assert_eq!(self.header("x-sb-error-code"), "invalid_credentials");
    }
}
