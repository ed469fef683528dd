//! Signing in through other providers.

mod accounts;
mod linking;
mod openid;
mod quirks;
mod redirects;
mod registered;

use serde_json::{Value, json};

use crate::support::{FakeProvider, Reply, ServerSetup, TestDatabase, TestServer, query_of};

/// A server whose GitLab is a fake one.
pub(crate) fn with_gitlab(database: &TestDatabase, provider: &FakeProvider) -> ServerSetup {
    TestServer::on(database)
        .with_confirmation()
        .with("GOTRUE_EXTERNAL_GITLAB_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_GITLAB_CLIENT_ID", "gitlab-client")
        .with("GOTRUE_EXTERNAL_GITLAB_SECRET", "gitlab-secret")
        .with("GOTRUE_EXTERNAL_GITLAB_REDIRECT_URI", "http://localhost:9999/callback")
        .with("GOTRUE_EXTERNAL_GITLAB_URL", provider.url())
}

/// What a fake GitLab says of somebody.
pub(crate) fn knows(provider: &FakeProvider, id: u32, name: &str, email: &str, verified: bool) {
    let confirmed_at = if verified { json!("2020-01-01T00:00:00Z") } else { Value::Null };
    provider.says(
        "POST /oauth/token",
        &json!({"access_token": format!("token-of-{id}"), "refresh_token": format!("refresh-of-{id}"),
            "token_type": "bearer"}),
    );
    provider.says(
        "GET /api/v4/user",
        &json!({"id": id, "name": name, "email": email, "confirmed_at": confirmed_at,
            "avatar_url": format!("https://img.example.com/{id}.png")}),
    );
    provider.says("GET /api/v4/user/emails", &json!([]));
}

/// Goes to the fake GitLab and comes back with a code.
pub(crate) async fn come_by_gitlab(server: &TestServer, more: &str) -> Reply {
    let query = format!("provider=gitlab&redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fcb{more}");
    let way = server.way_to(&query).await;
    let state = query_of(&way, "state");
    server.get(&crate::support::Anonymous, &format!("/callback?code=igor-1&state={state}")).await
}
