//! GET and PUT /user.

use serde_json::json;

use crate::support::{Anonymous, Bearer, JWT_SECRET, PASSWORD, TestServer, sign_hs256};

on_both_databases!(ada_reads_herself, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let user = server.get(&ada, "/user").await.ok();
    assert_eq!(user["id"], json!(ada.id));
    assert_eq!(user["confirmed_at"], user["email_confirmed_at"]);
    assert_eq!(user["identities"].as_array().unwrap().len(), 1);
    for secret in ["encrypted_password", "password", "confirmation_token", "is_sso_user", "instance_id"] {
        assert!(user.get(secret).is_none(), "{secret}");
    }
});

on_both_databases!(tokens_that_are_none_are_refused_with_the_right_words, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    server.get(&Anonymous, "/user").await.refused(
        401,
        "no_authorization",
        "This endpoint requires a valid Bearer token",
    );
    let mut claims = ada.claims();
    let forged = sign_hs256(&claims, "another secret of more than thirty-two characters");
    claims["exp"] = json!(1_600_000_000);
    let expired = sign_hs256(&claims, JWT_SECRET);
    let unknown_subject = json!({ "sub": "11111111-1111-4111-8111-111111111111", "role": "authenticated",
        "aud": "authenticated", "exp": 4_102_444_800_u64 });
    let no_uuid = json!({ "sub": "ada", "role": "authenticated", "exp": 4_102_444_800_u64 });
    let unparsable = "invalid JWT: unable to parse or verify signature, ";
    for (token, status, code, message) in [
        (
            "not-a-jwt".to_owned(),
            403,
            "bad_jwt",
            format!("{unparsable}token is malformed: token contains an invalid number of segments"),
        ),
        (forged, 403, "bad_jwt", format!("{unparsable}token signature is invalid: signature is invalid")),
        (expired, 403, "bad_jwt", format!("{unparsable}token has invalid claims: token is expired")),
        (
            sign_hs256(&json!({ "role": "service_role" }), JWT_SECRET),
            403,
            "bad_jwt",
            "invalid claim: missing sub claim".to_owned(),
        ),
        (
            sign_hs256(&no_uuid, JWT_SECRET),
            400,
            "bad_jwt",
            "invalid claim: sub claim must be a UUID".to_owned(),
        ),
        (
            sign_hs256(&unknown_subject, JWT_SECRET),
            403,
            "user_not_found",
            "User from sub claim in JWT does not exist".to_owned(),
        ),
    ] {
        server.get(&Bearer(token), "/user").await.refused(status, code, &message);
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(data_is_merged_and_null_removes, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    let patch = json!({ "data": { "colour": "green", "nested": { "a": 1 } } });
    let user = server.put(&ada, "/user", patch).await.ok();
    assert_eq!(user["user_metadata"]["colour"], "green");
    assert_eq!(user["user_metadata"]["sub"], json!(ada.id), "what was there stays");

    let patch = json!({ "data": { "colour": null, "nested": { "b": 2 } } });
    let user = server.put(&ada, "/user", patch).await.ok();
    assert!(user["user_metadata"].get("colour").is_none());
    assert_eq!(user["user_metadata"]["nested"], json!({ "b": 2 }), "nested objects are replaced");
    assert_eq!(server.get(&ada, "/user").await.ok()["user_metadata"], user["user_metadata"]);

    let events = server.assert_log(before, &["user.metadata_changed", "user.metadata_changed"]);
    assert!(events.iter().all(|event| event.actor == format!("user:{}", ada.id)));
});

on_both_databases!(an_empty_change_changes_nothing, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    for body in [json!({}), json!({ "data": {} }), json!({ "password": null }), json!({ "email": "" })] {
        server.put(&ada, "/user", body).await.ok();
    }
    server.put(&ada, "/user", json!({ "email": "Ada@Example.com" })).await.ok();
    assert_eq!(server.head(), before);
    server.sign_in("ada@example.com").await;
});

on_both_databases!(a_new_password_ends_the_other_sessions, async |database| {
    let server = TestServer::started(&database).await;
    let phone = server.sign_up("ada@example.com").await;
    let laptop = server.sign_in("ada@example.com").await;
    let before = server.head();
    server.put(&laptop, "/user", json!({ "password": "a second password" })).await.ok();

    server.get(&laptop, "/user").await.ok();
    server.try_refresh(&laptop.refresh_token).await.ok();
    server.get(&phone, "/user").await.refused(
        403,
        "session_not_found",
        "Session from session_id claim in JWT does not exist",
    );
    server.try_refresh(&phone.refresh_token).await.refused(
        400,
        "refresh_token_not_found",
        "Invalid Refresh Token: Refresh Token Not Found",
    );
    assert_eq!(server.try_sign_in("ada@example.com", PASSWORD).await.status, 400);
    server.try_sign_in("ada@example.com", "a second password").await.ok();

    let kinds: Vec<String> = server.events_since(before).into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[..2], ["user.password_changed", "session.revoked"]);
    server.assert_log_is_whole();
});

on_both_databases!(a_password_that_will_not_do_is_refused, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let before = server.head();
    server.put(&ada, "/user", json!({ "password": PASSWORD })).await.refused(
        422,
        "same_password",
        "New password should be different from the old password.",
    );
    let reply = server.put(&ada, "/user", json!({ "password": "abc" })).await;
    assert_eq!(reply.error_code(422), "weak_password");
    assert_eq!(reply.json()["weak_password"]["reasons"], json!(["length"]));
    let reply = server.put(&ada, "/user", json!({ "password": "" })).await;
    assert_eq!(reply.error_code(422), "weak_password");
    server.put(&ada, "/user", json!({ "password": "a".repeat(73) })).await.refused(
        400,
        "validation_failed",
        "Password cannot be longer than 72 characters",
    );
    assert_eq!(server.head(), before);
});

on_both_databases!(the_current_password_can_be_demanded, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD", "true")
        .start()
        .await;
    let ada = server.sign_up("ada@example.com").await;
    let message = "Current password required when setting new password.";
    let new = "a second password";
    let missing = json!({ "password": new });
    let wrong = json!({ "password": new, "current_password": "wrong" });
    let right = json!({ "password": new, "current_password": PASSWORD });
    server.put(&ada, "/user", missing).await.refused(400, "current_password_required", message);
    server.put(&ada, "/user", wrong).await.refused(400, "current_password_invalid", message);
    server.put(&ada, "/user", right).await.ok();
});

on_both_databases!(what_is_not_hers_she_cannot_change, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.sign_up("bob@example.com").await;
    let before = server.head();
    server.put(&ada, "/user", json!({ "app_metadata": { "plan": "pro" } })).await.refused(
        403,
        "not_admin",
        "Updating app_metadata requires admin privileges",
    );
    server.put(&ada, "/user", json!({ "email": "bob@example.com" })).await.refused(
        422,
        "email_exists",
        "A user with this email address has already been registered",
    );
    server.put(&ada, "/user", json!({ "email": "ada@" })).await.refused(
        400,
        "validation_failed",
        "Unable to validate email address: invalid format",
    );
    server.put(&ada, "/user", json!({ "role": "service_role", "id": "x", "aud": "x" })).await.ok();
    let user = server.get(&ada, "/user").await.ok();
    assert_eq!(user["role"], "authenticated");
    assert_eq!(server.head(), before);
});
