//! New passwords must not stand in the list of leaked ones.

use serde_json::json;

use crate::support::{Anonymous, PASSWORD, Peer, Person, Says, ServiceRole, TestServer};

const WORDS: &str = "Password is known to be weak and easy to guess, please choose a different one.";

/// The SHA-1 of `password123` begins with these five digits and goes on so.
const PREFIX: &str = "CBFDA";
const SUFFIX: &str = "C6008F9CAB4083784CBD1874F76618D2A97";

on_both_databases!(a_leaked_password_is_refused_wherever_one_is_chosen, async |database| {
    let peer = Peer::that(|_| {
        let list = format!("0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n{SUFFIX}:251682\r\n");
        Says::plain(200, "text/plain", list)
    })
    .await;
    let server = TestServer::on(&database)
        .with("GOTRUE_PASSWORD_HIBP_ENABLED", "true")
        .with("GOTRUE_PASSWORD_HIBP_USER_AGENT", "https://example.com")
        .with("EVIDENT_PASSWORD_HIBP_URL", &peer.url(""))
        .start()
        .await;
    let sign_up = |password: &str| json!({ "email": "zoe@example.com", "password": password });
    let reply = server.post(&Anonymous, "/signup", sign_up("password123")).await;
    assert_eq!(
        reply.json(),
        json!({ "code": 422, "error_code": "weak_password", "msg": WORDS,
                "weak_password": { "reasons": ["pwned"] } })
    );
    let call = peer.call("GET", 1).await;
    assert_eq!(call.line, format!("GET /range/{PREFIX}"), "five digits leave the server and no more");
    assert_eq!((call.header("add-padding"), call.header("user-agent")), ("true", "https://example.com"));

    let zoe = Person::of_session(&server.post(&Anonymous, "/signup", sign_up(PASSWORD)).await.ok());
    let weak = json!({ "password": "password123" });
    assert_eq!(server.put(&zoe, "/user", weak.clone()).await.error_code(422), "weak_password");
    let path = format!("/admin/users/{}", zoe.id);
    assert_eq!(server.put(&ServiceRole, &path, weak).await.error_code(422), "weak_password");

    // Padding is no leak.
    peer.now(|_| Says::plain(200, "text/plain", format!("{SUFFIX}:0\r\n")));
    server.put(&zoe, "/user", json!({ "password": "password123" })).await.ok();
    peer.now(|_| Says::plain(200, "text/plain", format!("{SUFFIX}:1")));
    let session = server.try_sign_in("zoe@example.com", "password123").await.ok();
    assert_eq!(session["weak_password"], json!({ "message": WORDS, "reasons": ["pwned"] }));
});

on_both_databases!(a_list_that_does_not_answer_lets_pass_unless_the_owner_says_no, async |database| {
    let peer = Peer::that(|_| Says::status(503)).await;
    let mut server = TestServer::on(&database)
        .with("GOTRUE_PASSWORD_HIBP_ENABLED", "true")
        .with("EVIDENT_PASSWORD_HIBP_URL", &peer.url(""))
        .start()
        .await;
    server.sign_up("ada@example.com").await;

    server.stop();
    server.set("GOTRUE_PASSWORD_HIBP_FAIL_CLOSED", "true");
    server.start().await;
    let before = server.head();
    let reply =
        server.post(&Anonymous, "/signup", json!({ "email": "zoe@example.com", "password": PASSWORD })).await;
    assert_eq!(reply.error_code(500), "unexpected_failure");
    assert_eq!(reply.json()["msg"], "Unable to perform password strength check with HaveIBeenPwned.org.");
    assert_eq!(server.head(), before);
    // Who has a password comes in with it.
    server.sign_in("ada@example.com").await;
});
