//! What administrators do.

use serde_json::{Value, json};

use super::factors::with_factor;
use super::row::{Row, by};
use super::world::{World, text};
use crate::support::{Anonymous, PASSWORD, Reply, ServiceRole};

pub(super) const ROWS: &[Row] = &[
    Row::of("GET /admin/users", by!(list))
        .but("Identities are there; the filter is literal and knows no case."),
    Row::of("POST /admin/users", by!(create)).but(TAKEN),
    Row::of("GET /admin/users/{user_id}", by!(show)),
    Row::of("PUT /admin/users/{user_id}", by!(change)).but(TAKEN),
    Row::of("DELETE /admin/users/{user_id}", by!(delete)),
    Row::of("POST /admin/users/{user_id}", by!(create_at)).but(TAKEN),
    Row::of("GET /admin/user/{user_id}", by!(show_alias)),
    Row::of("PUT /admin/user/{user_id}", by!(change_alias)).but(TAKEN),
    Row::of("DELETE /admin/user/{user_id}", by!(delete_alias)),
    Row::of("POST /invite", by!(invite)),
    Row::of("POST /admin/generate_link", by!(generate_link)),
    Row::of("GET /admin/audit", by!(audit))
        .but("Failed sign-ins, reuse and refused administrators are entries, too."),
    Row::of("GET /admin/users/{user_id}/factors", by!(list_factors)),
    Row::of("PUT /admin/users/{user_id}/factors/{factor_id}", by!(change_factor)),
    Row::of("DELETE /admin/users/{user_id}/factors/{factor_id}", by!(delete_factor)),
    Row::of("GET /admin/users/{user_id}/passkeys", by!(list_passkeys)),
    Row::tested_in("DELETE /admin/users/{user_id}/passkeys/{passkey_id}", "tests/it/passkeys.rs"),
    Row::of("GET /admin/sso/providers", by!(list_sso)),
    Row::of("POST /admin/sso/providers", by!(create_sso)),
    Row::of("GET /admin/sso/providers/{idp_id}", by!(show_sso)),
    Row::of("PUT /admin/sso/providers/{idp_id}", by!(change_sso)),
    Row::of("DELETE /admin/sso/providers/{idp_id}", by!(delete_sso)),
    Row::of("GET /admin/custom-providers", by!(list_custom)),
    Row::of("POST /admin/custom-providers", by!(create_custom))
        .but("A malformed identifier is 400, without the row in it."),
    Row::of("GET /admin/custom-providers/{identifier}", by!(show_custom)),
    Row::of("PUT /admin/custom-providers/{identifier}", by!(change_custom)),
    Row::of("DELETE /admin/custom-providers/{identifier}", by!(delete_custom)),
];

const TAKEN: &str = "What is taken or malformed is 422 or 400, not an error of the database.";

async fn list(world: &World) -> Reply {
    world.account(json!({})).await;
    world.server.get(&ServiceRole, "/admin/users?page=1&per_page=2").await
}

async fn create(world: &World) -> Reply {
    let body = json!({ "email": world.address(), "password": PASSWORD, "user_metadata": { "a": 1 } });
    world.server.post(&ServiceRole, "/admin/users", body).await
}

async fn create_at(world: &World) -> Reply {
    let path = "/admin/users/7f3f8f58-0000-4000-8000-000000000007";
    let reply = world.server.post(&ServiceRole, path, json!({ "email": world.address() })).await;
    assert_eq!(path.rsplit('/').next(), reply.ok()["id"].as_str());
    reply
}

/// The path of an account, below a collection.
async fn account_at(world: &World, collection: &str) -> String {
    format!("/admin/{collection}/{}", text(&world.account(json!({})).await, "/id"))
}

async fn show(world: &World) -> Reply {
    world.server.get(&ServiceRole, &account_at(world, "users").await).await
}

async fn show_alias(world: &World) -> Reply {
    world.server.get(&ServiceRole, &account_at(world, "user").await).await
}

async fn change(world: &World) -> Reply {
    world.server.put(&ServiceRole, &account_at(world, "users").await, json!({ "role": "editor" })).await
}

async fn change_alias(world: &World) -> Reply {
    world.server.put(&ServiceRole, &account_at(world, "user").await, json!({ "role": "editor" })).await
}

async fn delete(world: &World) -> Reply {
    world.server.delete(&ServiceRole, &account_at(world, "users").await, None).await
}

async fn delete_alias(world: &World) -> Reply {
    let body = json!({ "should_soft_delete": true });
    world.server.delete(&ServiceRole, &account_at(world, "user").await, Some(body)).await
}

async fn invite(world: &World) -> Reply {
    let address = world.address();
    let reply = world.server.post(&ServiceRole, "/invite", json!({ "email": address })).await;
    world.server.mail_to(&address, 1).await;
    reply
}

/// The link works, too.
async fn generate_link(world: &World) -> Reply {
    let account = world.account(json!({})).await;
    let body = json!({ "type": "magiclink", "email": account["email"] });
    let reply = world.server.post(&ServiceRole, "/admin/generate_link", body).await;
    let hash = reply.ok()["hashed_token"].clone();
    let body = json!({ "type": "magiclink", "token_hash": hash });
    world.server.post(&Anonymous, "/verify", body).await.ok();
    reply
}

async fn audit(world: &World) -> Reply {
    world.person().await;
    let reply = world.server.get(&ServiceRole, "/admin/audit?page=1&per_page=10").await;
    assert!(!reply.ok().as_array().unwrap().is_empty());
    reply
}

async fn list_factors(world: &World) -> Reply {
    let (person, _) = with_factor(world).await;
    let reply = world.server.get(&ServiceRole, &format!("/admin/users/{}/factors", person.id)).await;
    assert_eq!(reply.ok().as_array().unwrap().len(), 1);
    reply
}

async fn factor_at(world: &World) -> String {
    let (person, factor) = with_factor(world).await;
    format!("/admin/users/{}/factors/{}", person.id, text(&factor, "/id"))
}

async fn change_factor(world: &World) -> Reply {
    world.server.put(&ServiceRole, &factor_at(world).await, json!({ "friendly_name": "other" })).await
}

async fn delete_factor(world: &World) -> Reply {
    world.server.delete(&ServiceRole, &factor_at(world).await, None).await
}

async fn list_passkeys(world: &World) -> Reply {
    world.server.get(&ServiceRole, &format!("{}/passkeys", account_at(world, "users").await)).await
}

async fn list_sso(world: &World) -> Reply {
    create_sso(world).await;
    world.server.get(&ServiceRole, "/admin/sso/providers").await
}

async fn create_sso(world: &World) -> Reply {
    let name = world.name();
    let metadata = format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com/{name}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/{name}/sso"/></IDPSSODescriptor></EntityDescriptor>"#
    );
    let body =
        json!({ "type": "saml", "metadata_xml": metadata, "domains": [format!("{name}.example.com")] });
    world.server.post(&ServiceRole, "/admin/sso/providers", body).await
}

async fn sso_at(world: &World) -> String {
    let provider: Value = create_sso(world).await.json();
    format!("/admin/sso/providers/{}", text(&provider, "/id"))
}

async fn show_sso(world: &World) -> Reply {
    world.server.get(&ServiceRole, &sso_at(world).await).await
}

async fn change_sso(world: &World) -> Reply {
    world.server.put(&ServiceRole, &sso_at(world).await, json!({ "domains": [] })).await
}

async fn delete_sso(world: &World) -> Reply {
    world.server.delete(&ServiceRole, &sso_at(world).await, None).await
}

async fn list_custom(world: &World) -> Reply {
    world.server.get(&ServiceRole, "/admin/custom-providers?type=oauth2").await
}

/// A provider at a literal public address, for which no name is looked up.
async fn create_custom(world: &World) -> Reply {
    let body = json!({
        "provider_type": "oauth2",
        "identifier": format!("custom:{}", world.name()),
        "name": "Somewhere",
        "client_id": "client",
        "client_secret": "secret",
        "authorization_url": "https://93.184.216.34/authorize",
        "token_url": "https://93.184.216.34/token",
        "userinfo_url": "https://93.184.216.34/userinfo",
    });
    let reply = world.server.post(&ServiceRole, "/admin/custom-providers", body).await;
    assert!(!reply.text.contains("client_secret"), "{}", reply.text);
    reply
}

async fn custom_at(world: &World) -> String {
    let provider: Value = create_custom(world).await.json();
    format!("/admin/custom-providers/{}", text(&provider, "/identifier"))
}

async fn show_custom(world: &World) -> Reply {
    world.server.get(&ServiceRole, &custom_at(world).await).await
}

async fn change_custom(world: &World) -> Reply {
    world.server.put(&ServiceRole, &custom_at(world).await, json!({ "name": "Elsewhere" })).await
}

async fn delete_custom(world: &World) -> Reply {
    world.server.delete(&ServiceRole, &custom_at(world).await, None).await
}
