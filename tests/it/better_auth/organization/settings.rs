//! What the owner of a server decides about organizations.

use super::*;

on_both_databases!(the_owner_bounds_how_many_and_how_large_they_are, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_LIMIT", "1")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_MEMBER_LIMIT", "2")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_INVITATION_LIMIT", "2")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_DELETION", "false")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_CANCEL_PENDING_INVITATIONS", "true")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_INVITATION_EXPIRES_IN", "1h")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_INVITATION_URL", "https://app.example.com/join?i={id}")
        .start()
        .await;
    let olga = somebody(&server, "olga").await;
    let id = boats(&olga).await;
    let second = json!({ "name": "Second", "slug": "second" });
    olga.post("/organization/create", second).await.denied(
        403,
        "YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_ORGANIZATIONS",
        "You have reached the maximum number of organizations",
    );
    olga.post("/organization/delete", json!({ "organizationId": id })).await.denied(
        404,
        "ORGANIZATION_DELETION_DISABLED",
        "Organization deletion is disabled",
    );
    let (first, again) = (invite(&olga, "paul", "member").await, invite(&olga, "paul", "admin").await);
    assert_ne!(first, again, "the second takes the place of the first");
    let quins = invite(&olga, "quin", "member").await;
    let over = json!({ "email": "rob@example.com", "role": "member" });
    let over = olga.post("/organization/invite-member", over).await;
    over.denied(403, "INVITATION_LIMIT_REACHED", "Invitation limit reached");
    let mail = server.mail_to("quin@example.com", 1).await;
    assert!(mail.text.contains(&format!("https://app.example.com/join?i={quins}")), "{}", mail.text);

    let (paul, quin) = (somebody(&server, "paul").await, somebody(&server, "quin").await);
    let accept = async |browser: &Browser<'_>, id: &str| {
        browser.post("/organization/accept-invitation", json!({ "invitationId": id })).await
    };
    accept(&paul, &first).await.denied(400, "INVITATION_NOT_FOUND", "Invitation not found");
    assert_eq!(accept(&paul, &again).await.ok()["member"]["role"], "admin");
    accept(&quin, &quins).await.denied(
        403,
        "ORGANIZATION_MEMBERSHIP_LIMIT_REACHED",
        "Organization membership limit reached",
    );
});

on_both_databases!(the_owner_says_who_makes_them_and_what_roles_grant, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_STATEMENTS", r#"{"boat":["sail","sink"]}"#)
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_ROLES", r#"{"skipper":{"boat":["sail"]}}"#)
        .start()
        .await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "skipper").await;
    let may = async |browser: &Browser<'_>, action: &str| {
        let body = json!({ "permissions": { "boat": [action] } });
        browser.post("/organization/has-permission", body).await.ok()["success"].clone()
    };
    assert_eq!((may(&olga, "sink").await, may(&paul, "sail").await), (json!(true), json!(true)));
    assert_eq!(may(&paul, "sink").await, json!(false));
});

on_both_databases!(the_owner_may_let_nobody_make_one, async |database| {
    let server =
        TestServer::on(&database).with("EVIDENT_BETTER_AUTH_ORGANIZATION_CREATION", "false").start().await;
    let olga = somebody(&server, "olga").await;
    let body = json!({ "name": "Blue Boats", "slug": "blue-boats" });
    olga.post("/organization/create", body).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_ORGANIZATION",
        "You are not allowed to create a new organization",
    );
});

on_both_databases!(the_role_of_who_makes_one_has_another_name_where_the_owner_wants_it, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_CREATOR_ROLE", "captain")
        .start()
        .await;
    let olga = somebody(&server, "olga").await;
    let id = boats(&olga).await;
    assert_eq!(olga.get("/organization/get-active-member").await.ok()["role"], "captain");
    let leave = olga.post("/organization/leave", json!({ "organizationId": id })).await;
    assert_eq!(leave.status, 400, "somebody has that role always: {}", leave.text);
    olga.post("/organization/delete", json!({ "organizationId": id })).await.ok();
});

on_both_databases!(whoever_is_invited_joins_unconfirmed_where_the_owner_lets_them, async |database| {
    let server = TestServer::on(&database)
        .with("GOTRUE_MAILER_AUTOCONFIRM", "false")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_VERIFIED_EMAIL", "false")
        .start()
        .await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    assert_eq!(paul.session().await["user"]["emailVerified"], false);
    assert_eq!(paul.get("/organization/list").await.ok().as_array().unwrap().len(), 1);
});
