//! What works elsewhere, and must not here.

use super::*;

on_both_databases!(an_unverified_sign_up_with_the_invited_address_does_not_join, async |database| {
    let server = TestServer::on(&database).with("GOTRUE_MAILER_AUTOCONFIRM", "false").start().await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let id = invite(&olga, "boss", "admin").await;
    let thief = somebody(&server, "boss").await;
    let body = json!({ "invitationId": id });
    let (code, words) = (
        "EMAIL_VERIFICATION_REQUIRED_BEFORE_ACCEPTING_OR_REJECTING_INVITATION",
        "Email verification required before accepting or rejecting invitation",
    );
    thief.post("/organization/accept-invitation", body.clone()).await.denied(403, code, words);
    thief.post("/organization/reject-invitation", body).await.denied(403, code, words);
    thief.get("/organization/list-user-invitations").await.denied(
        403,
        "EMAIL_VERIFICATION_REQUIRED_FOR_INVITATION",
        "Email verification required to view or list invitations for the session email",
    );
    assert_eq!(thief.get("/organization/list").await.ok(), json!([]));
    assert_eq!(olga.get("/organization/list-invitations").await.ok()[0]["status"], "pending");
});

on_both_databases!(an_invitation_does_not_outlive_the_inviters_right_to_invite, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let adam = member(&server, &olga, "adam", "admin").await;
    let bess = member(&server, &olga, "bess", "admin").await;
    let (first, second) = (invite(&adam, "mole1", "admin").await, invite(&bess, "mole2", "admin").await);
    olga.post("/organization/remove-member", json!({ "memberIdOrEmail": "adam@example.com" })).await.ok();
    let demoted = json!({ "memberId": membership(&bess).await, "role": "member" });
    olga.post("/organization/update-member-role", demoted).await.ok();
    for (name, id) in [("mole1", first), ("mole2", second)] {
        let mole = somebody(&server, name).await;
        let reply = mole.post("/organization/accept-invitation", json!({ "invitationId": id })).await;
        reply.denied(400, "INVITATION_NOT_FOUND", "Invitation not found");
    }
});

on_both_databases!(an_organization_with_members_keeps_an_owner_though_the_account_goes, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let olgas = user_id(&olga).await;
    let refused = erase(&server, &olgas).await;
    refused.refused(409, "conflict", "The user is the only owner of an organization with other members");
    assert_eq!(olga.get("/organization/list-members").await.ok()["total"], 2);
    // With another owner there, the first may go, and so may the last member with all there is.
    let body = json!({ "memberId": membership(&paul).await, "role": "owner" });
    olga.post("/organization/update-member-role", body).await.ok();
    assert_eq!(erase(&server, &olgas).await.status, 200);
    assert_eq!(paul.get("/organization/list-members").await.ok()["total"], 1);
    assert_eq!(erase(&server, &user_id(&paul).await).await.status, 200);
    boats(&somebody(&server, "ruth").await).await;
});

on_both_databases!(who_is_forgotten_stands_in_no_invitation_any_more, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let quin = somebody(&server, "quin").await;
    invite(&olga, "quin", "member").await;
    let list = async || olga.get("/organization/list-invitations").await;
    assert!(list().await.text.contains("paul@example.com") && list().await.text.contains("quin@example.com"));
    for browser in [&paul, &quin] {
        assert_eq!(erase(&server, &user_id(browser).await).await.status, 200);
    }
    assert_eq!(list().await.ok(), json!([]));
    // Quin had an account with this address: it was sealed with a key that is destroyed now.
    let stored = crate::privacy::stored_events(&server).await;
    assert!(!stored.contains("quin@example.com") && !stored.contains("paul@example.com"));
});

on_both_databases!(one_address_is_not_flooded_with_invitations, async |database| {
    let server = TestServer::on(&database).with_mails().start().await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let body = json!({ "email": "victim@example.com", "role": "member", "resend": true });
    for _ in 0..10 {
        olga.post("/organization/invite-member", body.clone()).await.ok();
    }
    let ruth = somebody(&server, "ruth").await;
    let other = json!({ "name": "Other", "slug": "other" });
    ruth.post("/organization/create", other).await.ok();
    for browser in [&olga, &ruth] {
        let reply = browser.post("/organization/invite-member", body.clone()).await;
        assert_eq!(reply.status, 429, "{}", reply.text);
    }
});

on_both_databases!(hostile_bodies_and_queries_are_refused_without_a_fault, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_TEAMS_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_OWN_ROLES_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_RATE_LIMIT_ENABLED", "false")
        .start()
        .await;
    let olga = somebody(&server, "olga").await;
    let id = boats(&olga).await;
    let posts = [
        "create",
        "check-slug",
        "update",
        "delete",
        "set-active",
        "invite-member",
        "accept-invitation",
        "reject-invitation",
        "cancel-invitation",
        "remove-member",
        "update-member-role",
        "leave",
        "has-permission",
        "create-team",
        "update-team",
        "remove-team",
        "set-active-team",
        "add-team-member",
        "remove-team-member",
        "create-role",
        "update-role",
        "delete-role",
    ];
    let odd = "x\u{0}\u{feff}' or 1=1 --";
    for path in posts {
        for value in
            [Value::Null, json!([]), json!(odd), json!({ "a": odd }), json!(1e300), json!(odd.repeat(999))]
        {
            let names = [
                "name",
                "slug",
                "logo",
                "metadata",
                "data",
                "organizationId",
                "organizationSlug",
                "email",
                "role",
                "invitationId",
                "memberIdOrEmail",
                "memberId",
                "permissions",
                "teamId",
                "userId",
                "permission",
                "roleName",
                "roleId",
            ];
            let mut body = json!({});
            for name in names {
                body[name] = value.clone();
            }
            for organization in [value.clone(), json!(id)] {
                body["organizationId"] = organization;
                let reply = olga.post(&format!("/organization/{path}"), body.clone()).await;
                assert!(reply.status < 500, "{path} {body}: {} {}", reply.status, reply.text);
            }
        }
        for body in [json!([]), json!("x"), Value::Null, json!(1)] {
            let reply = olga.post(&format!("/organization/{path}"), body.clone()).await;
            assert!(reply.status < 500, "{path} {body}: {} {}", reply.status, reply.text);
        }
    }
    for path in [
        "get-full-organization",
        "get-organization",
        "list-members",
        "list-invitations",
        "get-invitation",
        "get-active-member-role",
        "list-teams",
        "list-user-teams",
        "list-team-members",
        "list-roles",
        "get-role",
        "list-user-invitations",
    ] {
        for text in ["", "%00", "%27%20or%201=1", "x%FF", "-1", "99999999999999999999"] {
            let query = format!(
                "organizationId={text}&organizationSlug={text}&userId={text}&teamId={text}&roleName={text}\
                 &limit={text}&offset={text}&id={text}&membersLimit={text}&filterField=role&filterValue={text}"
            );
            let reply = olga.get(&format!("/organization/{path}?{query}")).await;
            assert!(reply.status < 500, "{path}?{query}: {} {}", reply.status, reply.text);
        }
    }
});
