//! Making, finding, changing and ending organizations, and acting in one.

use super::*;

on_both_databases!(whoever_makes_an_organization_owns_it_and_acts_in_it, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    let before = server.head();
    let body = json!({
        "name": "Blue Boats",
        "slug": "blue-boats",
        "logo": "https://img.example.com/b.png",
        "metadata": { "plan": "pro" },
    });
    let reply = olga.post("/organization/create", body).await;
    let made = reply.ok();
    assert!(reply.set_cookies().is_empty());
    let expected = json!({
        "name": "Blue Boats",
        "slug": "blue-boats",
        "logo": "https://img.example.com/b.png",
        "createdAt": "createdAt",
        "metadata": { "plan": "pro" },
        "id": "id",
        "members": [{
            "organizationId": "organizationId",
            "userId": "userId",
            "role": "owner",
            "createdAt": "createdAt",
            "id": "id",
        }],
    });
    assert_eq!(steady(&made), expected);
    assert_eq!(made["members"][0]["userId"], user_id(&olga).await.as_str());
    assert_eq!(active(&olga).await, made["id"]);
    server.assert_log(before, &["session.active_organization_changed", "organization.created"]);

    let paul = somebody(&server, "paul").await;
    let create = async |browser: &Browser<'_>, body| browser.post("/organization/create", body).await;
    create(&paul, json!({ "name": "X", "slug": "blue-boats" })).await.denied(
        400,
        "ORGANIZATION_ALREADY_EXISTS",
        "Organization already exists",
    );
    create(&paul, json!({ "slug": "x" })).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.name] Invalid input: expected string, received undefined",
    );
    create(&paul, json!({ "name": "", "slug": "x", "metadata": "y" })).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.name] Too small: expected string to have >=1 characters; \
         [body.metadata] Invalid input: expected record, received string",
    );
    create(&Browser::on(&server), json!({ "name": "X", "slug": "x" })).await.empty(401);

    let kept = json!({ "name": "Second", "slug": "second", "keepCurrentActiveOrganization": true });
    let second = create(&olga, kept).await.ok();
    assert!(second.get("metadata").is_none() && second["logo"].is_null());
    assert_eq!(active(&olga).await, made["id"]);
});

on_both_databases!(a_slug_is_free_or_taken, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let check = async |slug: &str| olga.post("/organization/check-slug", json!({ "slug": slug })).await;
    assert_eq!(check("free-slug").await.ok(), json!({ "status": true }));
    check("blue-boats").await.denied(
        400,
        "ORGANIZATION_SLUG_ALREADY_TAKEN",
        "Organization slug already taken",
    );
    for odd in ["", "a\u{0}b", &"s".repeat(256)] {
        check(odd).await.denied(400, "VALIDATION_ERROR", "[body.slug] Invalid input");
    }
    nobody(&server, Method::POST, "check-slug", json!({ "slug": "x" })).await.signed_out();
});

on_both_databases!(members_see_their_organizations_and_strangers_do_not, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, paul) = (somebody(&server, "olga").await, somebody(&server, "paul").await);
    let body = json!({ "name": "Blue Boats", "slug": "blue-boats", "metadata": { "plan": "pro" } });
    let id = text(&olga.post("/organization/create", body).await.ok()["id"]);
    let alone = json!({
        "name": "Blue Boats",
        "slug": "blue-boats",
        "logo": null,
        "createdAt": "createdAt",
        "metadata": "{\"plan\":\"pro\"}",
        "id": "id",
    });
    assert_eq!(steady(&olga.get("/organization/list").await.ok()), json!([alone]));
    assert_eq!(paul.get("/organization/list").await.ok(), json!([]));
    assert_eq!(steady(&olga.get("/organization/get-organization").await.ok()), alone);

    let mut full = alone.clone();
    full["invitations"] = json!([]);
    full["members"] = json!([{
        "organizationId": "organizationId",
        "userId": "userId",
        "role": "owner",
        "createdAt": "createdAt",
        "id": "id",
        "user": { "id": "id", "name": "Ann Archer", "email": "olga@example.com", "image": null },
    }]);
    for query in ["", &format!("?organizationId={id}"), "?organizationSlug=blue-boats"] {
        let path = format!("/organization/get-full-organization{query}");
        assert_eq!(steady(&olga.get(&path).await.ok()), full, "{query}");
    }

    let unknown = "00000000-0000-4000-8000-000000000000";
    for what in ["get-full-organization", "get-organization"] {
        assert_eq!(paul.get(&format!("/organization/{what}")).await.ok(), Value::Null);
        paul.get(&format!("/organization/{what}?organizationId={id}")).await.denied(
            403,
            "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
            "User is not a member of the organization",
        );
        for query in ["organizationSlug=unknown", "organizationId=x", &format!("organizationId={unknown}")] {
            let reply = olga.get(&format!("/organization/{what}?{query}")).await;
            reply.denied(400, "ORGANIZATION_NOT_FOUND", "Organization not found");
        }
        nobody(&server, Method::GET, what, Value::Null).await.signed_out();
    }
    nobody(&server, Method::GET, "list", Value::Null).await.signed_out();
});

on_both_databases!(a_session_acts_in_one_organization_or_in_none, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, paul) = (somebody(&server, "olga").await, somebody(&server, "paul").await);
    let id = boats(&olga).await;
    let set = async |browser: &Browser<'_>, body| browser.post("/organization/set-active", body).await;
    let out = set(&olga, json!({ "organizationId": null })).await;
    assert_eq!((out.ok(), out.set_cookies().len()), (Value::Null, 1));
    assert_eq!(active(&olga).await, Value::Null);
    let none = set(&olga, json!({})).await;
    assert_eq!((none.ok(), none.set_cookies().len()), (Value::Null, 0));
    let by_slug = set(&olga, json!({ "organizationSlug": "blue-boats" })).await;
    assert_eq!(by_slug.ok()["metadata"], Value::Null);
    assert_eq!(by_slug.set_cookies().len(), 1);
    assert_eq!(active(&olga).await, id.as_str());
    assert_eq!(set(&olga, json!({})).await.ok()["id"], id.as_str());
    let unknown = set(&olga, json!({ "organizationSlug": "unknown" })).await;
    unknown.denied(400, "ORGANIZATION_NOT_FOUND", "Organization not found");
    assert_eq!(active(&olga).await, id.as_str());
    for id in [id.as_str(), "unknown"] {
        set(&paul, json!({ "organizationId": id })).await.denied(
            403,
            "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
            "User is not a member of the organization",
        );
    }
    set(&olga, json!({ "organizationId": "unknown" })).await;
    assert_eq!(active(&olga).await, Value::Null, "who asks for what is not theirs acts nowhere");
    nobody(&server, Method::POST, "set-active", json!({})).await.signed_out();
});

on_both_databases!(owners_and_administrators_change_what_is_known_of_it, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let update = async |browser: &Browser<'_>, body| browser.post("/organization/update", body).await;
    let body = json!({ "data": { "name": "Blue Boats Ltd", "metadata": { "plan": "free" } } });
    let expected = json!({
        "name": "Blue Boats Ltd",
        "slug": "blue-boats",
        "logo": null,
        "createdAt": "createdAt",
        "metadata": { "plan": "free" },
        "id": "id",
    });
    assert_eq!(steady(&update(&olga, body).await.ok()), expected);
    let logo = json!({ "data": { "logo": "https://img.example.com/l.png" } });
    assert_eq!(update(&olga, logo).await.ok()["logo"], "https://img.example.com/l.png");
    assert_eq!(update(&olga, json!({ "data": { "logo": null } })).await.ok()["logo"], Value::Null);
    update(&paul, json!({ "data": { "name": "x" } })).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_ORGANIZATION",
        "You are not allowed to update this organization",
    );
    update(&ruth, json!({ "data": { "name": "x" }, "organizationId": id })).await.denied(
        400,
        "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
        "User is not a member of the organization",
    );
    let nowhere = update(&ruth, json!({ "data": { "name": "x" } })).await;
    nowhere.denied(400, "ORGANIZATION_NOT_FOUND", "Organization not found");
    let other = json!({ "name": "Red", "slug": "red-rafts" });
    ruth.post("/organization/create", other).await.ok();
    update(&olga, json!({ "data": { "slug": "red-rafts" } })).await.denied(
        400,
        "ORGANIZATION_SLUG_ALREADY_TAKEN",
        "Organization slug already taken",
    );
    update(&olga, json!({ "data": { "slug": "blue-boats" } })).await.ok();
    update(&olga, json!({ "data": { "name": 1 } })).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.data.name] Invalid input: expected string, received number",
    );
    update(&olga, json!({})).await.denied(
        400,
        "VALIDATION_ERROR",
        "[body.data] Invalid input: expected object, received undefined",
    );
    let signed_out = nobody(&server, Method::POST, "update", json!({ "data": { "name": "x" } })).await;
    signed_out.denied_without_code(401, "User not found");
});

on_both_databases!(only_owners_end_it_and_the_slug_is_free_again, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "admin").await;
    let delete = async |browser: &Browser<'_>| {
        browser.post("/organization/delete", json!({ "organizationId": id })).await
    };
    delete(&paul).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_ORGANIZATION",
        "You are not allowed to delete this organization",
    );
    let stranger = delete(&ruth).await;
    let (code, message) =
        ("USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION", "User is not a member of the organization");
    stranger.denied(400, code, message);
    delete(&Browser::on(&server)).await.empty(401);
    assert_eq!(delete(&olga).await.ok()["slug"], "blue-boats");
    assert_eq!(active(&olga).await, Value::Null);
    delete(&olga).await.denied(400, code, message);
    assert_eq!(paul.get("/organization/list").await.ok(), json!([]));
    boats(&ruth).await;
});
