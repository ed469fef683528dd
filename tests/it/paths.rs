//! The same surface at `/` and at `/auth/v1`.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, Person, ServiceRole, TestServer};

on_both_databases!(every_route_stands_at_the_root_and_below_auth_v1, async |database| {
    let server = TestServer::started(&database).await;
    for (prefix, email) in [("", "ada@example.com"), ("/auth/v1", "bob@example.com")] {
        let health = server.get(&Anonymous, &format!("{prefix}/health")).await.ok();
        assert_eq!(health["name"], "GoTrue");
        assert!(health["version"].is_string() && health["description"].is_string());
        assert!(
            server.get(&Anonymous, &format!("{prefix}/settings")).await.ok()["external"]["email"] == true
        );
        server.get(&Anonymous, &format!("{prefix}/.well-known/jwks.json")).await.ok();
        server.get(&Anonymous, &format!("{prefix}/.well-known/openid-configuration")).await.ok();

        let body = json!({ "email": email, "password": PASSWORD });
        let person = Person::of_session(
            &server.post(&Anonymous, &format!("{prefix}/signup"), body.clone()).await.ok(),
        );
        server.post(&Anonymous, &format!("{prefix}/token?grant_type=password"), body).await.ok();
        server.get(&person, &format!("{prefix}/user")).await.ok();
        server.get(&ServiceRole, &format!("{prefix}/admin/users/{}", person.id)).await.ok();
        let list = server.get(&ServiceRole, &format!("{prefix}/admin/users?per_page=1")).await;
        assert!(list.header("link").starts_with("</admin/users?"), "{}", list.header("link"));
        server.post_empty(&person, &format!("{prefix}/logout")).await.no_content();
        assert_eq!(server.get(&Anonymous, &format!("{prefix}/nothing-here")).await.status, 404);
    }
});

on_both_databases!(a_slash_at_the_end_is_taken_where_the_reference_takes_it, async |database| {
    let server = TestServer::started(&database).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let ada = Person::of_session(&server.post(&Anonymous, "/signup/", body).await.ok());
    server.get(&ada, "/user/").await.ok();
    server.get(&ServiceRole, "/admin/users/").await.ok();
    for path in ["/settings/", "/health/", "/.well-known/jwks.json/"] {
        assert_eq!(server.get(&Anonymous, path).await.status, 404, "{path}");
    }
    for path in ["/token/?grant_type=password", "/logout/"] {
        assert_eq!(server.post(&ada, path, json!({})).await.status, 404, "{path}");
    }
});

on_both_databases!(the_settings_tell_what_is_on, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let settings = server.get(&Anonymous, "/settings").await.ok();
    let external = settings["external"].as_object().unwrap();
    let on: Vec<&String> =
        external.iter().filter(|(_, on)| on.as_bool().unwrap()).map(|(name, _)| name).collect();
    assert_eq!(on, ["email", "phone"]);
    assert!(external.len() >= 26, "{external:?}");
    assert_eq!(settings["disable_signup"], false);
    assert_eq!(settings["mailer_autoconfirm"], false);
    assert_eq!(settings["phone_autoconfirm"], false);
    assert!(settings["sms_provider"].is_string());
    assert_eq!(settings["saml_enabled"], false);
    assert_eq!(settings["passkeys_enabled"], false);
});
