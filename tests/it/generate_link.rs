//! POST `/admin/generate_link`: links that an administrator sends by other means.

use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Person, Reply, ServiceRole, TestServer};

async fn generate(server: &TestServer, body: Value) -> Reply {
    server.post(&ServiceRole, "/admin/generate_link", body).await
}

/// The path and query of a link.
fn path(link: &Value) -> String {
    link["action_link"].as_str().unwrap().strip_prefix("http://localhost:9999").unwrap().to_owned()
}

on_both_databases!(every_type_makes_a_link_and_a_code_that_work, async |database| {
    let server = TestServer::on(&database).with_mails().with("GOTRUE_DISABLE_SIGNUP", "true").start().await;
    let sign_up = json!({ "type": "signup", "email": "milo@example.com", "password": PASSWORD,
        "data": { "full_name": "Milo" }, "redirect_to": "http://localhost:3000/hi" });
    let link = generate(&server, sign_up).await.ok();
    assert_eq!(link["verification_type"], "signup");
    assert_eq!(link["redirect_to"], "http://localhost:3000/hi");
    assert_eq!(link["user_metadata"], json!({ "full_name": "Milo" }));
    assert!(path(&link).contains("&type=signup&redirect_to="), "{link}");
    assert!(path(&link).contains(link["hashed_token"].as_str().unwrap()));
    let verify = json!({ "type": "signup", "token_hash": link["hashed_token"] });
    let milo = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());
    server.sign_in("milo@example.com").await;

    for kind in ["magiclink", "recovery"] {
        let link = generate(&server, json!({ "type": kind, "email": "milo@example.com" })).await.ok();
        assert_eq!((&link["verification_type"], &link["id"]), (&json!(kind), &json!(milo.id)));
        let location = server.get(&Anonymous, &path(&link)).await.header("location").to_owned();
        assert!(location.starts_with("http://localhost:3000#access_token="), "{location}");
        let link = generate(&server, json!({ "type": kind, "email": "milo@example.com" })).await.ok();
        let verify = json!({ "type": kind, "email": "milo@example.com", "token": link["email_otp"] });
        server.post(&Anonymous, "/verify", verify).await.ok();
    }

    let link = generate(&server, json!({ "type": "invite", "email": "nina@example.com" })).await.ok();
    assert!(link["invited_at"].is_string());
    let location = server.get(&Anonymous, &path(&link)).await.header("location").to_owned();
    assert!(location.ends_with("&type=invite"), "{location}");
    for address in ["milo@example.com", "nina@example.com"] {
        assert_eq!(server.mails_to(address), 0, "nothing is sent");
    }
    server.assert_log_is_whole();
});

on_both_databases!(both_sides_of_a_change_have_their_link, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("milo@example.com").await;
    let mut server = server;
    server.stop();
    server.set("GOTRUE_MAILER_AUTOCONFIRM", "false");
    server.start().await;
    let change =
        |kind: &str| json!({ "type": kind, "email": "milo@example.com", "new_email": "milo2@example.com" });
    let current = generate(&server, change("email_change_current")).await.ok();
    let new = generate(&server, change("email_change_new")).await.ok();
    assert_eq!(new["new_email"], "milo2@example.com");
    assert_eq!(new["verification_type"], "email_change_new");
    assert!(path(&new).contains("&type=email_change&"), "{new}");
    let verify = json!({ "type": "email_change", "token_hash": new["hashed_token"] });
    assert_eq!(server.post(&Anonymous, "/verify", verify).await.ok()["code"], "200");
    let location = server.get(&Anonymous, &path(&current)).await.header("location").to_owned();
    assert!(location.contains("#access_token="), "{location}");
    server.sign_in("milo2@example.com").await;
});

on_both_databases!(a_stranger_s_magic_link_is_a_sign_up, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let link = generate(&server, json!({ "type": "magiclink", "email": "otto@example.com" })).await.ok();
    assert_eq!(link["verification_type"], "signup");
    let verify = json!({ "type": "email", "email": "otto@example.com", "token": link["email_otp"] });
    server.post(&Anonymous, "/verify", verify).await.ok();
});

on_both_databases!(what_makes_no_link_is_refused_with_the_right_words, async |database| {
    let server =
        TestServer::on(&database).with("GOTRUE_MAILER_SECURE_EMAIL_CHANGE_ENABLED", "false").start().await;
    server.sign_up("bob@example.com").await;
    server.sign_up("ada@example.com").await;
    let exists = "A user with this email address has already been registered";
    for (body, status, code, message) in [
        (
            json!({ "type": "recovery", "email": "nobody@example.com" }),
            404,
            "user_not_found",
            "User with this email not found",
        ),
        (json!({ "type": "invite", "email": "bob@example.com" }), 422, "email_exists", exists),
        (
            json!({ "type": "signup", "email": "bob@example.com", "password": PASSWORD }),
            422,
            "email_exists",
            exists,
        ),
        (
            json!({ "type": "sms", "email": "bob@example.com" }),
            400,
            "validation_failed",
            "Invalid email action link type requested: sms",
        ),
        (json!({ "type": "nonsense" }), 400, "validation_failed", "An email address is required"),
        (
            json!({ "type": "signup", "email": "new@example.com" }),
            400,
            "validation_failed",
            "Signup requires a valid password",
        ),
        (
            json!({ "type": "email_change_new", "email": "bob@example.com" }),
            400,
            "validation_failed",
            "An email address is required",
        ),
        (
            json!({ "type": "email_change_new", "email": "bob@example.com", "new_email": "ada@example.com" }),
            422,
            "email_exists",
            exists,
        ),
        (
            json!({ "type": "email_change_current", "email": "bob@example.com", "new_email": "b@example.com" }),
            400,
            "validation_failed",
            "Enable secure email change to generate link for current email",
        ),
    ] {
        generate(&server, body).await.refused(status, code, message);
    }
    let weak = json!({ "type": "signup", "email": "new@example.com", "password": "abc" });
    assert_eq!(generate(&server, weak).await.error_code(422), "weak_password");
    let reply = server.post(&Anonymous, "/admin/generate_link", json!({})).await;
    assert_eq!(reply.error_code(401), "no_authorization");
});
