//! Names to sign in by, and people whom nobody knows.

use serde_json::{Value, json};

use super::admin::id;
use crate::support::{Browser, PASSWORD, TestDatabase, TestServer};

/// A server that lets in whom nobody knows.
async fn open(database: &TestDatabase) -> TestServer {
    TestServer::on(database).with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true").start().await
}

fn newcomer(email: &str, username: &str) -> Value {
    json!({ "name": "Hugo Hill", "email": email, "password": PASSWORD, "username": username })
}

on_both_databases!(a_name_signs_in_whatever_its_case, async |database| {
    let server = TestServer::started(&database).await;
    let hugo = Browser::on(&server);
    let made = hugo.post("/sign-up/email", newcomer("hugo@example.com", "Hugo_H")).await.ok();
    assert_eq!(
        (&made["user"]["username"], &made["user"]["displayUsername"]),
        (&json!("hugo_h"), &json!("Hugo_H"))
    );
    let try_name = async |name: &str, password: &str| {
        let body = json!({ "username": name, "password": password });
        Browser::on(&server).post("/sign-in/username", body).await
    };
    let answer = try_name("HUGO_h", PASSWORD).await.ok();
    assert_eq!((&answer["redirect"], &answer["user"]["id"]), (&json!(false), &made["user"]["id"]));
    for (name, password) in
        [("hugo_h", "wrong password"), ("nobody", PASSWORD), ("", PASSWORD), ("hugo_h", "")]
    {
        let refused = try_name(name, password).await;
        refused.denied(401, "INVALID_USERNAME_OR_PASSWORD", "Invalid username or password");
    }
    try_name("h", PASSWORD).await.denied(422, "USERNAME_TOO_SHORT", "Username is too short");
    try_name(&"h".repeat(31), PASSWORD).await.denied(422, "USERNAME_TOO_LONG", "Username is too long");
    try_name("hugo h", PASSWORD).await.denied(422, "INVALID_USERNAME", "Username is invalid");
    let free = async |name: &str| hugo.post("/is-username-available", json!({ "username": name })).await;
    assert_eq!(free("Hugo_h").await.ok(), json!({ "available": false }));
    assert_eq!(free("hugo_2").await.ok(), json!({ "available": true }));
    free("h").await.denied(422, "USERNAME_TOO_SHORT", "Username is too short");
});

on_both_databases!(a_name_is_changed_and_the_old_one_is_free, async |database| {
    let server = TestServer::started(&database).await;
    let hugo = Browser::on(&server);
    hugo.post("/sign-up/email", newcomer("hugo@example.com", "Hugo_H")).await.ok();
    Browser::on(&server).post("/sign-up/email", newcomer("otto@example.com", "otto")).await.ok();
    let change = async |name: &str| hugo.post("/update-user", json!({ "username": name })).await;
    assert_eq!(change("Hugo.Hill").await.ok(), json!({ "status": true }));
    assert_eq!(change("hugo.hill").await.ok(), json!({ "status": true }));
    let user = hugo.session().await["user"].clone();
    assert_eq!((&user["username"], &user["displayUsername"]), (&json!("hugo.hill"), &json!("Hugo_H")));
    let taken = "Username is already taken. Please try another.";
    change("otto").await.denied(400, "USERNAME_IS_ALREADY_TAKEN", taken);
    let free = hugo.post("/is-username-available", json!({ "username": "hugo_h" })).await.ok();
    assert_eq!(free, json!({ "available": true }));
});

on_both_databases!(names_may_be_told_apart_by_their_case, async |database| {
    let server =
        TestServer::on(&database).with("EVIDENT_BETTER_AUTH_USERNAME_NORMALIZATION", "none").start().await;
    let sign_up = async |email: &str, name: &str| {
        Browser::on(&server).post("/sign-up/email", newcomer(email, name)).await
    };
    let upper = sign_up("hugo@example.com", "Hugo_H").await.ok();
    assert_eq!(upper["user"]["username"], "Hugo_H");
    let lower = sign_up("h2@example.com", "hugo_h").await.ok();
    let taken = "Username is already taken. Please try another.";
    sign_up("h3@example.com", "Hugo_H").await.denied(400, "USERNAME_IS_ALREADY_TAKEN", taken);
    for (name, user) in [("Hugo_H", &upper), ("hugo_h", &lower)] {
        let body = json!({ "username": name, "password": PASSWORD });
        let answer = Browser::on(&server).post("/sign-in/username", body).await.ok();
        assert_eq!(answer["user"]["id"], user["user"]["id"]);
    }
    let other = json!({ "username": "HUGO_H", "password": PASSWORD });
    let refused = Browser::on(&server).post("/sign-in/username", other).await;
    refused.denied(401, "INVALID_USERNAME_OR_PASSWORD", "Invalid username or password");
});

on_both_databases!(a_name_is_one_persons, async |database| {
    let server = TestServer::started(&database).await;
    let sign_up = async |email: &str, name: &str| {
        Browser::on(&server).post("/sign-up/email", newcomer(email, name)).await
    };
    sign_up("hugo@example.com", "hugo_h").await.ok();
    let taken = "Username is already taken. Please try another.";
    sign_up("h2@example.com", "Hugo_H").await.denied(400, "USERNAME_IS_ALREADY_TAKEN", taken);
    sign_up("h2@example.com", "h").await.denied(400, "USERNAME_TOO_SHORT", "Username is too short");
    sign_up("h2@example.com", "hugo h").await.denied(400, "INVALID_USERNAME", "Username is invalid");
    // Two at once: one of them has it.
    let (one, two) = tokio::join!(sign_up("a@example.com", "twins"), sign_up("b@example.com", "twins"));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
});

on_both_databases!(somebody_unknown_has_a_session_and_becomes_somebody, async |database| {
    let server = open(&database).await;
    let browser = Browser::on(&server);
    let nobody = browser.post("/sign-in/anonymous", json!({})).await.ok();
    let user = &nobody["user"];
    assert_eq!((&user["name"], &user["isAnonymous"]), (&json!("Anonymous"), &json!(true)));
    assert!(user["email"].as_str().unwrap().starts_with("temp@"), "{user}");
    let again = browser.post("/sign-in/anonymous", json!({})).await;
    again.denied(
        400,
        "ANONYMOUS_USERS_CANNOT_SIGN_IN_AGAIN_ANONYMOUSLY",
        "Anonymous users cannot sign in again anonymously",
    );
    let nora = browser.sign_up("nora@example.com").await;
    assert_ne!(id(&nora), id(&nobody));
    assert_eq!(browser.session().await["user"]["email"], "nora@example.com");
    let erased = server.events().iter().filter(|event| event.kind == "user.erased").count();
    assert_eq!(erased, 1);
    // Whoever signs in from another browser leaves nobody behind.
    let other = Browser::on(&server);
    other.post("/sign-in/anonymous", json!({})).await.ok();
    other.sign_in("nora@example.com").await;
    let erased = server.events().iter().filter(|event| event.kind == "user.erased").count();
    assert_eq!(erased, 2);
});

on_both_databases!(somebody_unknown_deletes_themselves_and_nobody_else, async |database| {
    let server = open(&database).await;
    let browser = Browser::on(&server);
    browser.post("/sign-in/anonymous", json!({})).await.ok();
    let gone = browser.post("/delete-anonymous-user", json!({})).await;
    assert_eq!(gone.set_cookies().len(), 3);
    assert_eq!(gone.ok(), json!({ "success": true }));
    assert_eq!(browser.session().await, Value::Null);
    browser.post("/delete-anonymous-user", json!({})).await.denied(401, "UNAUTHORIZED", "Unauthorized");
    let nora = Browser::on(&server);
    nora.sign_up("nora@example.com").await;
    let refused = nora.post("/delete-anonymous-user", json!({})).await;
    refused.denied(403, "USER_IS_NOT_ANONYMOUS", "User is not anonymous");
});

on_both_databases!(a_name_that_many_ask_for_at_once_is_ones_by_whichever_door, async |database| {
    let server =
        TestServer::on(&database).with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", "root@example.com").start().await;
    let root = Browser::on(&server);
    root.sign_up("root@example.com").await;
    let browsers: Vec<_> = (0..3).map(|_| Browser::on(&server)).collect();
    for (n, browser) in browsers.iter().enumerate() {
        browser.sign_up(&format!("ann{n}@example.com")).await;
    }
    let renamed =
        browsers.iter().map(|browser| browser.post("/update-user", json!({ "username": "only_one" })));
    let made = (0..3).map(|n| {
        let body = json!({ "email": format!("new{n}@example.com"), "password": PASSWORD, "name": "New",
            "data": { "username": "Only_One" } });
        root.post("/admin/create-user", body)
    });
    let (renamed, made) = tokio::join!(futures::future::join_all(renamed), futures::future::join_all(made));
    let statuses: Vec<u16> = renamed.iter().chain(&made).map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| *status < 500), "{statuses:?}");
    let page = root.get("/admin/list-users?filterField=username&filterValue=only_one").await.ok();
    assert_eq!(page["total"], 1);
});
