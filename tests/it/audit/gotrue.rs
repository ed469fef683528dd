//! `GET /admin/audit`.

use serde_json::{Value, json};

use crate::passkeys;
use crate::support::{Anonymous, ES256_KEY, PASSWORD, ServiceRole, TestServer, key_set};

/// The entries of a page.
async fn entries(server: &TestServer, query: &str) -> Vec<Value> {
    let reply = server.get(&ServiceRole, &format!("/admin/audit{query}")).await.ok();
    reply.as_array().unwrap().clone()
}

/// The payloads' actions.
fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["payload"]["action"].as_str().unwrap()).collect()
}

on_both_databases!(what_users_and_administrators_do_are_entries_newest_first, async |database| {
    let server = TestServer::started(&database).await;
    let body =
        json!({ "email": "nora@example.com", "password": PASSWORD, "data": { "full_name": "Nora Nord" } });
    let nora = server.post(&Anonymous, "/signup", body).await.ok();
    let nora_id = nora["user"]["id"].as_str().unwrap();
    assert_eq!(actions(&entries(&server, "").await), ["login", "user_signedup"]);

    let person = server.sign_in("nora@example.com").await;
    server.put(&person, "/user", json!({ "data": { "colour": "red" } })).await.ok();
    server.post_empty(&person, "/logout?scope=local").await.no_content();
    let log = entries(&server, "?per_page=3").await;
    assert_eq!(actions(&log), ["logout", "user_modified", "login"]);
    let login = &log[2];
    assert_eq!(
        login["payload"],
        json!({ "action": "login", "actor_id": nora_id, "actor_name": "Nora Nord",
                "actor_username": "nora@example.com", "actor_via_sso": false, "log_type": "account",
                "traits": { "provider": "email" } })
    );
    assert_eq!(login["ip_address"], "127.0.0.1");
    assert!(login["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(log[0]["payload"].get("traits").is_none());

    let made = json!({ "phone": "15550001111", "user_metadata": {} });
    let made = server.post(&ServiceRole, "/admin/users", made).await.ok();
    let log = entries(&server, "?query=author:SERVICE").await;
    assert_eq!(
        log[0]["payload"],
        json!({ "action": "user_signedup", "actor_id": "00000000-0000-0000-0000-000000000000",
                "actor_username": "service_role", "actor_via_sso": false, "log_type": "team",
                "traits": { "provider": "phone", "user_id": made["id"], "user_email": "",
                            "user_phone": "15550001111" } })
    );
});

on_both_databases!(pages_and_filters_of_the_audit_log, async |database| {
    let server = TestServer::started(&database).await;
    for name in ["ada", "bob", "eve"] {
        server.sign_up(&format!("{name}@example.com")).await;
        server.sign_in(&format!("{name}@example.com")).await;
    }
    let first = server.get(&ServiceRole, "/admin/audit?per_page=4").await;
    assert_eq!(first.header("x-total-count"), "9");
    assert_eq!(
        first.header("link"),
        "</admin/audit?page=2&per_page=4>; rel=\"next\", </admin/audit?page=3&per_page=4>; rel=\"last\""
    );
    let all = entries(&server, "").await;
    let mut paged = first.ok().as_array().unwrap().clone();
    for page in 2..=4 {
        paged.extend(entries(&server, &format!("?per_page=4&page={page}")).await);
    }
    assert_eq!(paged, all);

    let logins = server.get(&ServiceRole, "/admin/audit?query=action:login&per_page=2&page=1").await;
    assert_eq!(logins.header("x-total-count"), "6");
    assert_eq!(
        logins.header("link"),
        "</admin/audit?page=2&per_page=2&query=action%3Alogin>; rel=\"next\", \
         </admin/audit?page=3&per_page=2&query=action%3Alogin>; rel=\"last\""
    );
    let mut paged = Vec::new();
    for page in 1..=4 {
        paged.extend(entries(&server, &format!("?query=action:LogIn&per_page=2&page={page}")).await);
    }
    let expected: Vec<_> =
        all.iter().filter(|entry| entry["payload"]["action"] == "login").cloned().collect();
    assert_eq!(paged, expected);
    assert_eq!(actions(&entries(&server, "?query=type:TEAM").await), ["user_signedup"; 3]);
    assert_eq!(entries(&server, "?query=action:user_").await.len(), 3);
    assert_eq!(entries(&server, "?query=type:dance").await.len(), 0);

    let bobs = server.get(&ServiceRole, "/admin/audit?query=author:BOB@&per_page=2").await;
    assert_eq!(bobs.header("x-total-count"), "3");
    let bobs = bobs.ok();
    assert!(bobs.as_array().unwrap().iter().all(|e| e["payload"]["actor_username"] == "bob@example.com"));
    let second = server.get(&ServiceRole, "/admin/audit?query=author:BOB@&per_page=2&page=2").await;
    assert_eq!(second.header("x-total-count"), "3");
    let second = second.ok();
    assert_eq!(second.as_array().unwrap().len(), 1);
    assert!(!bobs.as_array().unwrap().contains(&second[0]));
    let behind = server.get(&ServiceRole, "/admin/audit?query=author:BOB@&per_page=2&page=9").await;
    assert_eq!((behind.header("x-total-count"), behind.ok()), ("3", json!([])));
    for odd in ["author:%25", "author:%00", "author:%0A", "author:_ob", "author:%27%20or%201=1"] {
        assert_eq!(entries(&server, &format!("?query={odd}")).await.len(), 0, "{odd}");
    }
    let refused = server.get(&ServiceRole, "/admin/audit?query=colour:blue").await;
    refused.refused(400, "validation_failed", "Invalid query scope: colour:blue");
    assert_eq!(
        server.get(&ServiceRole, "/admin/audit?per_page=0").await.error_code(400),
        "validation_failed"
    );
    let ada = server.sign_in("ada@example.com").await;
    server.get(&ada, "/admin/audit").await.refused(403, "not_admin", "User not allowed");
    assert_eq!(server.get(&Anonymous, "/auth/v1/admin/audit/").await.status, 401);
});

on_both_databases!(what_was_refused_is_in_the_audit_log_with_the_address_it_came_from, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.try_sign_in("ada@example.com", "wrong guess").await;
    server.try_sign_in("nobody@example.com", "wrong guess").await;
    server.get(&ada, "/admin/users").await.refused(403, "not_admin", "User not allowed");
    let log = entries(&server, "?per_page=3").await;
    assert_eq!(actions(&log), ["admin_denied", "login_failed", "login_failed"]);
    assert!(log.iter().all(|entry| entry["ip_address"] == "127.0.0.1"), "{log:?}");
    assert_eq!(
        log[0]["payload"]["traits"],
        json!({ "operation": "GET /admin/users", "reason": "not_admin" })
    );
    assert_eq!(log[0]["payload"]["actor_id"], ada.id.as_str());
    assert_eq!(
        log[1]["payload"]["traits"],
        json!({ "identifier": "nobody@example.com", "reason": "unknown_account" })
    );
    assert_eq!(log[1]["payload"]["actor_username"], "");
    assert_eq!(log[2]["payload"]["actor_username"], "ada@example.com");
});

on_both_databases!(an_entry_names_people_as_they_were_called_then, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let change = json!({ "email": "countess@example.com" });
    server.put(&ServiceRole, &format!("/admin/users/{}", ada.id), change).await.ok();
    server.sign_in("countess@example.com").await;
    let log = entries(&server, "").await;
    let name = |action: &str| {
        let entry = log.iter().find(|entry| entry["payload"]["action"] == action).unwrap();
        entry["payload"].clone()
    };
    assert_eq!(name("login")["actor_username"], "countess@example.com");
    assert_eq!(name("user_signedup")["actor_username"], "ada@example.com");
    assert_eq!(name("user_modified")["traits"]["user_email"], "ada@example.com");
});

on_both_databases!(entries_of_an_erased_person_read_as_erased, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada.lovelace@example.com").await;
    server.try_sign_in("ada.lovelace@example.com", "wrong guess").await;
    let path = format!("/admin/users/{}", ada.id);
    server.delete(&ServiceRole, &path, None).await.ok();
    let reply = server.get(&ServiceRole, "/admin/audit").await;
    assert!(!reply.text.contains("lovelace"), "{}", reply.text);
    let log = reply.ok();
    let log = log.as_array().unwrap();
    let deleted = log.iter().find(|entry| entry["payload"]["action"] == "user_deleted").unwrap();
    assert_eq!(
        deleted["payload"]["traits"],
        json!({ "user_id": ada.id, "user_email": "erased", "user_phone": "" })
    );
    let login = log.iter().find(|entry| entry["payload"]["action"] == "login").unwrap();
    assert_eq!(login["payload"]["actor_username"], "erased");
    assert_eq!(login["ip_address"], "");
    assert_eq!(entries(&server, "?query=author:lovelace").await.len(), 0);
    server.assert_log_is_whole();
});

on_both_databases!(second_factors_and_passkeys_are_in_the_audit_log, async |database| {
    let server = passkeys::server(&database).await;
    let hugo = server.sign_up("hugo@example.com").await;
    let (passkey, _) = passkeys::with_passkey(&server, &hugo).await;
    let path = format!("/passkeys/{passkey}");
    let rename = server.request(reqwest::Method::PATCH, &path).bearer_auth(&hugo.access_token);
    server.send(rename.json(&json!({ "friendly_name": "laptop" }))).await.ok();
    server.delete(&hugo, &path, None).await.no_content();
    let app = server.enroll_app(&hugo, "app").await;
    let hugo = server.show_app(&hugo, &app, 0).await;
    let of_admin = format!("/admin/users/{}/factors/{}", hugo.id, app.factor);
    server.put(&ServiceRole, &of_admin, json!({ "friendly_name": "telephone" })).await.ok();
    server.delete(&hugo, &format!("/factors/{}", app.factor), None).await.ok();
    let other = server.enroll_app(&hugo, "other").await;
    let of_admin = format!("/admin/users/{}/factors/{}", hugo.id, other.factor);
    server.delete(&ServiceRole, &of_admin, None).await.ok();

    let log = entries(&server, "").await;
    assert_eq!(
        actions(&log),
        [
            "factor_deleted",
            "factor_in_progress",
            "factor_unenrolled",
            "factor_updated",
            "verification_attempted",
            "challenge_created",
            "factor_in_progress",
            "passkey_deleted",
            "passkey_updated",
            "passkey_created",
            "login",
            "user_signedup",
        ]
    );
    for (entry, log_type, actor) in [
        (&log[0], "factor", "service_role"),
        (&log[2], "factor", "hugo@example.com"),
        (&log[7], "user", "hugo@example.com"),
    ] {
        assert_eq!(
            (&entry["payload"]["log_type"], &entry["payload"]["actor_username"]),
            (&json!(log_type), &json!(actor))
        );
        assert_eq!(entry["ip_address"], "127.0.0.1");
    }
    let traits = |entry: &Value, name: &str| entry["payload"]["traits"][name].clone();
    assert_eq!(traits(&log[2], "factor_id"), app.factor.as_str());
    assert_eq!(
        (traits(&log[0], "factor_id"), traits(&log[0], "user_id")),
        (json!(other.factor), json!(hugo.id))
    );
    assert_eq!(traits(&log[9], "passkey_id"), passkey.as_str());
    assert_eq!(entries(&server, "?query=action:passkey").await.len(), 3);
    assert_eq!(entries(&server, "?query=type:factor").await.len(), 7);
});

on_both_databases!(what_administrators_register_is_in_the_audit_log, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_OAUTH_SERVER_ENABLED", "true")
        .with("GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH", "/oauth/consent")
        .with("GOTRUE_JWT_KEYS", &key_set(ES256_KEY, &[]))
        .start()
        .await;
    let body = json!({ "client_name": "Photos", "redirect_uris": ["https://photos.example.com/cb"] });
    let client = server.post(&ServiceRole, "/admin/oauth/clients", body).await;
    assert_eq!(client.status, 201);
    let id = client.json()["client_id"].as_str().unwrap().to_owned();
    let path = format!("/admin/oauth/clients/{id}");
    server.put(&ServiceRole, &path, json!({ "client_name": "Albums" })).await.ok();
    server.post_empty(&ServiceRole, &format!("{path}/regenerate_secret")).await.ok();
    server.delete(&ServiceRole, &path, None).await.no_content();
    let log = entries(&server, "").await;
    assert_eq!(
        actions(&log),
        ["oauth_client_deleted", "oauth_client_updated", "oauth_client_updated", "oauth_client_created"]
    );
    for entry in &log {
        assert_eq!(entry["payload"]["traits"]["oauth_client_id"], id.as_str());
        assert_eq!(entry["payload"]["actor_username"], "service_role");
        assert_eq!(entry["payload"]["log_type"], "team");
    }

    let provider = json!({ "provider_type": "oauth2", "identifier": "custom:intra", "name": "Intranet",
        "client_id": "cid", "client_secret": "shh-very-secret", "scopes": ["profile"],
        "authorization_url": "https://203.0.113.10/authorize", "token_url": "https://203.0.113.10/token",
        "userinfo_url": "https://203.0.113.10/me" });
    assert_eq!(server.post(&ServiceRole, "/admin/custom-providers", provider).await.status, 201);
    server.delete(&ServiceRole, "/admin/custom-providers/custom:intra", None).await.no_content();
    let log = entries(&server, "?per_page=2").await;
    assert_eq!(actions(&log), ["custom_provider_deleted", "custom_provider_created"]);
});
