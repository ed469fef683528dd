//! Accounts: signing up and in, codes and links, grants, what people do with their own account.

use serde_json::json;

use super::row::{Row, by};
use super::world::{World, parameter, text};
use crate::support::{Anonymous, PASSWORD, Reply, ServiceRole};

pub(super) const ROWS: &[Row] = &[
    Row::of("POST /signup", by!(sign_up)).but(
        "A sign-up for an address that is somebody's never answers a session, and a pretended account looks \
         like any new one.",
    ),
    Row::of("POST /verify", by!(verify)).but("Five wrong codes void the right one."),
    Row::of("GET /verify", by!(open_link)).but("Fragments are escaped once."),
    Row::of("POST /otp", by!(one_time_code)).but("Known and unknown addresses are answered alike."),
    Row::of("POST /magiclink", by!(magic_link)).but("Known and unknown addresses are answered alike."),
    Row::of("POST /recover", by!(recover)).but("Known and unknown addresses are answered alike."),
    Row::of("POST /resend", by!(resend)),
    Row::of("GET /reauthenticate", by!(reauthenticate)),
    Row::of("POST /token", by!(sign_in)),
    Row::of("POST /token?grant_type=password", by!(sign_in))
        .but("A ban is told after the password was compared; failures slow an address down, known or not."),
    Row::of("POST /token?grant_type=refresh_token", by!(refresh))
        .but("Reuse ends the session at once; within the interval the token that is good is answered again."),
    Row::of("POST /token?grant_type=pkce", by!(exchange))
        .but("A ban is looked at; the time of a code counts from its issue."),
    Row::tested_in("POST /token?grant_type=id_token", "tests/it/external/openid.rs"),
    Row::tested_in("POST /token?grant_type=web3", "tests/it/web3.rs"),
    Row::of("GET /user", by!(show)),
    Row::of("PUT /user", by!(change)),
    Row::of("POST /logout", by!(sign_out)),
    Row::of("GET /user/identities/authorize", by!(link_identity)),
    Row::of("DELETE /user/identities/{identity_id}", by!(unlink_identity)),
];

async fn sign_up(world: &World) -> Reply {
    let body = json!({ "email": world.address(), "password": PASSWORD, "data": { "name": "Ada" } });
    world.server.post(&Anonymous, "/signup", body).await
}

async fn verify(world: &World) -> Reply {
    let address = world.unconfirmed().await;
    let code = world.server.mail_to(&address, 1).await.code();
    let body = json!({ "type": "signup", "email": address, "token": code });
    world.server.post(&Anonymous, "/verify", body).await
}

async fn open_link(world: &World) -> Reply {
    let address = world.unconfirmed().await;
    let link = world.server.mail_to(&address, 1).await.link();
    let reply = world.server.get(&Anonymous, &link).await;
    assert!(!parameter(reply.header("location"), "access_token").is_empty());
    reply
}

async fn one_time_code(world: &World) -> Reply {
    let account = world.account(json!({})).await;
    let body = json!({ "email": account["email"], "create_user": false });
    let reply = world.server.post(&Anonymous, "/otp", body).await;
    world.server.mail_to(text(&account, "/email"), 1).await;
    reply
}

async fn magic_link(world: &World) -> Reply {
    let account = world.account(json!({})).await;
    let reply = world.server.post(&Anonymous, "/magiclink", json!({ "email": account["email"] })).await;
    world.server.mail_to(text(&account, "/email"), 1).await;
    reply
}

async fn recover(world: &World) -> Reply {
    let account = world.account(json!({})).await;
    let reply = world.server.post(&Anonymous, "/recover", json!({ "email": account["email"] })).await;
    world.server.mail_to(text(&account, "/email"), 1).await;
    reply
}

async fn resend(world: &World) -> Reply {
    let address = world.unconfirmed().await;
    let body = json!({ "type": "signup", "email": address });
    let reply = world.server.post(&Anonymous, "/resend", body).await;
    world.server.mail_to(&address, 2).await;
    reply
}

async fn reauthenticate(world: &World) -> Reply {
    let person = world.person().await;
    let reply = world.server.get(&person, "/reauthenticate").await;
    world.server.mail_to(text(&person.user, "/email"), 1).await;
    reply
}

async fn sign_in(world: &World) -> Reply {
    let account = world.account(json!({})).await;
    world.server.try_sign_in(text(&account, "/email"), PASSWORD).await
}

async fn refresh(world: &World) -> Reply {
    let person = world.person().await;
    world.server.try_refresh(&person.refresh_token).await
}

/// A recovery whose link gives a code, which is exchanged.
async fn exchange(world: &World) -> Reply {
    let account = world.account(json!({})).await;
    let verifier = "a-verifier-that-is-longer-than-forty-three-characters";
    let body =
        json!({ "email": account["email"], "code_challenge": verifier, "code_challenge_method": "plain" });
    world.server.post(&Anonymous, "/recover", body).await.ok();
    let link = world.server.mail_to(text(&account, "/email"), 1).await.link();
    let sent_on = world.server.get(&Anonymous, &link).await;
    let code = parameter(sent_on.header("location"), "code");
    let body = json!({ "auth_code": code, "code_verifier": verifier });
    world.server.post(&Anonymous, "/token?grant_type=pkce", body).await
}

async fn show(world: &World) -> Reply {
    let person = world.person().await;
    world.server.get(&person, "/user").await
}

async fn change(world: &World) -> Reply {
    let person = world.person().await;
    let reply = world.server.put(&person, "/user", json!({ "data": { "name": "Ada" } })).await;
    assert_eq!(reply.ok()["user_metadata"]["name"], "Ada");
    reply
}

async fn sign_out(world: &World) -> Reply {
    let person = world.person().await;
    world.server.post_empty(&person, "/logout").await
}

async fn link_identity(world: &World) -> Reply {
    let person = world.person().await;
    let path = "/user/identities/authorize?provider=github";
    let url = world.server.get(&person, &format!("{path}&skip_http_redirect=true")).await.ok();
    assert!(text(&url, "/url").starts_with("https://github.com/"), "{url}");
    world.server.get(&person, path).await
}

/// Of an account with two ways in, one is removed.
async fn unlink_identity(world: &World) -> Reply {
    let phone = format!("1555{:07}", world.name().trim_start_matches("thing").parse::<u32>().unwrap());
    let account = world.account(json!({ "phone": phone, "phone_confirm": true })).await;
    let person = world.server.sign_in(text(&account, "/email")).await;
    let shown = world.server.get(&ServiceRole, &format!("/admin/users/{}", person.id)).await.ok();
    let identities = shown["identities"].as_array().unwrap();
    let by_phone = identities.iter().find(|identity| identity["provider"] == "phone").unwrap();
    let path = format!("/user/identities/{}", text(by_phone, "/identity_id"));
    world.server.delete(&person, &path, None).await
}
