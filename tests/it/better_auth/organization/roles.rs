//! Roles of an organization's own.

use super::*;

async fn with_roles(database: &crate::support::TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_OWN_ROLES_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_OWN_ROLE_LIMIT", "2")
        .start()
        .await
}

on_both_databases!(organizations_make_roles_of_their_own, async |database| {
    let server = with_roles(&database).await;
    let (tara, ruth) = (somebody(&server, "tara").await, somebody(&server, "ruth").await);
    let id = boats(&tara).await;
    let ulf = member(&server, &tara, "ulf", "member").await;
    let create = async |browser: &Browser<'_>, role: &str, permission: Value| {
        let body = json!({ "role": role, "permission": permission });
        browser.post("/organization/create-role", body).await
    };
    let invite = || json!({ "invitation": ["create"] });
    let made = create(&tara, "Scout", invite()).await.ok();
    let data = json!({
        "organizationId": "organizationId",
        "role": "scout",
        "permission": { "invitation": ["create"] },
        "createdAt": "createdAt",
        "updatedAt": null,
        "id": "id",
    });
    let expected = json!({ "success": true, "roleData": data, "statements": { "invitation": ["create"] } });
    assert_eq!(steady(&made), expected);
    let (taken, words) = ("ROLE_NAME_IS_ALREADY_TAKEN", "That role name is already taken");
    create(&tara, "scout", invite()).await.denied(400, taken, words);
    create(&tara, "owner", invite()).await.denied(400, taken, words);
    create(&tara, "x", json!({ "rocket": ["launch"] })).await.denied(
        400,
        "INVALID_RESOURCE",
        "The provided permission includes an invalid resource",
    );
    let (code, words) = ("YOU_ARE_NOT_ALLOWED_TO_CREATE_A_ROLE", "You are not allowed to create a role");
    create(&ulf, "y", invite()).await.denied(403, code, words);
    let adam = member(&server, &tara, "adam", "admin").await;
    create(&adam, "king", json!({ "organization": ["delete"] })).await.denied(403, code, words);
    create(&tara, "a,b", invite()).await.denied(400, "VALIDATION_ERROR", "[body.role] Invalid input");
    create(&tara, "second", invite()).await.ok();
    create(&tara, "third", invite()).await.denied(
        400,
        "TOO_MANY_ROLES",
        "This organization has too many roles",
    );
    create(&ruth, "x", invite()).await.denied(
        400,
        "YOU_MUST_BE_IN_AN_ORGANIZATION_TO_CREATE_A_ROLE",
        "You must be in an organization to create a role",
    );
    ruth.get(&format!("/organization/list-roles?organizationId={id}")).await.denied(
        403,
        "YOU_ARE_NOT_A_MEMBER_OF_THIS_ORGANIZATION",
        "You are not a member of this organization",
    );

    let list = ulf.get("/organization/list-roles").await.ok();
    assert_eq!((steady(&list[0]), list.as_array().unwrap().len()), (data, 2));
    let one = async |query: &str| tara.get(&format!("/organization/get-role?{query}")).await;
    assert_eq!(one("roleName=scout").await.ok(), list[0]);
    assert_eq!(one(&format!("roleId={}", text(&list[0]["id"]))).await.ok(), list[0]);
    one("roleName=unknown").await.denied(400, "ROLE_NOT_FOUND", "Role not found");
    one("").await.denied(400, "VALIDATION_ERROR", "[query] Invalid input");

    // Whoever has the role may what it grants.
    let body = json!({ "email": "eve@example.com", "role": "member" });
    ulf.post("/organization/invite-member", body.clone()).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_INVITE_USERS_TO_THIS_ORGANIZATION",
        "You are not allowed to invite users to this organization",
    );
    let role = json!({ "memberId": membership(&ulf).await, "role": "member,scout" });
    tara.post("/organization/update-member-role", role).await.ok();
    ulf.post("/organization/invite-member", body).await.ok();
    let permissions = json!({ "permissions": { "invitation": ["create"] } });
    assert_eq!(ulf.post("/organization/has-permission", permissions).await.ok()["success"], true);

    let update = async |body| tara.post("/organization/update-role", body).await;
    let more = json!({ "permission": { "invitation": ["create", "cancel"] } });
    let updated = update(json!({ "roleName": "scout", "data": more })).await.ok();
    assert_eq!(updated["roleData"]["permission"], json!({ "invitation": ["cancel", "create"] }));
    let unknown = update(json!({ "roleName": "unknown", "data": more })).await;
    unknown.denied(400, "ROLE_NOT_FOUND", "Role not found");

    let delete = async |role: &str| tara.post("/organization/delete-role", json!({ "roleName": role })).await;
    delete("scout").await.denied(
        400,
        "ROLE_IS_ASSIGNED_TO_MEMBERS",
        "Cannot delete a role that is assigned to members. \
         Please reassign the members to a different role first",
    );
    assert_eq!(delete("second").await.ok(), json!({ "success": true }));
    delete("second").await.denied(400, "ROLE_NOT_FOUND", "Role not found");
    delete("owner").await.denied(400, "CANNOT_DELETE_A_PRE_DEFINED_ROLE", "Cannot delete a pre-defined role");
    nobody(&server, Method::GET, "list-roles", Value::Null).await.signed_out();
});
