//! The server that every row of the table is called on, and the people on it.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Person, ServiceRole, TestDatabase, TestServer};

/// A server with everything switched on, where addresses need a confirmation.
pub(super) struct World {
    pub(super) server: TestServer,
    count: AtomicU32,
}

impl World {
    pub(super) async fn start(database: &TestDatabase) -> Self {
        let server = TestServer::on(database).with_everything().with_confirmation().start().await;
        Self { server, count: AtomicU32::new(0) }
    }

    fn next(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    /// An address that nobody has.
    pub(super) fn address(&self) -> String {
        format!("person{}@example.com", self.next())
    }

    /// A word that nothing is called yet.
    pub(super) fn name(&self) -> String {
        format!("thing{}", self.next())
    }

    /// An account with a confirmed address, made by an administrator; `more` stands in the request, too.
    pub(super) async fn account(&self, more: Value) -> Value {
        let mut body = json!({ "email": self.address(), "password": PASSWORD, "email_confirm": true });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.server.post(&ServiceRole, "/admin/users", body).await.ok()
    }

    /// Somebody with such an account, signed in.
    pub(super) async fn person(&self) -> Person {
        let account = self.account(json!({})).await;
        self.server.sign_in(account["email"].as_str().unwrap()).await
    }

    /// Somebody whose address is not confirmed.
    pub(super) async fn unconfirmed(&self) -> String {
        let address = self.address();
        let body = json!({ "email": address, "password": PASSWORD });
        self.server.post(&Anonymous, "/signup", body).await.ok();
        address
    }
}

/// A text of a document.
#[track_caller]
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
}

/// A parameter in the query of an address, or behind its `#`.
#[track_caller]
pub(super) fn parameter(address: &str, name: &str) -> String {
    let url = reqwest::Url::parse(address).unwrap();
    let inner = format!("http://x/?{}", url.fragment().unwrap_or_default());
    let behind = reqwest::Url::parse(&inner).unwrap();
    let mut pairs = url.query_pairs().chain(behind.query_pairs());
    let found = pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no {name} in {address}"))
}
