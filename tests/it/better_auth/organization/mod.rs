//! `/organization/…`

mod attacks;
mod invitations;
mod lifecycle;
mod members;
mod races;
mod roles;
mod settings;
mod teams;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Browser, Reply, TestServer};

/// Somebody who has just signed up.
async fn somebody<'a>(server: &'a TestServer, name: &str) -> Browser<'a> {
    let browser = Browser::on(server);
    browser.sign_up(&format!("{name}@example.com")).await;
    browser
}

/// Makes an organization, in which its maker acts. Gives its id.
async fn boats(browser: &Browser<'_>) -> String {
    let body = json!({ "name": "Blue Boats", "slug": "blue-boats" });
    text(&browser.post("/organization/create", body).await.ok()["id"])
}

/// Invites somebody, and gives the invitation's id.
async fn invite(browser: &Browser<'_>, name: &str, role: &str) -> String {
    let body = json!({ "email": format!("{name}@example.com"), "role": role });
    text(&browser.post("/organization/invite-member", body).await.ok()["id"])
}

/// Somebody who has just signed up and belongs to the organization in which another acts.
async fn member<'a>(server: &'a TestServer, by: &Browser<'_>, name: &str, role: &str) -> Browser<'a> {
    let browser = somebody(server, name).await;
    let id = invite(by, name, role).await;
    browser.post("/organization/accept-invitation", json!({ "invitationId": id })).await.ok();
    browser
}

/// The membership of whoever has the browser, where they act.
async fn membership(browser: &Browser<'_>) -> String {
    text(&browser.get("/organization/get-active-member").await.ok()["id"])
}

async fn user_id(browser: &Browser<'_>) -> String {
    text(&browser.session().await["user"]["id"])
}

async fn active(browser: &Browser<'_>) -> Value {
    browser.session().await["session"]["activeOrganizationId"].clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A body without the fields that differ from run to run; each of them must be a text.
fn steady(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let differs = key == "id" || key.ends_with("Id") || key.ends_with("At");
                let value = if differs && value.is_string() { json!(key) } else { steady(value) };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(steady).collect(),
        other => other.clone(),
    }
}

impl Reply {
    /// Checks a refusal that has no code.
    #[track_caller]
    fn denied_without_code(&self, status: u16, message: &str) {
        assert_eq!(self.json(), json!({ "message": message }));
        assert_eq!(self.status, status);
    }

    /// Checks that nobody is signed in, as most endpoints say it.
    #[track_caller]
    fn signed_out(&self) {
        self.denied(401, "UNAUTHORIZED", "Unauthorized");
    }

    /// Checks an answer without a body.
    #[track_caller]
    fn empty(&self, status: u16) {
        assert_eq!((self.status, self.text.as_str()), (status, ""));
    }
}

/// Takes somebody's account away, as an administrator of the other protocol.
async fn erase(server: &TestServer, user: &str) -> Reply {
    server.delete(&crate::support::ServiceRole, &format!("/admin/users/{user}"), None).await
}

/// A request that nobody is signed in for.
async fn nobody(server: &TestServer, method: Method, path: &str, body: Value) -> Reply {
    let browser = Browser::on(server);
    let request = server.request(method.clone(), &format!("/api/auth/organization/{path}"));
    browser.send(if method == Method::GET { request } else { request.json(&body) }).await
}
