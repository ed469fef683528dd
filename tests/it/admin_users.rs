//! /admin/users: what the holder of an administrator's token can do to accounts.

use serde_json::{Value, json};

use crate::support::{Anonymous, Bearer, PASSWORD, Person, ServiceRole, TestServer};

const TAKEN_EMAIL: &str = "A user with this email address has already been registered";
const TAKEN_PHONE: &str = "Phone number already registered by another user";

/// Makes a user as the administrator.
async fn create(server: &TestServer, body: Value) -> Value {
    server.post(&ServiceRole, "/admin/users", body).await.ok()
}

fn path_of(user: &Value) -> String {
    format!("/admin/users/{}", user["id"].as_str().unwrap())
}

on_both_databases!(an_administrator_makes_a_user_who_can_sign_in, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let before = server.head();
    let user = create(
        &server,
        json!({ "email": "jack@example.com", "password": PASSWORD, "email_confirm": true,
                "user_metadata": { "full_name": "Jack Jute" }, "app_metadata": { "plan": "pro" } }),
    )
    .await;
    assert!(user["email_confirmed_at"].is_string());
    assert_eq!(user["app_metadata"], json!({ "plan": "pro", "provider": "email", "providers": ["email"] }));
    assert_eq!(user["user_metadata"], json!({ "email_verified": true, "full_name": "Jack Jute" }));
    assert_eq!(
        user["identities"][0]["identity_data"],
        json!({ "email": "jack@example.com", "email_verified": false, "phone_verified": false,
                "sub": user["id"] })
    );
    server.sign_in("jack@example.com").await;
    assert_eq!(server.mails_to("jack@example.com"), 0);

    let events = server.events_since(before);
    assert_eq!(events[0].kind, "user.signed_up");
    assert_eq!(events[0].actor, "admin:service_role");
    assert_eq!(events[0].subject, Some(format!("user:{}", user["id"].as_str().unwrap())));
});

on_both_databases!(a_user_can_be_made_with_id_phone_and_an_older_hash, async |database| {
    let server = TestServer::started(&database).await;
    // bcrypt of "password", cost 4.
    let hash = "$2y$04$KIXuYW1jQqFJYbRaS0R2X.J5dZHdUBYxdPh0y1x7PtP4V9Dz0tnUe";
    let id = "3f6f2b1e-7c4d-4c0a-9d1e-2b7a5c9e8d10";
    let user = create(
        &server,
        json!({ "id": id, "phone": "+15005550042", "password_hash": hash, "role": "editor",
                "phone_confirm": true }),
    )
    .await;
    assert_eq!(user["id"], id);
    assert_eq!((&user["phone"], &user["role"]), (&json!("15005550042"), &json!("editor")));
    assert!(user["phone_confirmed_at"].is_string());
    let by_path = server
        .post(
            &ServiceRole,
            "/admin/users/3f6f2b1e-7c4d-4c0a-9d1e-2b7a5c9e8d11",
            json!({ "email": "kim@example.com", "password": PASSWORD }),
        )
        .await
        .ok();
    assert_eq!(by_path["id"], "3f6f2b1e-7c4d-4c0a-9d1e-2b7a5c9e8d11");
});

on_both_databases!(what_cannot_be_made_is_refused_with_the_right_words, async |database| {
    let server = TestServer::started(&database).await;
    let jack = create(&server, json!({ "email": "jack@example.com", "phone": "15005550042" })).await;
    let before = server.head();
    for (body, status, code, message) in [
        (json!({}), 400, "validation_failed", "Cannot create a user without either an email or phone"),
        (json!({ "email": "Jack@Example.com" }), 422, "email_exists", TAKEN_EMAIL),
        (json!({ "phone": "15005550042" }), 422, "phone_exists", TAKEN_PHONE),
        (
            json!({ "email": "z@example.com", "password": "a", "password_hash": "b" }),
            400,
            "validation_failed",
            "Only a password or a password hash should be provided",
        ),
        (
            json!({ "email": "z@example.com", "id": "abc" }),
            400,
            "validation_failed",
            "ID must conform to the uuid v4 format",
        ),
        (
            json!({ "email": "z@example.com", "id": "00000000-0000-0000-0000-000000000000" }),
            400,
            "validation_failed",
            "ID cannot be a nil uuid",
        ),
    ] {
        server.post(&ServiceRole, "/admin/users", body).await.refused(status, code, message);
    }
    for body in [
        json!({ "email": "z@example.com", "password_hash": "nonsense" }),
        json!({ "email": "z@example.com", "password": "a".repeat(73) }),
        json!({ "email": "z@example.com", "ban_duration": "1d" }),
        json!({ "email": "z@example.com", "id": jack["id"] }),
    ] {
        let reply = server.post(&ServiceRole, "/admin/users", body.clone()).await;
        assert!(matches!(reply.status, 400 | 422), "{body}: {} {}", reply.status, reply.text);
    }
    assert_eq!(server.head(), before);
});

on_both_databases!(one_user_is_read_by_id, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let user = server.get(&ServiceRole, &format!("/admin/users/{}", ada.id)).await.ok();
    assert_eq!(user, server.get(&ada, "/user").await.ok());
    let upper = ada.id.to_uppercase();
    let compact = ada.id.replace('-', "");
    for id in [&*upper, &*compact, &format!("urn:uuid:{}", ada.id), &format!("%7B{}%7D", ada.id)] {
        assert_eq!(server.get(&ServiceRole, &format!("/admin/users/{id}")).await.ok(), user);
    }
    server.get(&ServiceRole, "/admin/users/abc").await.refused(
        404,
        "validation_failed",
        "user_id must be an UUID",
    );
    server.get(&ServiceRole, "/admin/users/11111111-1111-4111-8111-111111111111").await.refused(
        404,
        "user_not_found",
        "User not found",
    );
});

on_both_databases!(the_list_is_paged_sorted_and_filtered, async |database| {
    let server = TestServer::started(&database).await;
    for number in 0..5 {
        create(&server, json!({ "email": format!("user{number}@example.com") })).await;
    }
    create(&server, json!({ "phone": "15005550042", "user_metadata": { "full_name": "Jack Jute" } })).await;
    let emails = |list: &Value| {
        let users = list["users"].as_array().unwrap().iter();
        users.map(|user| user["email"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let reply = server.get(&ServiceRole, "/admin/users").await;
    assert_eq!(reply.ok()["aud"], "authenticated");
    assert_eq!(emails(&reply.ok())[..2], ["", "user4@example.com"], "newest first");
    assert_eq!(reply.header("x-total-count"), "6");
    assert_eq!(reply.header("link"), "</admin/users?page=1>; rel=\"last\"");

    let reply = server.get(&ServiceRole, "/admin/users?page=2&per_page=2").await;
    assert_eq!(emails(&reply.ok()), ["user3@example.com", "user2@example.com"]);
    assert_eq!(
        reply.header("link"),
        "</admin/users?page=3&per_page=2>; rel=\"next\", </admin/users?page=3&per_page=2>; rel=\"last\""
    );
    let reply = server.get(&ServiceRole, "/admin/users?page=99&per_page=4").await;
    assert_eq!(reply.ok(), json!({ "users": [], "aud": "authenticated" }));
    assert_eq!(reply.header("link"), "</admin/users?page=2&per_page=4>; rel=\"last\"");

    let reply = server.get(&ServiceRole, "/admin/users?sort=created_at+asc&per_page=1").await;
    assert_eq!(emails(&reply.ok()), ["user0@example.com"]);
    assert_eq!(
        reply.header("link"),
        "</admin/users?page=2&per_page=1&sort=created_at+asc>; rel=\"next\", \
         </admin/users?page=6&per_page=1&sort=created_at+asc>; rel=\"last\""
    );
    let filtered = server.get(&ServiceRole, "/admin/users?filter=USER3").await;
    assert_eq!(emails(&filtered.ok()), ["user3@example.com"]);
    assert_eq!(filtered.header("x-total-count"), "1");
    let by_name = server.get(&ServiceRole, "/admin/users?filter=jack").await.ok();
    assert_eq!(by_name["users"][0]["phone"], "15005550042");
    assert_eq!(server.get(&ServiceRole, "/admin/users?filter=%25").await.ok()["users"], json!([]));
    assert_eq!(server.get(&ServiceRole, "/admin/users?page=&per_page=").await.header("x-total-count"), "6");

    for (query, message) in [
        ("page=-1", "Bad Pagination Parameters: strconv.ParseUint: parsing \"-1\": invalid syntax"),
        ("page=x", "Bad Pagination Parameters: strconv.ParseUint: parsing \"x\": invalid syntax"),
        ("sort=email+asc", "Bad Sort Parameters: bad field for sort 'email'"),
        (
            "sort=created_at+up",
            "Bad Sort Parameters: bad direction for sort 'up', only 'asc' and 'desc' allowed",
        ),
    ] {
        let reply = server.get(&ServiceRole, &format!("/admin/users?{query}")).await;
        assert_eq!(reply.error_code(400), "validation_failed", "{query}");
        if query.starts_with("page") || query.contains("email") {
            reply.refused(400, "validation_failed", message);
        }
    }
    assert_eq!(server.get(&ServiceRole, "/admin/users?per_page=0").await.status, 400);
});

on_both_databases!(every_field_can_be_changed, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let jack = create(
        &server,
        json!({ "email": "jack@example.com", "password": PASSWORD, "email_confirm": true,
                "user_metadata": { "full_name": "Jack", "a": 1 }, "app_metadata": { "plan": "pro" } }),
    )
    .await;
    let session = server.sign_in("jack@example.com").await;
    let before = server.head();
    let user = server
        .put(
            &ServiceRole,
            &path_of(&jack),
            json!({ "email": "jack.jute@example.com", "password": "jack's new password", "role": "editor",
                    "user_metadata": { "full_name": null, "lang": "en" }, "app_metadata": { "plan": "free" },
                    "email_confirm": true, "phone": "+15005550042", "phone_confirm": true }),
        )
        .await
        .ok();
    assert_eq!(user["email"], "jack.jute@example.com");
    assert_eq!(user["phone"], "15005550042");
    assert_eq!(user["role"], "editor");
    let stored = server.get(&ServiceRole, &path_of(&jack)).await.ok();
    assert_eq!(stored["user_metadata"], json!({ "a": 1, "email_verified": true, "lang": "en" }));
    assert_eq!(stored["app_metadata"]["plan"], "free");
    assert_eq!(stored["app_metadata"]["provider"], "email");
    assert!(stored["phone_confirmed_at"].is_string());

    assert_eq!(server.get(&session, "/user").await.status, 403, "a new password ends every session");
    server.try_sign_in("jack.jute@example.com", "jack's new password").await.ok();
    assert_eq!(server.try_sign_in("jack@example.com", PASSWORD).await.status, 400);
    server.sign_up_is_free("jack@example.com").await;

    let changed: Vec<String> = server
        .events_since(before)
        .into_iter()
        .filter(|event| event.actor == "admin:service_role")
        .map(|event| event.kind)
        .collect();
    for kind in [
        "user.email_changed",
        "user.phone_changed",
        "user.password_changed",
        "user.role_changed",
        "user.metadata_changed",
        "user.app_metadata_changed",
        "session.revoked",
    ] {
        assert!(changed.contains(&kind.to_owned()), "{kind} is not in {changed:?}");
    }
    server.assert_log_is_whole();
});

impl TestServer {
    /// Checks that an address is nobody's.
    async fn sign_up_is_free(&self, email: &str) {
        let body = json!({ "email": email, "password": PASSWORD });
        let user = self.post(&Anonymous, "/signup", body).await.ok();
        let user = if user.get("user").is_some() { &user["user"] } else { &user };
        assert_eq!(user["identities"].as_array().unwrap().len(), 1, "{email} is taken");
    }
}

on_both_databases!(changes_that_cannot_be_are_refused, async |database| {
    let server = TestServer::started(&database).await;
    let jack = create(&server, json!({ "email": "jack@example.com", "phone": "15005550042" })).await;
    create(&server, json!({ "email": "bob@example.com", "phone": "15005550043" })).await;
    let before = server.head();
    let path = path_of(&jack);
    let reply = server.put(&ServiceRole, &path, json!({ "password": "abc" })).await;
    assert_eq!(reply.error_code(422), "weak_password");
    server.put(&ServiceRole, &path, json!({ "email": "bob@example.com" })).await.refused(
        422,
        "email_exists",
        TAKEN_EMAIL,
    );
    let reply = server.put(&ServiceRole, &path, json!({ "phone": "15005550043" })).await;
    assert_eq!(reply.error_code(422), "phone_exists");
    for (duration, message) in [
        ("1d", "invalid format for ban duration: time: unknown unit \"d\" in duration \"1d\""),
        ("5", "invalid format for ban duration: time: missing unit in duration \"5\""),
        ("300000000h", "invalid format for ban duration: time: invalid duration \"300000000h\""),
    ] {
        server.put(&ServiceRole, &path, json!({ "ban_duration": duration })).await.refused(
            400,
            "validation_failed",
            message,
        );
    }
    server.put(&ServiceRole, "/admin/users/11111111-1111-4111-8111-111111111111", json!({})).await.refused(
        404,
        "user_not_found",
        "User not found",
    );
    assert_eq!(server.head(), before);
});

on_both_databases!(a_ban_bites_at_once_and_can_be_lifted, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    let before = server.head();
    let banned = server.put(&ServiceRole, &path, json!({ "ban_duration": "1h30m" })).await.ok();
    let until = chrono::DateTime::parse_from_rfc3339(banned["banned_until"].as_str().unwrap()).unwrap();
    let minutes = (until.to_utc() - chrono::Utc::now()).num_minutes();
    assert!((88..=90).contains(&minutes), "{minutes}");
    let reply = server.get(&ada, "/user").await;
    let code = reply.error_code(403);
    assert!(matches!(&*code, "user_banned" | "session_not_found"), "{code}");
    assert_eq!(server.events_since(before)[0].kind, "user.banned");

    let lifted = server.put(&ServiceRole, &path, json!({ "ban_duration": "none" })).await.ok();
    assert!(lifted.get("banned_until").is_none());
    assert_eq!(server.events().last().unwrap().kind, "user.unbanned");
    server.sign_in("ada@example.com").await;
    server.assert_log_is_whole();
});

on_both_databases!(a_soft_deletion_closes_the_account_and_frees_the_address, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    let body = json!({ "should_soft_delete": true });
    assert_eq!(server.delete(&ServiceRole, &path, Some(body.clone())).await.ok(), json!({}));

    let user = server.get(&ServiceRole, &path).await.ok();
    assert!(user["deleted_at"].is_string());
    assert_ne!(user["email"], "ada@example.com");
    assert!(!user.to_string().contains("ada@example.com"), "{user}");
    assert_eq!((&user["app_metadata"], &user["user_metadata"]), (&json!({}), &json!({})));
    assert_eq!(server.get(&ada, "/user").await.status, 403);
    assert_eq!(server.try_refresh(&ada.refresh_token).await.status, 400);
    assert_eq!(server.try_sign_in("ada@example.com", PASSWORD).await.status, 400);

    server.delete(&ServiceRole, &path, Some(body)).await.ok();
    let again = server.sign_up("ada@example.com").await;
    assert_ne!(again.id, ada.id);
    assert_eq!(server.delete(&ServiceRole, &path, None).await.ok(), json!({}));
    assert_eq!(server.get(&ServiceRole, &path).await.status, 404);
    server.get(&again, "/user").await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(a_deletion_for_good_leaves_nothing_but_events, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    let before = server.head();
    assert_eq!(server.delete(&ServiceRole, &path, None).await.ok(), json!({}));
    let kinds: Vec<String> = server.events_since(before).into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"user.erased".to_owned()), "{kinds:?}");

    server.get(&ServiceRole, &path).await.refused(404, "user_not_found", "User not found");
    server.delete(&ServiceRole, &path, None).await.refused(404, "user_not_found", "User not found");
    let code = server.get(&ada, "/user").await.error_code(403);
    assert!(matches!(&*code, "user_not_found" | "session_not_found"), "{code}");
    assert_eq!(server.get(&ServiceRole, "/admin/users").await.header("x-total-count"), "0");
    server.sign_up("ada@example.com").await;
    server.assert_log_is_whole();
});

on_both_databases!(the_singular_spelling_is_the_same, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/user/{}", ada.id);
    assert_eq!(server.get(&ServiceRole, &path).await.ok()["id"], json!(ada.id));
    let changed = server.put(&ServiceRole, &path, json!({ "role": "editor" })).await.ok();
    assert_eq!(changed["role"], "editor");
    assert_eq!(server.delete(&ServiceRole, &path, None).await.ok(), json!({}));
    assert_eq!(server.get(&ServiceRole, &path).await.status, 404);
});

on_both_databases!(who_is_no_administrator_is_refused_and_it_is_noted, async |database| {
    let server = TestServer::started(&database).await;
    let ada: Person = server.sign_up("ada@example.com").await;
    let before = server.head();
    server.get(&Anonymous, "/admin/users").await.refused(
        401,
        "no_authorization",
        "This endpoint requires a valid Bearer token",
    );
    server.get(&ada, "/admin/users").await.refused(403, "not_admin", "User not allowed");
    server.delete(&ada, &format!("/admin/users/{}", ada.id), None).await.refused(
        403,
        "not_admin",
        "User not allowed",
    );
    let reply = server.post(&Bearer("abc".to_owned()), "/admin/users", json!({})).await;
    assert_eq!(reply.error_code(403), "bad_jwt");
    // Inside the group the check comes before the path and the method.
    assert_eq!(server.get(&Anonymous, "/admin/nope").await.status, 401);

    let events = server.events_since(before);
    assert!(
        events.len() >= 4 && events.iter().all(|event| event.kind == "attempt.admin_denied"),
        "{events:?}"
    );
    assert_eq!(events[1].actor, format!("user:{}", ada.id));
    server.get(&ada, "/user").await.ok();
    server.assert_log_is_whole();
});

on_both_databases!(administrators_roles_are_configurable, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_JWT_ADMIN_ROLES", "boss").start().await;
    let token =
        |role: &str| Bearer(crate::support::sign_hs256(&json!({ "role": role }), crate::support::JWT_SECRET));
    server.get(&token("boss"), "/admin/users").await.ok();
    server.get(&token("service_role"), "/admin/users").await.refused(403, "not_admin", "User not allowed");
});
