//! Where Supabase Auth is wrong or unsafe, and this server is not: what the files of each subject do not show.

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Anonymous, PASSWORD, Person, ServiceRole, TestServer};

on_both_databases!(answers_with_tokens_are_stored_by_nobody, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", body).await.ok();
    let signed_in = server.try_sign_in("ada@example.com", PASSWORD).await;
    let ada = Person::of_session(&signed_in.json());
    let refreshed = server.try_refresh(&ada.refresh_token).await;
    let ada = Person::of_session(&refreshed.json());
    let enrolled = server.post(&ada, "/factors", json!({ "factor_type": "totp" })).await;
    let body = json!({ "type": "magiclink", "email": "ada@example.com" });
    let link = server.post(&ServiceRole, "/admin/generate_link", body.clone()).await;
    let verify = json!({ "type": "magiclink", "token_hash": link.json()["hashed_token"] });
    let verified = server.post(&Anonymous, "/verify", verify).await;
    let link_to_open = server.post(&ServiceRole, "/admin/generate_link", body).await.ok();
    let (_, path) = link_to_open["action_link"].as_str().unwrap().split_once("/verify").unwrap();
    let opened = server.get(&Anonymous, &format!("/verify{path}")).await;
    assert!(opened.header("location").contains("#access_token="));
    for reply in [signed_in, refreshed, enrolled, link, verified, opened] {
        assert!(matches!(reply.status, 200 | 303), "{}", reply.text);
        assert_eq!(reply.header("cache-control"), "no-store", "{}", reply.text);
    }
});

on_both_databases!(a_forged_address_dodges_no_limit, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_RATE_LIMIT_OTP", "1")
        .with("GOTRUE_RATE_LIMIT_HEADER", "X-Forwarded-For")
        .with("GOTRUE_SECURITY_SB_FORWARDED_FOR_ENABLED", "true")
        .start()
        .await;
    let ask = async |number: u32| {
        let forged = format!("203.0.113.{number}");
        let request = server.request(Method::POST, "/recover").json(&json!({}));
        let request = request.header("x-forwarded-for", &forged).header("sb-forwarded-for", &forged);
        server.send(request.header("forwarded", format!("for={forged}")).header("x-real-ip", &forged)).await
    };
    for number in 0..30 {
        assert!(ask(number).await.status < 429);
    }
    assert_eq!(ask(31).await.error_code(429), "over_request_rate_limit");
    assert!(server.log_text().contains("no proxy is trusted"));
});

on_both_databases!(a_link_is_used_up_by_one_of_many_who_open_it, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    server
        .post(&Anonymous, "/signup", json!({ "email": "ada@example.com", "password": PASSWORD }))
        .await
        .ok();
    let link = server.mail_to("ada@example.com", 1).await.link();
    let opened = join_all((0..6).map(|_| server.get(&Anonymous, &link))).await;
    let inside = opened.iter().filter(|reply| reply.header("location").contains("access_token=")).count();
    assert_eq!(inside, 1);
    assert_eq!(server.events().iter().filter(|event| event.kind == "session.started").count(), 1);
});

on_both_databases!(a_program_that_opens_links_uses_none_up_where_the_owner_wishes, async |database| {
    let server =
        TestServer::on(&database).with_mails().with("EVIDENT_MAIL_LINKS_ASK_FIRST", "true").start().await;
    server
        .post(&Anonymous, "/signup", json!({ "email": "ada@example.com", "password": PASSWORD }))
        .await
        .ok();
    let link = server.mail_to("ada@example.com", 1).await.link();
    for _ in 0..3 {
        let page = server.get(&Anonymous, &link).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(page.text.contains("<form method=\"get\">") && page.text.contains("name=\"token\""));
    }
    // The form sends what the link said, and that the button was pressed.
    let reply = server.get(&Anonymous, &format!("{link}&asked=yes")).await;
    assert_eq!(reply.status, 303);
    assert!(reply.header("location").contains("#access_token="), "{}", reply.header("location"));
    // No method but GET opens a link.
    let head = server.send(server.request(Method::HEAD, &link)).await;
    assert_eq!(head.status, 405);
});

on_both_databases!(identities_are_told_as_they_are_stored, async |database| {
    let server = TestServer::started(&database).await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let told = server.post(&Anonymous, "/signup", body).await.ok();
    let path = format!("/admin/users/{}", told["user"]["id"].as_str().unwrap());
    let verified = |user: &Value| user["identities"][0]["identity_data"]["email_verified"].clone();
    assert_eq!(verified(&told["user"]), true);
    assert_eq!(verified(&server.get(&ServiceRole, &path).await.ok()), true);

    let change = json!({ "email": "countess@example.com", "phone": "15005550001", "phone_confirm": true });
    let told = server.put(&ServiceRole, &path, change).await.ok();
    let stored = server.get(&ServiceRole, &path).await.ok();
    assert_eq!(told["identities"], stored["identities"]);
    assert_eq!(told["identities"][0]["identity_data"]["email"], "countess@example.com");
    assert_eq!(
        told["app_metadata"]["providers"],
        json!(["email", "phone"]),
        "the new identity is among them"
    );
});

on_both_databases!(a_closed_account_keeps_no_trace_of_changes_that_were_never_asked_for, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    server.delete(&ServiceRole, &path, Some(json!({ "should_soft_delete": true }))).await.ok();
    let user = server.get(&ServiceRole, &path).await.ok();
    for field in ["new_email", "new_phone"] {
        assert!(user.get(field).is_none_or(|value| value == ""), "{user}");
    }
});

on_both_databases!(no_number_is_taken_where_numbers_are_off, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_EXTERNAL_PHONE_ENABLED", "false").start().await;
    let ada = server.sign_up("ada@example.com").await;
    let reply = server.put(&ada, "/user", json!({ "phone": "15005550001" })).await;
    assert_eq!(reply.error_code(400), "phone_provider_disabled");
});

on_both_databases!(an_address_of_another_audience_is_answered_as_any_that_is_taken, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "email_confirm": true });
    server.post(&ServiceRole, "/admin/users", body.clone()).await.ok();
    let request = server.request(Method::POST, "/signup").header("x-jwt-aud", "another").json(&body);
    let pretended = server.send(request).await.ok();
    assert_eq!((&pretended["identities"], &pretended["aud"]), (&json!([]), &json!("another")));
    assert_eq!(server.mails_to("ada@example.com"), 0);
});

on_both_databases!(the_settings_promise_no_key_of_saml, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_SAML_ENABLED", "true").start().await;
    let settings = server.get(&Anonymous, "/settings").await.ok();
    assert_eq!(settings["saml_enabled"], false);
    assert_eq!(settings.get("saml_private_key_next_configured").unwrap_or(&json!(false)), &json!(false));
});
