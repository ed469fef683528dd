//! A browser on the Better Auth surface: it keeps cookies, and says which page it is on.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::Method;
use serde_json::{Value, json};

use super::{PASSWORD, Reply, TestServer};

/// Where the surface stands.
const BASE: &str = "/api/auth";

/// A browser, or a program that keeps cookies.
#[derive(Debug)]
pub(crate) struct Browser<'a> {
    server: &'a TestServer,
    jar: Mutex<BTreeMap<String, String>>,
    origin: Option<&'static str>,
}

impl<'a> Browser<'a> {
    /// On a page of the server's own origin.
    pub(crate) fn on(server: &'a TestServer) -> Self {
        Self { server, jar: Mutex::default(), origin: Some("http://localhost:9999") }
    }

    /// On another page, or on none.
    pub(crate) fn from(mut self, origin: Option<&'static str>) -> Self {
        self.origin = origin;
        self
    }

    /// A cookie as it stands in the jar.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    /// Puts a cookie into the jar.
    pub(crate) fn keep(&self, name: &str, text: &str) {
        self.jar.lock().unwrap().insert(name.to_owned(), text.to_owned());
    }

    /// GET
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.server.request(Method::GET, &format!("{BASE}{path}"))).await
    }

    /// POST with a JSON body
    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send(self.server.request(Method::POST, &format!("{BASE}{path}")).json(&body)).await
    }

    /// A request of any form, with the jar's cookies; what the answer sets is kept.
    pub(crate) async fn send(&self, mut request: reqwest::RequestBuilder) -> Reply {
        let cookies = {
            let jar = self.jar.lock().unwrap();
            jar.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join("; ")
        };
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        if let Some(origin) = self.origin {
            request = request.header("origin", origin);
        }
        let reply = self.server.send(request).await;
        let mut jar = self.jar.lock().unwrap();
        for line in reply.set_cookies() {
            let (pair, attributes) = line.split_once(';').unwrap_or((&line, ""));
            let (name, text) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0;") || attributes.ends_with("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), text.to_owned());
            }
        }
        drop(jar);
        reply
    }

    /// Signs somebody up, and gives the answer's body.
    pub(crate) async fn sign_up(&self, email: &str) -> Value {
        let body = json!({ "name": "Ann Archer", "email": email, "password": PASSWORD });
        self.post("/sign-up/email", body).await.ok()
    }

    /// Signs somebody in.
    pub(crate) async fn sign_in(&self, email: &str) -> Value {
        self.try_sign_in(email, PASSWORD).await.ok()
    }

    /// Tries to sign somebody in.
    pub(crate) async fn try_sign_in(&self, email: &str, password: &str) -> Reply {
        self.post("/sign-in/email", json!({ "email": email, "password": password })).await
    }

    /// Whoever is signed in.
    pub(crate) async fn session(&self) -> Value {
        self.get("/get-session").await.ok()
    }
}

impl Reply {
    /// The lines of `Set-Cookie`, in their order.
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    /// Checks a refusal of the Better Auth surface, word for word.
    #[track_caller]
    pub(crate) fn denied(&self, status: u16, code: &str, message: &str) {
        assert_eq!(self.json(), json!({ "message": message, "code": code }));
        assert_eq!(self.status, status);
    }
}
