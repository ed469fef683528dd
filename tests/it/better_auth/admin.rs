//! Administrators of users: accounts, roles, lists, bans, permissions.

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, TestDatabase, TestServer};

pub(super) const ADMIN: &str = "admin@example.com";

/// A server whose administrator is whoever has confirmed an address.
pub(super) async fn administered(database: &TestDatabase) -> TestServer {
    TestServer::on(database).with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", ADMIN).start().await
}

pub(super) async fn administrator(server: &TestServer) -> Browser<'_> {
    let browser = Browser::on(server);
    browser.sign_up(ADMIN).await;
    browser
}

pub(super) fn id(answer: &Value) -> String {
    answer["user"]["id"].as_str().unwrap().to_owned()
}

async fn users(browser: &Browser<'_>, query: &str) -> Vec<String> {
    let page = browser.get(&format!("/admin/list-users?{query}")).await.ok();
    let users = page["users"].as_array().unwrap();
    assert!(page["total"].as_u64().unwrap() >= users.len() as u64, "{page}");
    users.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

on_both_databases!(an_administrator_makes_shows_and_changes_accounts, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let body = json!({
        "email": "Jack@example.com", "password": PASSWORD, "name": "Jack Jute", "role": "user",
        "data": { "displayUsername": "Jack", "username": "jack_1" },
    });
    let made = admin.post("/admin/create-user", body.clone()).await.ok();
    assert_eq!(made["user"]["email"], "jack@example.com");
    assert_eq!(
        (&made["user"]["name"], &made["user"]["role"], &made["user"]["username"]),
        (&json!("Jack Jute"), &json!("user"), &json!("jack_1"))
    );
    assert_eq!((&made["user"]["displayUsername"], &made["user"]["banned"]), (&json!("Jack"), &json!(false)));
    admin.post("/admin/create-user", body).await.denied(
        400,
        "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
        "User already exists. Use another email.",
    );
    let jack = id(&made);
    assert_eq!(admin.get(&format!("/admin/get-user?id={jack}")).await.ok(), made["user"]);
    admin.get("/admin/get-user?id=unknown").await.denied(404, "USER_NOT_FOUND", "User not found");
    let update = |data: Value| json!({ "userId": jack, "data": data });
    let changed = admin.post("/admin/update-user", update(json!({ "name": "Jack J." }))).await.ok();
    assert_eq!(changed["name"], "Jack J.");
    let nothing = admin.post("/admin/update-user", update(json!({}))).await;
    nothing.denied(400, "NO_DATA_TO_UPDATE", "No data to update");
    admin.post("/admin/update-user", update(json!({ "password": "x" }))).await.denied(
        400,
        "PASSWORD_CANNOT_BE_UPDATED_VIA_UPDATE_USER",
        "Password cannot be updated through update-user. Use the set-user-password endpoint instead",
    );
    for data in [json!({ "name": 1 }), json!({ "role": 7 }), json!({ "banned": "x" }), json!({ "email": [] })]
    {
        assert_eq!(admin.post("/admin/update-user", update(data.clone())).await.status, 400, "{data}");
    }
    // The account that was made signs in, by name as well.
    let signed_in = Browser::on(&server)
        .post("/sign-in/username", json!({ "username": "JACK_1", "password": PASSWORD }))
        .await
        .ok();
    assert_eq!(signed_in["user"]["id"], jack);
});

on_both_databases!(whoever_is_no_administrator_is_refused_everywhere, async |database| {
    let server = administered(&database).await;
    let admin = id(&administrator(&server).await.session().await);
    let lena = Browser::on(&server);
    lena.sign_up("lena@example.com").await;
    let stranger = Browser::on(&server);
    let user = json!({ "userId": admin });
    let cases = [
        ("set-role", json!({ "userId": admin, "role": "user" }), "YOU_ARE_NOT_ALLOWED_TO_CHANGE_USERS_ROLE"),
        (
            "create-user",
            json!({ "email": "z@example.com", "password": PASSWORD, "name": "Z" }),
            "YOU_ARE_NOT_ALLOWED_TO_CREATE_USERS",
        ),
        (
            "update-user",
            json!({ "userId": admin, "data": { "name": "x" } }),
            "YOU_ARE_NOT_ALLOWED_TO_UPDATE_USERS",
        ),
        ("list-user-sessions", user.clone(), "YOU_ARE_NOT_ALLOWED_TO_LIST_USERS_SESSIONS"),
        ("ban-user", user.clone(), "YOU_ARE_NOT_ALLOWED_TO_BAN_USERS"),
        ("unban-user", user.clone(), "YOU_ARE_NOT_ALLOWED_TO_BAN_USERS"),
        ("impersonate-user", user.clone(), "YOU_ARE_NOT_ALLOWED_TO_IMPERSONATE_USERS"),
        (
            "revoke-user-session",
            json!({ "sessionToken": "x" }),
            "YOU_ARE_NOT_ALLOWED_TO_REVOKE_USERS_SESSIONS",
        ),
        ("revoke-user-sessions", user.clone(), "YOU_ARE_NOT_ALLOWED_TO_REVOKE_USERS_SESSIONS"),
        ("remove-user", user, "YOU_ARE_NOT_ALLOWED_TO_DELETE_USERS"),
        (
            "set-user-password",
            json!({ "userId": admin, "newPassword": "a brand new password" }),
            "YOU_ARE_NOT_ALLOWED_TO_SET_USERS_PASSWORD",
        ),
    ];
    for (path, body, code) in cases {
        let path = format!("/admin/{path}");
        let refused = lena.post(&path, body.clone()).await;
        assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some(code)), "{path}");
        let signed_out = stranger.post(&path, body).await;
        assert_eq!((signed_out.status, signed_out.text.as_str()), (401, ""), "{path}");
        let broken = lena.post(&path, json!({})).await;
        assert_eq!(broken.json()["code"], "VALIDATION_ERROR", "{path}");
    }
    let refused = lena.get("/admin/list-users").await;
    refused.denied(403, "YOU_ARE_NOT_ALLOWED_TO_LIST_USERS", "You are not allowed to list users");
    assert_eq!(stranger.get("/admin/list-users").await.status, 401);
    // That somebody tried is noted.
    let denied = server.events().iter().filter(|event| event.kind == "attempt.admin_denied").count();
    assert_eq!(denied, 12);
});

on_both_databases!(roles_are_a_list_and_take_effect_at_once, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let jack = Browser::on(&server);
    let user = id(&jack.sign_up("jack@example.com").await);
    assert_eq!(jack.get("/admin/list-users").await.status, 403);
    let set =
        async |role: Value| admin.post("/admin/set-role", json!({ "userId": user, "role": role })).await;
    let answer = set(json!(["user", "admin"])).await.ok();
    assert_eq!(answer["user"]["role"], "user,admin");
    assert_eq!(jack.get("/admin/list-users").await.status, 200);
    assert_eq!(jack.session().await["user"]["role"], "user,admin");
    assert_eq!(set(json!("user")).await.ok()["user"]["role"], "user");
    assert_eq!(jack.get("/admin/list-users").await.status, 403);
    assert_eq!(set(json!("nonsense")).await.ok()["user"]["role"], "nonsense");
    for role in [json!([]), json!(""), json!([1]), json!(7), Value::Null] {
        assert_eq!(set(role.clone()).await.status, 400, "{role}");
    }
    let body = json!({ "userId": "unknown", "role": "user" });
    admin.post("/admin/set-role", body).await.denied(404, "USER_NOT_FOUND", "User not found");
    // The role of administrators is not the role that access tokens carry.
    let person = server.sign_in("jack@example.com").await;
    assert_eq!(person.claims()["role"], "authenticated");
});

on_both_databases!(users_are_searched_narrowed_and_sorted, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    for (n, name) in ["Cid", "Bea", "Abe"].into_iter().enumerate() {
        let body = json!({ "email": format!("{name}{n}@example.com"), "password": PASSWORD, "name": name });
        Browser::on(&server).post("/sign-up/email", body).await.ok();
    }
    let all = ["admin@example.com", "cid0@example.com", "bea1@example.com", "abe2@example.com"];
    assert_eq!(users(&admin, "").await, all);
    assert_eq!(users(&admin, "limit=2&offset=1&sortBy=createdAt&sortDirection=desc").await, [all[2], all[1]]);
    assert_eq!(users(&admin, "sortBy=name&limit=2").await, [all[3], all[0]]);
    assert_eq!(users(&admin, "searchValue=BE&searchField=name").await, [all[2], all[3]]);
    assert_eq!(users(&admin, "searchValue=cid&searchOperator=starts_with").await, [all[1]]);
    assert_eq!(users(&admin, "searchValue=1@example.com&searchOperator=ends_with").await, [all[2]]);
    assert_eq!(users(&admin, "filterField=email&filterValue=abe2@example.com").await, [all[3]]);
    assert_eq!(
        users(&admin, "filterField=name&filterOperator=in&filterValue=Bea&filterValue=Abe").await,
        all[2..]
    );
    assert_eq!(users(&admin, "filterField=banned&filterValue=true").await, [""; 0]);
    let page = admin.get("/admin/list-users?limit=2&offset=1").await.ok();
    assert_eq!((&page["total"], &page["limit"], &page["offset"]), (&json!(4), &json!(2), &json!(1)));
    let page = admin.get("/admin/list-users").await.ok();
    assert_eq!((page.get("limit"), page.get("offset")), (None, None));
    for nothing in ["sortBy=nothing", "filterField=nothing&filterValue=x", "filterValue=x';drop table users"]
    {
        let page = admin.get(&format!("/admin/list-users?{nothing}")).await.ok();
        assert_eq!(page, json!({ "users": [], "total": 0 }), "{nothing}");
    }
    admin.get("/admin/list-users?searchValue=x&searchField=phone").await.denied(
        400,
        "VALIDATION_ERROR",
        "[query.searchField] Invalid option: expected one of \"email\"|\"name\"",
    );
});

on_both_databases!(a_ban_ends_everything_on_both_sides_and_ends_by_itself, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let jack = Browser::on(&server);
    let user = id(&jack.sign_up("jack@example.com").await);
    let person = server.sign_in("jack@example.com").await;
    let ban = json!({ "userId": user, "banReason": "spam", "banExpiresIn": 604_800 });
    let banned = admin.post("/admin/ban-user", ban).await.ok();
    assert_eq!((&banned["user"]["banned"], &banned["user"]["banReason"]), (&json!(true), &json!("spam")));
    assert!(banned["user"]["banExpires"].is_string());
    assert_eq!(jack.session().await, Value::Null);
    assert_eq!(server.get(&person, "/user").await.status, 403);
    let message =
        "You have been banned from this application. Please contact support if you believe this is an error.";
    let browser = Browser::on(&server);
    browser.try_sign_in("jack@example.com", PASSWORD).await.denied(403, "BANNED_USER", message);
    let free = admin.post("/admin/unban-user", json!({ "userId": user })).await.ok();
    let (reason, until) = (&free["user"]["banReason"], &free["user"]["banExpires"]);
    assert_eq!((&free["user"]["banned"], reason, until), (&json!(false), &Value::Null, &Value::Null));
    browser.sign_in("jack@example.com").await;
    let forever = admin.post("/admin/ban-user", json!({ "userId": user })).await.ok();
    let (reason, until) = (&forever["user"]["banReason"], &forever["user"]["banExpires"]);
    assert_eq!((reason, until), (&json!("No reason"), &Value::Null));
    let own = id(&admin.session().await);
    let oneself = admin.post("/admin/ban-user", json!({ "userId": own })).await;
    oneself.denied(400, "YOU_CANNOT_BAN_YOURSELF", "You cannot ban yourself");
    for path in ["/admin/ban-user", "/admin/unban-user"] {
        let unknown = admin.post(path, json!({ "userId": "unknown" })).await;
        unknown.denied(404, "USER_NOT_FOUND", "User not found");
    }
    for seconds in [json!(1e300), json!(-5), json!(0)] {
        let body = json!({ "userId": user, "banExpiresIn": seconds });
        assert_eq!(admin.post("/admin/ban-user", body).await.status, 200, "{seconds}");
    }
});

on_both_databases!(a_person_is_removed_and_forgotten, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let jack = Browser::on(&server);
    let user = id(&jack.sign_up("jack@example.com").await);
    assert_eq!(
        admin.post("/admin/remove-user", json!({ "userId": user })).await.ok(),
        json!({ "success": true })
    );
    assert_eq!(jack.session().await, Value::Null);
    let again = admin.post("/admin/remove-user", json!({ "userId": user })).await;
    again.denied(404, "USER_NOT_FOUND", "User not found");
    let own = id(&admin.session().await);
    let oneself = admin.post("/admin/remove-user", json!({ "userId": own })).await;
    oneself.denied(400, "YOU_CANNOT_REMOVE_YOURSELF", "You cannot remove yourself");
    Browser::on(&server).sign_up("jack@example.com").await;
});

on_both_databases!(a_caller_hears_of_their_own_permissions_only, async |database| {
    let roles = r#"{"admin":{"user":["ban","set-role"],"shop":["close"]},"clerk":{"shop":["open"]}}"#;
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", ADMIN)
        .with("EVIDENT_BETTER_AUTH_ADMIN_ROLES_TABLE", roles)
        .start()
        .await;
    let (admin, lena) = (administrator(&server).await, Browser::on(&server));
    let user = id(&lena.sign_up("lena@example.com").await);
    let may = async |browser: &Browser<'_>, wanted: Value| {
        let answer = browser.post("/admin/has-permission", json!({ "permissions": wanted })).await.ok();
        assert_eq!(answer["error"], Value::Null);
        answer["success"].as_bool().unwrap()
    };
    assert!(may(&admin, json!({ "user": ["ban"] })).await);
    assert!(may(&admin, json!({ "user": ["ban"], "shop": ["close"] })).await);
    assert!(!may(&admin, json!({ "user": ["ban", "list"] })).await);
    assert!(!may(&lena, json!({ "user": ["ban"] })).await);
    admin.post("/admin/set-role", json!({ "userId": user, "role": "clerk" })).await.ok();
    assert!(may(&lena, json!({ "shop": ["open"] })).await);
    // What stands beside the question plays no part.
    let body = json!({ "permissions": { "user": ["ban"] }, "role": "admin" });
    assert_eq!(lena.post("/admin/has-permission", body.clone()).await.ok()["success"], false);
    assert_eq!(Browser::on(&server).post("/admin/has-permission", body).await.status, 401);
    let body = json!({ "permission": { "user": ["ban"] } });
    assert_eq!(admin.post("/admin/has-permission", body).await.ok()["success"], true);
    for body in [json!({}), json!({ "permissions": [] }), json!({ "permissions": { "user": "ban" } })] {
        let refused = admin.post("/admin/has-permission", body).await;
        refused.denied(400, "VALIDATION_ERROR", "[body] Invalid input");
    }
    let unknown = admin.post("/admin/set-role", json!({ "userId": user, "role": "emperor" })).await;
    unknown.denied(
        400,
        "YOU_ARE_NOT_ALLOWED_TO_SET_NON_EXISTENT_VALUE",
        "You are not allowed to set a non-existent role value",
    );
});
