//! The OAuth 2.1 server, from the registration of an application to its tokens.

use reqwest::Method;
use serde_json::{Value, json};

use super::row::{Row, by};
use super::world::{World, parameter, text};
use crate::support::{Anonymous, Bearer, Person, Reply, ServiceRole};

pub(super) const ROWS: &[Row] = &[
    Row::of("POST /oauth/clients/register", by!(register)).but("Messages carry no `400: ` in front."),
    Row::of("GET /oauth/authorize", by!(authorize)).but("Limited for each caller."),
    Row::of("GET /oauth/authorizations/{authorization_id}", by!(show_authorization)),
    Row::of("POST /oauth/authorizations/{authorization_id}/consent", by!(consent)),
    Row::of("POST /oauth/token", by!(token)).but(
        "Errors have OAuth's words; a code that comes twice ends its session; without an asymmetric key there is no ID token.",
    ),
    Row::of("GET /oauth/userinfo", by!(user_info))
        .but("What the scopes allow, standard claims only; the token is good nowhere else."),
    Row::of("GET /user/oauth/grants", by!(list_grants)),
    Row::of("DELETE /user/oauth/grants", by!(revoke_grant)),
    Row::of("GET /admin/oauth/clients", by!(list)),
    Row::of("POST /admin/oauth/clients", by!(create)).but("Messages carry no `400: ` in front."),
    Row::of("GET /admin/oauth/clients/{client_id}", by!(show)),
    Row::of("PUT /admin/oauth/clients/{client_id}", by!(change)),
    Row::of("DELETE /admin/oauth/clients/{client_id}", by!(delete)),
    Row::of("POST /admin/oauth/clients/{client_id}/regenerate_secret", by!(regenerate)),
];

const BACK: &str = "https://app.example.com/back";
const VERIFIER: &str = "a-verifier-that-is-longer-than-forty-three-characters";

/// A public application: it proves itself by its verifier alone.
fn application() -> Value {
    json!({ "client_name": "App", "redirect_uris": [BACK], "token_endpoint_auth_method": "none" })
}

async fn register(world: &World) -> Reply {
    world.server.post(&Anonymous, "/oauth/clients/register", application()).await
}

async fn create(world: &World) -> Reply {
    let body = json!({ "client_name": "App", "redirect_uris": [BACK] });
    let reply = world.server.post(&ServiceRole, "/admin/oauth/clients", body).await;
    assert!(reply.json()["client_secret"].is_string(), "{}", reply.text);
    reply
}

async fn client_at(world: &World) -> String {
    let client: Value = create(world).await.json();
    format!("/admin/oauth/clients/{}", text(&client, "/client_id"))
}

async fn list(world: &World) -> Reply {
    create(world).await;
    world.server.get(&ServiceRole, "/admin/oauth/clients?page=&per_page=").await
}

async fn show(world: &World) -> Reply {
    world.server.get(&ServiceRole, &client_at(world).await).await
}

async fn change(world: &World) -> Reply {
    world.server.put(&ServiceRole, &client_at(world).await, json!({ "client_name": "Other" })).await
}

async fn delete(world: &World) -> Reply {
    world.server.delete(&ServiceRole, &client_at(world).await, None).await
}

async fn regenerate(world: &World) -> Reply {
    world.server.post_empty(&ServiceRole, &format!("{}/regenerate_secret", client_at(world).await)).await
}

/// An application asks; its id, and the answer.
async fn asked(world: &World) -> (String, Reply) {
    let client: Value = world.server.post(&ServiceRole, "/admin/oauth/clients", application()).await.json();
    let id = text(&client, "/client_id").to_owned();
    let path = format!(
        "/oauth/authorize?client_id={id}&redirect_uri={BACK}&scope=email&state=abc\
         &code_challenge={VERIFIER}&code_challenge_method=plain"
    );
    let reply = world.server.get(&Anonymous, &path).await;
    (id, reply)
}

async fn authorize(world: &World) -> Reply {
    asked(world).await.1
}

/// Somebody who is asked to let an application in: the person, the application, the path, what was shown.
async fn question(world: &World) -> (Person, String, String, Reply) {
    let (client, reply) = asked(world).await;
    let path = format!("/oauth/authorizations/{}", parameter(reply.header("location"), "authorization_id"));
    let person = world.person().await;
    let shown = world.server.get(&person, &path).await;
    (person, client, path, shown)
}

async fn show_authorization(world: &World) -> Reply {
    question(world).await.3
}

async fn approved(world: &World) -> (Person, String, Reply) {
    let (person, client, path, _) = question(world).await;
    let reply = world.server.post(&person, &format!("{path}/consent"), json!({ "action": "approve" })).await;
    (person, client, reply)
}

async fn consent(world: &World) -> Reply {
    approved(world).await.2
}

async fn exchanged(world: &World) -> (Person, String, Reply) {
    let (person, client, reply) = approved(world).await;
    let code = parameter(text(&reply.ok(), "/redirect_url"), "code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", BACK),
        ("client_id", &client),
        ("code_verifier", VERIFIER),
    ];
    let request = world.server.request(Method::POST, "/oauth/token").form(&form);
    let reply = world.server.send(request).await;
    (person, client, reply)
}

async fn token(world: &World) -> Reply {
    exchanged(world).await.2
}

async fn user_info(world: &World) -> Reply {
    let tokens = exchanged(world).await.2.ok();
    world.server.get(&Bearer(text(&tokens, "/access_token").to_owned()), "/oauth/userinfo").await
}

async fn list_grants(world: &World) -> Reply {
    let (person, client, _) = exchanged(world).await;
    let reply = world.server.get(&person, "/user/oauth/grants").await;
    assert_eq!(reply.ok()[0]["client"]["id"], client.as_str());
    reply
}

async fn revoke_grant(world: &World) -> Reply {
    let (person, client, _) = exchanged(world).await;
    world.server.delete(&person, &format!("/user/oauth/grants?client_id={client}"), None).await
}
