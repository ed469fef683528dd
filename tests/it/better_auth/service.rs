//! The surface itself: paths, methods, bodies.

use reqwest::Method;
use serde_json::json;

use crate::support::{Browser, TestServer};

on_both_databases!(the_surface_says_that_it_is_there, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    assert_eq!(browser.get("/ok").await.ok(), json!({ "ok": true }));

    let page = browser.get("/error?error=state_not_found").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    assert!(page.text.contains("state_not_found"));
    let page = browser.get("/error?error=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(page.text.contains("UNKNOWN") && !page.text.contains("script"), "{}", page.text);
});

on_both_databases!(what_is_not_there_is_answered_with_nothing, async |database| {
    let server = TestServer::started(&database).await;
    for (method, path) in [
        (Method::GET, "/api/auth/nothing-here"),
        (Method::GET, "/api/auth/sign-in/email"),
        (Method::PUT, "/api/auth/sign-in/email"),
        (Method::HEAD, "/api/auth/ok"),
        (Method::OPTIONS, "/api/auth/ok"),
        (Method::GET, "/api/auth/ok/"),
        (Method::GET, "/api/auth"),
        (Method::GET, "/api/auth/"),
    ] {
        let reply = server.send(server.request(method.clone(), path)).await;
        assert_eq!((reply.status, reply.text.as_str()), (404, ""), "{method} {path}");
        assert_eq!(reply.header("content-type"), "", "{method} {path}");
    }
});

on_both_databases!(bodies_are_json_or_forms_where_forms_may_come, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    let send = async |path: &str, kind: &str, body: &str| {
        let request = server.request(Method::POST, &format!("/api/auth{path}"));
        browser.send(request.header("content-type", kind).body(body.to_owned())).await
    };
    let json = "application/json";
    send("/sign-in/email", json, "{not json").await.denied(
        400,
        "BAD_REQUEST",
        "Invalid JSON in request body",
    );
    send("/sign-in/email", "text/plain", "hello").await.denied(
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "Content-Type \"text/plain\" is not allowed. Allowed types: application/x-www-form-urlencoded, application/json",
    );
    let form = "application/x-www-form-urlencoded";
    send("/sign-in/email", form, "email=nobody%40example.com&password=wrong+password").await.denied(
        401,
        "INVALID_EMAIL_OR_PASSWORD",
        "Invalid email or password",
    );
    assert_eq!(send("/sign-out", form, "a=b").await.status, 415);
    send("/sign-in/email", json, "{}").await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.email] Invalid input: expected string, received undefined; \
         [body.password] Invalid input: expected string, received undefined",
    );
    send("/sign-in/email", json, r#"{"email":42,"password":true}"#).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.email] Invalid input: expected string, received number; \
         [body.password] Invalid input: expected string, received boolean",
    );
});

on_both_databases!(no_body_makes_a_fault_of_the_servers, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let paths = [
        "/sign-up/email",
        "/sign-in/email",
        "/sign-in/social",
        "/sign-out",
        "/get-session",
        "/revoke-session",
        "/revoke-sessions",
        "/revoke-other-sessions",
        "/update-session",
        "/request-password-reset",
        "/forget-password",
        "/reset-password",
        "/change-password",
        "/verify-password",
        "/send-verification-email",
        "/change-email",
        "/update-user",
        "/delete-user",
        "/link-social",
        "/unlink-account",
        "/get-access-token",
        "/refresh-token",
        "/account-info",
        "/callback/gitlab",
    ];
    let bodies =
        ["", "null", "[]", "7", "\"x\"", "{}", r#"{"email":null,"password":[]}"#, "\u{0}", "{\"a\":"];
    for path in paths {
        if browser.session().await.is_null() {
            browser.sign_in("ann@example.com").await;
        }
        for body in bodies {
            let request = server.request(Method::POST, &format!("/api/auth{path}"));
            let request = request.header("content-type", "application/json").body(body);
            let reply = browser.send(request).await;
            assert!(reply.status < 500, "{path} {body}: {} {}", reply.status, reply.text);
        }
    }
});
