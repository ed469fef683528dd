//! GET and POST /verify for the mail of a sign-up.

use serde_json::json;

use crate::support::{Anonymous, Message, PASSWORD, Person, TestServer};

/// Signs up an address that has to be confirmed, and gives the mail.
async fn sign_up(server: &TestServer, email: &str) -> Message {
    let path = "/signup?redirect_to=http%3A%2F%2Flocalhost%3A3000%2Fwelcome";
    server.post(&Anonymous, path, json!({ "email": email, "password": PASSWORD })).await.ok();
    server.mail_to(email, 1).await
}

on_both_databases!(the_link_confirms_and_signs_in_once, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let mail = sign_up(&server, "ada@example.com").await;
    let before = server.head();
    let reply = server.get(&Anonymous, &mail.link()).await;

    assert_eq!(reply.status, 303);
    let (target, fragment) = reply.header("location").split_once('#').unwrap();
    assert_eq!(target, "http://localhost:3000/welcome");
    let fields: Vec<&str> = fragment.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(
        fields,
        ["access_token", "expires_at", "expires_in", "refresh_token", "sb", "token_type", "type"]
    );
    assert!(fragment.ends_with("&sb=&token_type=bearer&type=signup"));
    let token = fragment.strip_prefix("access_token=").unwrap().split('&').next().unwrap();
    let ada = crate::support::Bearer(token.to_owned());
    let user = server.get(&ada, "/user").await.ok();
    assert!(user["email_confirmed_at"].is_string());
    assert_eq!(user["confirmed_at"], user["email_confirmed_at"]);
    assert_eq!(user["user_metadata"]["email_verified"], true);
    assert_eq!(user["identities"][0]["identity_data"]["email_verified"], true);
    let kinds: Vec<String> = server.events_since(before).into_iter().map(|event| event.kind).collect();
    assert!(kinds.contains(&"user.email_confirmed".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"session.started".to_owned()), "{kinds:?}");

    let again = server.get(&Anonymous, &mail.link()).await;
    assert_eq!(again.status, 303);
    assert_eq!(
        again.header("location"),
        "http://localhost:3000/welcome#error=access_denied&error_code=otp_expired\
         &error_description=Email+link+is+invalid+or+has+expired&sb="
    );
    server.assert_log_is_whole();
});

on_both_databases!(the_code_confirms_and_signs_in_once, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let code = sign_up(&server, "bob@example.com").await.code();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let verify = |code: &str| json!({ "type": "signup", "email": "bob@example.com", "token": code });
    let refusal = "Token has expired or is invalid";
    server.post(&Anonymous, "/verify", verify(wrong)).await.refused(403, "otp_expired", refusal);
    let bob = Person::of_session(&server.post(&Anonymous, "/verify", verify(&code)).await.ok());
    assert_eq!(bob.claims()["amr"][0]["method"], "otp");
    server.get(&bob, "/user").await.ok();
    server.post(&Anonymous, "/verify", verify(&code)).await.refused(403, "otp_expired", refusal);
    server.sign_in("bob@example.com").await;
});

on_both_databases!(the_hash_of_the_link_can_be_posted, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let hash = sign_up(&server, "carl@example.com").await.link_parameter("token");
    let verify = json!({ "type": "email", "token_hash": hash });
    let session = server.post(&Anonymous, "/verify", verify.clone()).await.ok();
    assert_eq!(session["user"]["email"], "carl@example.com");
    server.post(&Anonymous, "/verify", verify).await.refused(
        403,
        "otp_expired",
        "Email link is invalid or has expired",
    );
});

on_both_databases!(only_the_address_the_code_was_sent_to_can_use_it, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let code = sign_up(&server, "ada@example.com").await.code();
    sign_up(&server, "eve@example.com").await;
    for email in ["eve@example.com", "nobody@example.com"] {
        let verify = json!({ "type": "signup", "email": email, "token": code });
        server.post(&Anonymous, "/verify", verify).await.refused(
            403,
            "otp_expired",
            "Token has expired or is invalid",
        );
    }
});

on_both_databases!(a_target_outside_the_allow_list_is_replaced_by_the_site, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let path = "/signup?redirect_to=https%3A%2F%2Fevil.example%2F";
    server.post(&Anonymous, path, json!({ "email": "ada@example.com", "password": PASSWORD })).await.ok();
    let mail = server.mail_to("ada@example.com", 1).await;
    assert!(!mail.text.contains("evil.example"), "{}", mail.text);
    let link =
        format!("{}&redirect_to=https://evil.example/", mail.link().split("&redirect_to").next().unwrap());
    let location = server.get(&Anonymous, &link).await.header("location").to_owned();
    assert!(location.starts_with("http://localhost:3000#access_token="), "{location}");
});

on_both_databases!(a_code_that_is_too_old_is_refused, async |database| {
    let server =
        TestServer::on(&database).with_confirmation().with("GOTRUE_MAILER_OTP_EXP", "1").start().await;
    let mail = sign_up(&server, "ada@example.com").await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let verify = json!({ "type": "signup", "email": "ada@example.com", "token": mail.code() });
    server.post(&Anonymous, "/verify", verify).await.refused(
        403,
        "otp_expired",
        "Token has expired or is invalid",
    );
});

on_both_databases!(a_code_cannot_be_guessed_by_trying_all, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let code = sign_up(&server, "ada@example.com").await.code();
    let verify = |code: String| json!({ "type": "signup", "email": "ada@example.com", "token": code });
    let mut tried = 0;
    for guess in (0..1_000_000).map(|number| format!("{number:06}")).filter(|guess| *guess != code).take(30) {
        let reply = server.post(&Anonymous, "/verify", verify(guess)).await;
        assert!(matches!(reply.status, 403 | 429), "{} {}", reply.status, reply.text);
        tried += 1;
    }
    let reply = server.post(&Anonymous, "/verify", verify(code)).await;
    assert!(matches!(reply.status, 403 | 429), "after {tried} guesses the code still opens");
});

on_both_databases!(what_is_no_verification_is_refused_with_the_right_words, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let hash = "0".repeat(56);
    for (body, status, message) in [
        (
            json!({ "token": "123456", "email": "bob@example.com" }),
            400,
            "Verify requires a verification type",
        ),
        (json!({ "type": "signup" }), 400, "Verify requires either a token or a token hash"),
        (
            json!({ "type": "signup", "token": "123456", "token_hash": hash }),
            400,
            "Verify requires either a token or a token hash",
        ),
        (
            json!({ "type": "signup", "token_hash": hash, "email": "bob@example.com" }),
            400,
            "Only the token_hash and type should be provided",
        ),
        (
            json!({ "type": "signup", "token": "123456", "email": "b@example.com", "phone": "15005550001" }),
            400,
            "Only an email address or phone number should be provided on verify",
        ),
        (json!({ "type": "nonsense", "token_hash": hash }), 400, "Invalid email verification type"),
        (json!({ "type": "signup", "token": "123456", "email": "bob@" }), 422, "Invalid email format"),
    ] {
        server.post(&Anonymous, "/verify", body).await.refused(status, "validation_failed", message);
    }
    server.get(&Anonymous, "/verify?token=abc").await.refused(
        400,
        "validation_failed",
        "Verify requires a verification type",
    );
    server.get(&Anonymous, "/verify?type=signup").await.refused(
        400,
        "validation_failed",
        "Verify requires a token or a token hash",
    );
    let reply = server.get(&Anonymous, "/verify?type=nonsense&token=abc").await;
    assert_eq!(reply.status, 303);
    assert!(reply.header("location").contains("error=invalid_request&error_code=validation_failed"));
    let head = server.request(reqwest::Method::HEAD, &format!("/verify?type=signup&token={hash}"));
    assert_eq!(server.send(head).await.status, 405, "link scanners consume nothing");
});
