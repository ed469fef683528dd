//! `POST /update-user`, `POST /delete-user`, `GET /delete-user/callback`

use serde_json::{Value, json};

use crate::support::{Browser, PASSWORD, ServiceRole, TestServer};

on_both_databases!(a_name_and_a_picture_change_for_both_protocols, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    let ann = browser.sign_up("ann@example.com").await;
    let body = json!({ "name": "Ann A. Archer", "image": "https://img.example.com/2.png" });
    let reply = browser.post("/update-user", body).await;
    assert_eq!(reply.set_cookies().len(), 1, "the cookie is set anew");
    assert_eq!(reply.ok(), json!({ "status": true }));
    let user = browser.session().await["user"].clone();
    assert_eq!(user["name"], "Ann A. Archer");
    assert_eq!(user["image"], "https://img.example.com/2.png");
    let path = format!("/admin/users/{}", ann["user"]["id"].as_str().unwrap());
    assert_eq!(server.get(&ServiceRole, &path).await.ok()["user_metadata"]["name"], "Ann A. Archer");

    browser.post("/update-user", json!({ "image": null })).await.ok();
    assert_eq!(browser.session().await["user"]["image"], Value::Null);
});

on_both_databases!(what_nobody_changes_themselves_is_refused, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("ann@example.com").await;
    let nothing = browser.post("/update-user", json!({})).await;
    assert_eq!((nothing.status, nothing.json()), (400, json!({ "message": "No fields to update" })));
    let tried = async |body: Value| browser.post("/update-user", body).await;
    tried(json!({ "email": "x@example.com" })).await.denied(
        400,
        "EMAIL_CAN_NOT_BE_UPDATED",
        "Email can not be updated",
    );
    tried(json!({ "role": "admin" })).await.denied(400, "FIELD_NOT_ALLOWED", "role is not allowed to be set");
    assert_eq!(tried(json!({ "name": 7 })).await.status, 400);
    let nobody = Browser::on(&server).post("/update-user", json!({ "name": "x" })).await;
    nobody.denied(401, "UNAUTHORIZED", "Unauthorized");
});

on_both_databases!(an_account_is_deleted_for_its_password, async |database| {
    let server =
        TestServer::on(&database).with("EVIDENT_BETTER_AUTH_DELETE_USER_ENABLED", "true").start().await;
    let browser = Browser::on(&server);
    browser.sign_up("carl@example.com").await;
    let delete = async |body: Value| browser.post("/delete-user", body).await;
    delete(json!({ "password": "wrong password" })).await.denied(400, "INVALID_PASSWORD", "Invalid password");
    let reply = delete(json!({ "password": PASSWORD })).await;
    assert_eq!(reply.set_cookies().len(), 3);
    assert_eq!(reply.ok(), json!({ "success": true, "message": "User deleted" }));
    delete(json!({})).await.denied(401, "UNAUTHORIZED", "Unauthorized");
    assert_eq!(browser.try_sign_in("carl@example.com", PASSWORD).await.status, 401);
    assert_eq!(server.try_sign_in("carl@example.com", PASSWORD).await.status, 400);
    browser.sign_up("carl@example.com").await;
});

on_both_databases!(nobody_deletes_an_account_where_that_is_off, async |database| {
    let server = TestServer::started(&database).await;
    let browser = Browser::on(&server);
    browser.sign_up("carl@example.com").await;
    let reply = browser.post("/delete-user", json!({ "password": PASSWORD })).await;
    assert_eq!((reply.status, reply.text.as_str()), (404, ""));
    assert_eq!(browser.get("/delete-user/callback?token=x").await.status, 404);
});

on_both_databases!(where_a_mail_has_to_agree_its_link_deletes_for_its_own_user_only, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_DELETE_USER_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_DELETE_USER_CONFIRMATION", "true")
        .start()
        .await;
    let (dora, eve) = (Browser::on(&server), Browser::on(&server));
    dora.sign_up("dora@example.com").await;
    eve.sign_up("eve@example.com").await;
    let asked = dora.post("/delete-user", json!({ "callbackURL": "/bye" })).await;
    assert_eq!(asked.ok(), json!({ "success": true, "message": "Verification email sent" }));
    let link = server.mail_to("dora@example.com", 1).await.link();
    let path = link.strip_prefix("/api/auth").unwrap();
    assert!(
        path.starts_with("/delete-user/callback?token=") && path.ends_with("&callbackURL=%2Fbye"),
        "{path}"
    );
    eve.get(path).await.denied(404, "INVALID_TOKEN", "Invalid token");
    let nobody = Browser::on(&server).get(path).await;
    nobody.denied(404, "FAILED_TO_GET_USER_INFO", "Failed to get user info");
    let reply = dora.get(path).await;
    assert_eq!((reply.status, reply.header("location")), (302, "/bye"));
    assert_eq!(dora.session().await, Value::Null);
    assert!(eve.session().await.is_object());
});

const FIELDS: &str = r#"{
    "language": { "type": "string" },
    "newsletter": { "type": "boolean", "required": false, "defaultValue": false },
    "plan": { "type": "string", "input": false, "defaultValue": "free" }
}"#;

on_both_databases!(an_account_has_the_fields_that_the_owner_adds, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_USER_FIELDS", FIELDS)
        .with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", "root@example.com")
        .start()
        .await;
    let browser = Browser::on(&server);
    let newcomer = |more: Value| {
        let mut body = json!({ "name": "Ann", "email": "ann@example.com", "password": PASSWORD });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        browser.post("/sign-up/email", body)
    };
    newcomer(json!({})).await.denied(400, "MISSING_FIELD", "language is required");
    let mistyped = "[body.language] Invalid input: expected string, received number";
    newcomer(json!({ "language": 1 })).await.denied(400, "VALIDATION_ERROR", mistyped);
    let forbidden = newcomer(json!({ "language": "de", "plan": "gold" })).await;
    forbidden.denied(400, "FIELD_NOT_ALLOWED", "plan is not allowed to be set");
    let user = newcomer(json!({ "language": "de", "ignored": 1 })).await.ok()["user"].clone();
    let fields = |user: &Value| ["language", "newsletter", "plan", "ignored"].map(|name| user[name].clone());
    assert_eq!(fields(&user), [json!("de"), json!(false), json!("free"), Value::Null]);

    let done = browser.post("/update-user", json!({ "language": "fr", "newsletter": true })).await.ok();
    assert_eq!(done, json!({ "status": true }));
    let refused = browser.post("/update-user", json!({ "plan": "gold" })).await;
    refused.denied(400, "FIELD_NOT_ALLOWED", "plan is not allowed to be set");
    let shown = browser.session().await["user"].clone();
    assert_eq!(fields(&shown), [json!("fr"), json!(true), json!("free"), Value::Null]);

    // One account is one account: what another protocol wrote is shown where it fits.
    let there = server.sign_in("ann@example.com").await;
    let me = server.get(&there, "/user").await.ok();
    assert_eq!(me["user_metadata"]["language"], "fr");
    server.put(&there, "/user", json!({ "data": { "language": 5, "plan": "gold" } })).await.ok();
    let shown = browser.session().await["user"].clone();
    assert_eq!(fields(&shown), [Value::Null, json!(true), json!("free"), Value::Null]);

    // What clients do not set, administrators do.
    let root = Browser::on(&server);
    root.post(
        "/sign-up/email",
        json!({ "name": "Root", "email": "root@example.com", "password": PASSWORD, "language": "en" }),
    )
    .await
    .ok();
    let data = json!({ "plan": "gold", "language": "es" });
    let body = json!({ "userId": user["id"], "data": data });
    let changed = root.post("/admin/update-user", body).await.ok();
    assert_eq!(fields(&changed), [json!("es"), json!(true), json!("gold"), Value::Null]);
});
