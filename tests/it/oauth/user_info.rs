//! `GET /oauth/userinfo`: what the scopes tell, and nothing else.

use serde_json::json;

use super::{claims, with_oauth};
use crate::support::{Anonymous, ServiceRole};

on_both_databases!(a_client_learns_what_its_scopes_tell, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let change = json!({
        "phone": "15550001111",
        "phone_confirm": true,
        "user_metadata": {
            "full_name": "Ada Lovelace",
            "avatar_url": "https://photos.example.com/ada.png",
            "preferred_username": "ada",
            "hobby": "engines",
        },
    });
    server.put(&ServiceRole, &format!("/admin/users/{}", ada.id), change).await.ok();
    let email = json!({ "sub": ada.id, "email": "ada@example.com", "email_verified": true });
    let phone = json!({ "sub": ada.id, "phone": "15550001111", "phone_verified": true });
    for (scope, expected) in [
        ("openid", json!({ "sub": ada.id })),
        ("openid email", email),
        ("phone", phone),
        ("offline_access", json!({ "sub": ada.id })),
    ] {
        let tokens = server.tokens_for(&ada, &client, scope).await;
        let reply = server.get(&tokens, "/oauth/userinfo").await;
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.ok(), expected, "{scope}");
    }
    let tokens = server.tokens_for(&ada, &client, "openid profile").await;
    let profile = server.get(&tokens, "/oauth/userinfo").await.ok();
    assert_eq!(
        profile,
        json!({
            "sub": ada.id,
            "name": "Ada Lovelace",
            "picture": "https://photos.example.com/ada.png",
            "preferred_username": "ada",
            "updated_at": profile["updated_at"],
        }),
        "no address, and nothing that the application keeps besides"
    );
    let id = claims(&tokens.id_token.unwrap());
    assert_eq!((&id["name"], id.get("email")), (&json!("Ada Lovelace"), None));
});

on_both_databases!(without_a_name_there_is_none, async |database| {
    let server = with_oauth(&database).start().await;
    let client = server.oauth_client(json!({})).await;
    let ada = server.sign_up("ada@example.com").await;
    let tokens = server.tokens_for(&ada, &client, "openid profile").await;
    let info = server.get(&tokens, "/oauth/userinfo").await.ok();
    assert_eq!(info.get("name"), None, "least of all the address");
});

on_both_databases!(who_comes_with_a_session_of_their_own_hears_their_id, async |database| {
    let server = with_oauth(&database).start().await;
    let ada = server.sign_up("ada@example.com").await;
    assert_eq!(server.get(&ada, "/oauth/userinfo").await.ok(), json!({ "sub": ada.id }));
    let nobody = server.get(&Anonymous, "/oauth/userinfo").await;
    nobody.refused(401, "no_authorization", "This endpoint requires a valid Bearer token");
});
