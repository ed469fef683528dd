//! Members: lists, roles, permissions, and how a membership ends.

use super::*;

on_both_databases!(members_are_listed_page_by_page_sorted_and_filtered, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "admin").await;
    let quin = member(&server, &olga, "quin", "member,admin").await;
    let list = async |query: &str| olga.get(&format!("/organization/list-members?{query}")).await.ok();
    let emails = |page: &Value| -> Vec<String> {
        page["members"].as_array().unwrap().iter().map(|it| text(&it["user"]["email"])).collect()
    };
    let (o, p, q) = ("olga@example.com", "paul@example.com", "quin@example.com");
    let page = list("").await;
    assert_eq!((emails(&page), &page["total"]), (vec![o.into(), p.into(), q.into()], &json!(3)));
    let expected = json!({
        "organizationId": "organizationId",
        "userId": "userId",
        "role": "owner",
        "createdAt": "createdAt",
        "id": "id",
        "user": { "id": "id", "name": "Ann Archer", "email": "olga@example.com", "image": null },
    });
    assert_eq!(steady(&page["members"][0]), expected);
    let page = list("limit=1&offset=1&sortBy=createdAt&sortDirection=desc").await;
    assert_eq!((emails(&page), &page["total"]), (vec![p.to_owned()], &json!(3)));
    let since = text(&list("").await["members"][1]["createdAt"]);
    let paul_id = user_id(&paul).await;
    for (query, found) in [
        ("filterField=role&filterValue=admin", vec![p]),
        ("filterField=role&filterOperator=ne&filterValue=admin", vec![o, q]),
        ("filterField=role&filterOperator=contains&filterValue=admin", vec![p, q]),
        ("filterField=role&filterOperator=starts_with&filterValue=member", vec![q]),
        ("filterField=role&filterOperator=ends_with&filterValue=admin", vec![p, q]),
        ("filterField=role&filterOperator=in&filterValue=owner,admin", vec![o, p]),
        ("filterField=role&filterOperator=not_in&filterValue=owner,admin", vec![q]),
        (&format!("filterField=userId&filterValue={paul_id}"), vec![p]),
        (&format!("filterField=createdAt&filterOperator=gte&filterValue={since}"), vec![p, q]),
        (&format!("filterField=createdAt&filterOperator=lt&filterValue={since}"), vec![o]),
        ("filterField=role&filterValue=%27%20or%201=1--%00", vec![]),
        ("sortBy=role", vec![p, q, o]),
    ] {
        let page = list(query).await;
        assert_eq!(emails(&page), found, "{query}");
        assert_eq!(page["total"], found.len(), "{query}");
    }
    for odd in ["sortBy=password", "filterField=x&filterValue=y", "sortDirection=up", "filterOperator=like"] {
        let reply = olga.get(&format!("/organization/list-members?{odd}")).await;
        assert_eq!((reply.status, &reply.json()["code"]), (400, &json!("VALIDATION_ERROR")), "{odd}");
    }
    ruth.get(&format!("/organization/list-members?organizationId={id}")).await.denied(
        403,
        "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION",
        "You are not a member of this organization",
    );
    let nowhere = ruth.get("/organization/list-members").await;
    nowhere.denied(400, "NO_ACTIVE_ORGANIZATION", "No active organization");
    drop(quin);
});

on_both_databases!(everybody_sees_who_they_are_where_they_act, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let me = paul.get("/organization/get-active-member").await.ok();
    assert_eq!((&me["role"], &me["user"]["email"]), (&json!("member"), &json!("paul@example.com")));
    let role = "/organization/get-active-member-role";
    assert_eq!(paul.get(role).await.ok(), json!({ "role": "member" }));
    let of_olga = format!("{role}?userId={}", user_id(&olga).await);
    assert_eq!(paul.get(&of_olga).await.ok(), json!({ "role": "owner" }));
    assert_eq!(paul.get(&format!("{role}?organizationSlug=blue-boats")).await.ok()["role"], "member");
    for path in ["/organization/get-active-member", role] {
        ruth.get(path).await.denied(400, "NO_ACTIVE_ORGANIZATION", "No active organization");
        Browser::on(&server).get(path).await.signed_out();
    }
});

on_both_databases!(roles_are_changed_by_who_may, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let (olgas, pauls) = (membership(&olga).await, membership(&paul).await);
    let change = async |browser: &Browser<'_>, member: &str, role: Value| {
        let body = json!({ "memberId": member, "role": role });
        browser.post("/organization/update-member-role", body).await
    };
    let changed = change(&olga, &pauls, json!("admin")).await.ok();
    let expected = json!({
        "organizationId": "organizationId",
        "userId": "userId",
        "role": "admin",
        "createdAt": "createdAt",
        "id": "id",
    });
    assert_eq!(steady(&changed), expected);
    let (code, words) =
        ("YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER", "You are not allowed to update this member");
    change(&paul, &pauls, json!("owner")).await.denied(403, code, words);
    change(&paul, &olgas, json!("member")).await.denied(403, code, words);
    let unknown = change(&olga, "unknown", json!("member")).await;
    unknown.denied(400, "MEMBER_NOT_FOUND", "Member not found");
    change(&olga, &pauls, json!("captain")).await.denied(400, "ROLE_NOT_FOUND", "ROLE_NOT_FOUND: captain");
    for none in [json!(""), json!([]), json!(" , ")] {
        change(&olga, &pauls, none).await.empty(400);
    }
    change(&olga, &olgas, json!("member")).await.denied(
        400,
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_WITHOUT_AN_OWNER",
        "You cannot leave the organization without an owner",
    );
    change(&Browser::on(&server), &pauls, json!("member")).await.signed_out();
    assert_eq!(change(&olga, &pauls, json!(["member", "owner"])).await.ok()["role"], "member,owner");
    assert_eq!(change(&olga, &olgas, json!("member")).await.ok()["role"], "member");
    change(&olga, &pauls, json!("member")).await.denied(403, code, words);
});

on_both_databases!(permissions_follow_from_roles, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let may = async |browser: &Browser<'_>, body| browser.post("/organization/has-permission", body).await;
    let invite = || json!({ "permissions": { "invitation": ["create"] } });
    assert_eq!(may(&olga, invite()).await.ok(), json!({ "error": null, "success": true }));
    assert_eq!(may(&paul, invite()).await.ok(), json!({ "error": null, "success": false }));
    let old = json!({ "permission": { "organization": ["delete"] } });
    assert_eq!(may(&olga, old).await.ok()["success"], false);
    let both = json!({ "permissions": { "member": ["create"] }, "permission": { "member": ["create"] } });
    for body in [json!({}), both, json!({ "permissions": "all" }), json!({ "permissions": { "a": "b" } })] {
        may(&olga, body).await.denied(400, "VALIDATION_ERROR", "[body] Invalid input");
    }
    may(&ruth, invite()).await.denied(400, "NO_ACTIVE_ORGANIZATION", "No active organization");
    let far = json!({ "permissions": { "member": ["create"] }, "organizationId": id });
    may(&ruth, far).await.denied(
        401,
        "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
        "User is not a member of the organization",
    );
    may(&Browser::on(&server), invite()).await.signed_out();
});

on_both_databases!(members_leave_and_the_only_owner_stays, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let leave = async |browser: &Browser<'_>| {
        browser.post("/organization/leave", json!({ "organizationId": id })).await
    };
    leave(&olga).await.denied(
        400,
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
        "You cannot leave the organization as the only owner",
    );
    let left = leave(&paul).await.ok();
    assert_eq!((&left["role"], &left["user"]["email"]), (&json!("member"), &json!("paul@example.com")));
    assert_eq!(active(&paul).await, Value::Null);
    leave(&paul).await.denied(400, "MEMBER_NOT_FOUND", "Member not found");
    leave(&Browser::on(&server)).await.signed_out();
});

on_both_databases!(members_are_removed_by_who_may, async |database| {
    let server = TestServer::started(&database).await;
    let (olga, ruth) = (somebody(&server, "olga").await, somebody(&server, "ruth").await);
    boats(&olga).await;
    let paul = member(&server, &olga, "paul", "member").await;
    let quin = member(&server, &olga, "quin", "member").await;
    let remove = async |browser: &Browser<'_>, whom: &str| {
        browser.post("/organization/remove-member", json!({ "memberIdOrEmail": whom })).await
    };
    remove(&paul, "quin@example.com").await.denied(
        401,
        "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_MEMBER",
        "You are not allowed to delete this member",
    );
    remove(&paul, "olga@example.com").await.denied(
        400,
        "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER",
        "You cannot leave the organization as the only owner",
    );
    let removed = remove(&olga, "Quin@example.com").await.ok();
    assert_eq!(removed["member"]["user"]["email"], "quin@example.com");
    let by_id = remove(&olga, &membership(&paul).await).await.ok();
    assert!(by_id["member"].get("user").is_none());
    for unknown in ["unknown", "nobody@example.com", "no@address@at all"] {
        remove(&olga, unknown).await.denied(400, "MEMBER_NOT_FOUND", "Member not found");
    }
    remove(&ruth, "x@example.com").await.denied(400, "NO_ACTIVE_ORGANIZATION", "No active organization");
    remove(&Browser::on(&server), "x").await.signed_out();
    // Who was removed still acts there, sees nothing, and acts nowhere then.
    quin.get("/organization/get-full-organization").await.denied(
        403,
        "USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION",
        "User is not a member of the organization",
    );
    assert_eq!(quin.get("/organization/get-full-organization").await.ok(), Value::Null);
    assert_eq!(quin.get("/organization/list").await.ok(), json!([]));
});
