//! Invitations: made, sent, looked at, answered, taken back.

use super::*;

on_both_databases!(whoever_is_invited_gets_a_mail_looks_and_joins, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    let id = boats(&olga).await;
    let paul = somebody(&server, "paul").await;
    let before = server.head();
    let body = json!({ "email": "Paul@Example.com", "role": ["member", "admin"] });
    let made = olga.post("/organization/invite-member", body).await.ok();
    let mut expected = json!({
        "organizationId": "organizationId",
        "email": "paul@example.com",
        "role": "member,admin",
        "status": "pending",
        "expiresAt": "expiresAt",
        "createdAt": "createdAt",
        "inviterId": "inviterId",
        "id": "id",
    });
    assert_eq!(steady(&made), expected);
    let moment = |name: &str| chrono::DateTime::parse_from_rfc3339(made[name].as_str().unwrap()).unwrap();
    assert_eq!((moment("expiresAt") - moment("createdAt")).num_hours(), 48);
    server.assert_log(before, &["organization.member_invited", "recipient.message_asked_for"]);
    let invitation = text(&made["id"]);
    let mail = server.mail_to("paul@example.com", 1).await;
    assert!(mail.text.contains("Ann Archer invited you to Blue Boats"), "{}", mail.text);
    assert!(mail.text.contains(&format!("/accept-invitation/{invitation}")), "{}", mail.text);

    let look = async |browser: &Browser<'_>, id: &str| {
        browser.get(&format!("/organization/get-invitation?id={id}")).await
    };
    expected["organizationName"] = json!("Blue Boats");
    let listed = expected.clone();
    expected["organizationSlug"] = json!("blue-boats");
    expected["inviterEmail"] = json!("olga@example.com");
    assert_eq!(steady(&look(&paul, &invitation).await.ok()), expected);
    let (not_recipient, words) =
        ("YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION", "You are not the recipient of the invitation");
    look(&ruth, &invitation).await.denied(403, not_recipient, words);
    look(&Browser::on(&server), &invitation).await.denied_without_code(401, "Not authenticated");
    look(&paul, "unknown").await.denied_without_code(400, "Invitation not found!");
    paul.get("/organization/get-invitation").await.denied(
        400,
        "VALIDATION_ERROR",
        "[query.id] Invalid input: expected string, received undefined",
    );

    let own = paul.get("/organization/list-user-invitations").await.ok();
    assert_eq!(steady(&own), json!([listed]));
    assert_eq!(ruth.get("/organization/list-user-invitations").await.ok(), json!([]));
    let missing = "Missing session headers, or email query parameter.";
    let signed_out = nobody(&server, Method::GET, "list-user-invitations", Value::Null).await;
    signed_out.denied_without_code(400, missing);
    ruth.get("/organization/list-user-invitations?email=paul@example.com")
        .await
        .denied_without_code(400, "User email cannot be passed for client side API calls.");

    let list = async |browser: &Browser<'_>, query: &str| {
        browser.get(&format!("/organization/list-invitations{query}")).await
    };
    assert_eq!(list(&olga, "").await.ok(), json!([made]));
    let stranger = list(&ruth, &format!("?organizationId={id}")).await;
    stranger.denied_without_code(403, "You are not a member of this organization");
    list(&ruth, "").await.denied_without_code(400, "Organization ID is required");
    list(&Browser::on(&server), "").await.signed_out();

    let accept = async |browser: &Browser<'_>| {
        browser.post("/organization/accept-invitation", json!({ "invitationId": invitation })).await
    };
    accept(&ruth).await.denied(403, not_recipient, words);
    accept(&Browser::on(&server)).await.signed_out();
    let before = server.head();
    let joined = accept(&paul).await;
    assert!(joined.set_cookies().is_empty());
    let answer = joined.ok();
    assert_eq!(answer["invitation"]["status"], "accepted");
    let member = json!({
        "organizationId": "organizationId",
        "userId": "userId",
        "role": "member,admin",
        "createdAt": "createdAt",
        "id": "id",
    });
    assert_eq!(steady(&answer["member"]), member);
    assert_eq!(active(&paul).await, id.as_str());
    server.assert_log(
        before,
        &[
            "session.active_organization_changed",
            "organization.invitation_accepted",
            "organization.member_added",
        ],
    );
    accept(&paul).await.denied(400, "INVITATION_NOT_FOUND", "Invitation not found");
    assert_eq!(list(&olga, "").await.ok()[0]["status"], "accepted");
});

on_both_databases!(invitations_are_refused_in_the_words_of_the_protocol, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let invite = async |browser: &Browser<'_>, body| browser.post("/organization/invite-member", body).await;
    let whom = |email: &str, role: &str| json!({ "email": email, "role": role });
    let known = invite(&olga, whom("quin@example.com", "member")).await.ok();
    invite(&olga, whom("quin@example.com", "member")).await.denied(
        400,
        "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION",
        "User is already invited to this organization",
    );
    let again = json!({ "email": "quin@example.com", "role": "admin", "resend": true });
    let again = invite(&olga, again).await.ok();
    assert_eq!((&again["id"], &again["createdAt"]), (&known["id"], &known["createdAt"]));
    assert_eq!(again["role"], "member", "the same invitation, for longer");
    assert!(again["expiresAt"].as_str() > known["expiresAt"].as_str());

    let unknown = invite(&olga, whom("x@example.com", "captain, mate")).await;
    unknown.denied_without_code(400, "ROLE_NOT_FOUND: captain, mate");
    invite(&olga, whom("olga@example.com", "member")).await.denied(
        400,
        "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION",
        "User is already a member of this organization",
    );
    let far = json!({ "email": "x@example.com", "role": "member", "organizationId": id });
    invite(&ruth, far).await.denied(400, "MEMBER_NOT_FOUND", "Member not found");
    invite(&olga, whom("x@", "member")).await.denied(400, "INVALID_EMAIL", "Invalid email");
    let nowhere = invite(&ruth, whom("x@example.com", "member")).await;
    nowhere.denied(400, "ORGANIZATION_NOT_FOUND", "Organization not found");
    invite(&paul, whom("x@example.com", "member")).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION",
        "You are not allowed to invite users to this organization",
    );
    let admin = member(&server, &olga, "adam", "admin").await;
    invite(&admin, whom("x@example.com", "owner")).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_INVITE_USER_WITH_THIS_ROLE",
        "You are not allowed to invite a user with this role",
    );
    invite(&olga, json!({ "email": 1, "role": 2 })).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.email] Invalid input: expected string, received number; [body.role] Invalid input",
    );
    nobody(&server, Method::POST, "invite-member", whom("x@example.com", "member")).await.signed_out();
});

on_both_databases!(an_invitation_is_rejected_once_and_by_whom_it_is_for, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    boats(&olga).await;
    let quin = somebody(&server, "quin").await;
    let id = invite(&olga, "quin", "member").await;
    let reject = async |browser: &Browser<'_>| {
        browser.post("/organization/reject-invitation", json!({ "invitationId": id })).await
    };
    reject(&ruth).await.denied(
        403,
        "YOU_ARE_NOT_THE_RECIPIENT_OF_THE_INVITATION",
        "You are not the recipient of the invitation",
    );
    reject(&Browser::on(&server)).await.signed_out();
    let answer = reject(&quin).await.ok();
    assert_eq!((&answer["invitation"]["status"], &answer["member"]), (&json!("rejected"), &Value::Null));
    reject(&quin).await.denied(400, "INVITATION_NOT_FOUND", "Invitation not found!");
    assert_eq!(quin.get("/organization/list").await.ok(), json!([]));
});

on_both_databases!(who_may_takes_an_invitation_back, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let id = invite(&olga, "quin", "member").await;
    let cancel = async |browser: &Browser<'_>, id: &str| {
        browser.post("/organization/cancel-invitation", json!({ "invitationId": id })).await
    };
    cancel(&paul, &id).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_CANCEL_THIS_INVITATION",
        "You are not allowed to cancel this invitation",
    );
    cancel(&ruth, &id).await.denied(400, "MEMBER_NOT_FOUND", "Member not found");
    cancel(&olga, "unknown").await.denied(400, "INVITATION_NOT_FOUND", "Invitation not found");
    nobody(&server, Method::POST, "cancel-invitation", json!({ "invitationId": "x" })).await.signed_out();
    assert_eq!(cancel(&olga, &id).await.ok()["status"], "canceled");
    let quin = somebody(&server, "quin").await;
    let accept = quin.post("/organization/accept-invitation", json!({ "invitationId": id })).await;
    accept.denied(400, "INVITATION_NOT_FOUND", "Invitation not found");
});
