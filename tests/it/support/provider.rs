//! Providers to sign in with: one that answers what a test tells it, and a real, certified OpenID provider.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::Value;
use url::Url;

use super::{TestServer, say_aloud, watchdog};

/// A request as the fake provider got it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `POST /oauth/token`, without the query.
    pub(crate) what: String,
    /// The query.
    pub(crate) query: String,
    /// The headers, names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// The body.
    pub(crate) body: String,
}

type Answers = HashMap<String, (u16, String, String)>;

#[derive(Debug, Default)]
struct Inner {
    answers: Answers,
    asked: Vec<Asked>,
}

/// A server that says what it is told, and remembers what it was asked.
#[derive(Debug, Clone)]
pub(crate) struct FakeProvider {
    inner: Arc<Mutex<Inner>>,
    url: String,
}

impl FakeProvider {
    /// Starts one on a port of its own.
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { inner, url }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on says this when it is asked so (`GET /me`).
    pub(crate) fn says(&self, what: &str, body: &Value) {
        self.says_raw(what, 200, "application/json", &body.to_string());
    }

    /// As [`FakeProvider::says`], with any status, type and text.
    pub(crate) fn says_raw(&self, what: &str, status: u16, kind: &str, body: &str) {
        let answer = (status, kind.to_owned(), body.to_owned());
        self.inner.lock().unwrap().answers.insert(what.to_owned(), answer);
    }

    /// What it was asked so, oldest first.
    pub(crate) fn asked(&self, what: &str) -> Vec<Asked> {
        self.inner.lock().unwrap().asked.iter().filter(|asked| asked.what == what).cloned().collect()
    }
}

async fn answer(State(inner): State<Arc<Mutex<Inner>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let what = format!("{} {}", parts.method, parts.uri.path());
    let headers = parts.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let asked = Asked {
        what: what.clone(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let mut inner = inner.lock().unwrap();
    inner.asked.push(asked);
    match inner.answers.get(&what) {
        Some((status, kind, body)) => {
            let status = axum::http::StatusCode::from_u16(*status).unwrap();
            (status, [("content-type", kind.clone())], body.clone()).into_response()
        }
        None => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

/// A running `oidc-provider` (npm), which is certified by the OpenID Foundation.
#[derive(Debug)]
pub(crate) struct OpenIdProvider {
    process: Child,
    issuer: String,
}

/// The folder with the script and the lock file.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/oidc")
}

/// Whether it is there; installs it at the first call where it is not.
fn installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
        if !there("node") || !there("npm") {
            return false;
        }
        if folder().join("node_modules/oidc-provider").is_dir() {
            return true;
        }
        let output = Command::new("npm").arg("ci").current_dir(folder()).output().unwrap();
        if !output.status.success() {
            say_aloud(&format!("npm ci: {}", String::from_utf8_lossy(&output.stderr)));
        }
        output.status.success()
    })
}

impl OpenIdProvider {
    /// Starts one below a path, with further settings of its script; none where there is no Node.js.
    pub(crate) async fn start(prefix: &str, settings: &[(&str, &str)]) -> Option<Self> {
        if !tokio::task::spawn_blocking(installed).await.unwrap() {
            super::missing("node or oidc-provider is not here, so its test did not run");
            return None;
        }
        let mut process = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder())
            .env("PREFIX", prefix)
            .env("CLIENT_ID", "evident")
            .env("CLIENT_SECRET", "evident-secret")
            .env("REDIRECT_URI", "http://localhost:9999/callback")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        watchdog::server_started(process.id());
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = tokio::task::spawn_blocking(move || {
            let mut lines = lines.map_while(Result::ok);
            lines.find_map(|line| line.strip_prefix("openid provider: ready on ").map(str::to_owned))
        });
        Some(Self { issuer: issuer.await.unwrap().unwrap(), process })
    }

    /// Its issuer.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it answers whatever the path.
    pub(crate) fn origin(&self) -> String {
        Url::parse(&self.issuer).unwrap().origin().ascii_serialization()
    }

    /// Goes there as a browser does, as one of its people, and back to where it sends.
    pub(crate) async fn sign_in(&self, way: &str, who: &str) -> Back {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let mut cookies: HashMap<String, String> = HashMap::new();
        let mut url = Url::parse(way).unwrap();
        url.query_pairs_mut().append_pair("login_hint", who);
        for _ in 0..10 {
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = http.get(url.clone()).header(COOKIE, jar.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = answer.headers().get(LOCATION) else {
                // The page sends a form by itself (`form_post`).
                return Back::ByForm(form_fields(&answer.text().await.unwrap()));
            };
            url = url.join(location.to_str().unwrap()).unwrap();
            if url.as_str().starts_with("http://localhost:") {
                return Back::ByLink(url);
            }
        }
        panic!("the provider sends around in circles: {url}");
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        self.process.kill().unwrap_or_default();
        self.process.wait().map(drop).unwrap_or_default();
        watchdog::server_ended(self.process.id());
    }
}

/// How a browser comes back from a provider.
#[derive(Debug)]
pub(crate) enum Back {
    /// By following a link.
    ByLink(Url),
    /// By sending a form.
    ByForm(Vec<(String, String)>),
}

impl Back {
    /// The path and query of a link back.
    #[track_caller]
    pub(crate) fn path(&self) -> String {
        let Self::ByLink(url) = self else { panic!("a form: {self:?}") };
        format!("{}?{}", url.path(), url.query().unwrap_or_default())
    }

    /// A parameter of the link back.
    #[track_caller]
    pub(crate) fn parameter(&self, name: &str) -> String {
        let Self::ByLink(url) = self else { panic!("a form: {self:?}") };
        url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }
}

fn form_fields(page: &str) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
        Some(value.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\""))
    };
    page.split("<input")
        .skip(1)
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect()
}

impl TestServer {
    /// Asks for the way to a provider; gives the address, its `state` as a parameter.
    pub(crate) async fn way_to(&self, query: &str) -> Url {
        let reply = self.get(&super::Anonymous, &format!("/authorize?{query}")).await;
        assert_eq!(reply.status, 302, "{}", reply.text);
        Url::parse(reply.header("location")).unwrap()
    }
}

/// A parameter of an address.
#[track_caller]
pub(crate) fn query_of(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.unwrap_or_else(|| panic!("no {name} in {url}")).1.into_owned()
}

/// The fields of an address's fragment.
pub(crate) fn fragment_of(location: &str) -> HashMap<String, String> {
    let fragment = location.split_once('#').map_or("", |(_, fragment)| fragment);
    url::form_urlencoded::parse(fragment.as_bytes()).into_owned().collect()
}
