//! Teams.

use super::*;

async fn with_teams(database: &crate::support::TestDatabase) -> TestServer {
    TestServer::on(database).with("EVIDENT_BETTER_AUTH_TEAMS_ENABLED", "true").start().await
}

async fn team(browser: &Browser<'_>, name: &str) -> Value {
    browser.post("/organization/create-team", json!({ "name": name })).await.ok()
}

on_both_databases!(an_organization_comes_with_a_team, async |database| {
    let server = with_teams(&database).await;
    let (tara, ulf) = (somebody(&server, "tara").await, somebody(&server, "ulf").await);
    let id = boats(&tara).await;
    let teams = tara.get("/organization/list-teams").await.ok();
    let expected = json!([{
        "name": "Blue Boats",
        "organizationId": "organizationId",
        "createdAt": "createdAt",
        "updatedAt": null,
        "id": "id",
    }]);
    assert_eq!(steady(&teams), expected);
    assert_eq!(tara.session().await["session"]["activeTeamId"], teams[0]["id"]);
    assert_eq!(tara.get("/organization/get-full-organization").await.ok()["teams"], teams);
    assert_eq!(tara.get("/organization/list-user-teams").await.ok(), teams);
    ulf.get(&format!("/organization/list-teams?organizationId={id}")).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_ACCESS_THIS_ORGANIZATION",
        "You are not allowed to access this organization as an owner",
    );
    // The team in which one acts stays.
    let body = json!({ "teamId": teams[0]["id"] });
    tara.post("/organization/remove-team", body.clone()).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_DELETE_THIS_TEAM",
        "You are not allowed to delete this team",
    );
    tara.post("/organization/set-active-team", json!({ "teamId": null })).await.ok();
    tara.post("/organization/remove-team", body).await.denied(
        400,
        "UNABLE_TO_REMOVE_LAST_TEAM",
        "Unable to remove last team",
    );
});

on_both_databases!(teams_are_made_renamed_and_removed, async |database| {
    let server = with_teams(&database).await;
    let (tara, ulf) = (somebody(&server, "tara").await, somebody(&server, "ulf").await);
    boats(&tara).await;
    let crew = team(&tara, "Crew").await;
    assert_eq!(crew["updatedAt"], crew["createdAt"]);
    let nowhere = ulf.post("/organization/create-team", json!({ "name": "Crew" })).await;
    nowhere.denied(400, "NO_ACTIVE_ORGANIZATION", "No active organization");
    nobody(&server, Method::POST, "create-team", json!({ "name": "Crew" })).await.empty(401);
    let update = async |id: &Value, name: &str| {
        tara.post("/organization/update-team", json!({ "teamId": id, "data": { "name": name } })).await
    };
    let renamed = update(&crew["id"], "Ground crew").await.ok();
    assert_eq!((&renamed["name"], &renamed["createdAt"]), (&json!("Ground crew"), &crew["createdAt"]));
    update(&json!("unknown"), "x").await.denied(400, "TEAM_NOT_FOUND", "Team not found");
    let mina = member(&server, &tara, "mina", "member").await;
    mina.post("/organization/create-team", json!({ "name": "Mine" })).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_CREATE_TEAMS_IN_THIS_ORGANIZATION",
        "You are not allowed to create teams in this organization",
    );
    let remove = async |browser: &Browser<'_>| {
        browser.post("/organization/remove-team", json!({ "teamId": crew["id"] })).await
    };
    remove(&mina).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_DELETE_TEAMS_IN_THIS_ORGANIZATION",
        "You are not allowed to delete teams in this organization",
    );
    assert_eq!(remove(&tara).await.ok(), json!({ "message": "Team removed successfully." }));
    remove(&tara).await.denied(400, "TEAM_NOT_FOUND", "Team not found");
});

on_both_databases!(invited_into_a_team_one_acts_in_it, async |database| {
    let server = with_teams(&database).await;
    let (tara, ulf) = (somebody(&server, "tara").await, somebody(&server, "ulf").await);
    let organization = boats(&tara).await;
    let crew = text(&team(&tara, "Crew").await["id"]);
    let body = json!({ "email": "ulf@example.com", "role": "member", "teamId": crew });
    let invited = tara.post("/organization/invite-member", body).await.ok();
    assert_eq!(invited["teamId"], crew.as_str());
    let unknown = json!({ "email": "x@example.com", "role": "member", "teamId": ["unknown"] });
    let unknown = tara.post("/organization/invite-member", unknown).await;
    unknown.denied(400, "TEAM_NOT_FOUND", "Team not found");
    let body = json!({ "invitationId": invited["id"] });
    let joined = ulf.post("/organization/accept-invitation", body).await;
    assert_eq!(joined.set_cookies().len(), 1);
    assert_eq!(joined.ok()["invitation"]["teamId"], crew.as_str());
    let session = ulf.session().await["session"].clone();
    assert_eq!(
        (text(&session["activeOrganizationId"]), text(&session["activeTeamId"])),
        (organization, crew.clone())
    );

    let set = async |body| ulf.post("/organization/set-active-team", body).await;
    let out = set(json!({ "teamId": null })).await;
    assert_eq!((out.ok(), out.set_cookies().len()), (Value::Null, 1));
    assert_eq!(set(json!({})).await.ok(), Value::Null);
    assert_eq!(set(json!({ "teamId": crew })).await.ok()["name"], "Crew");
    set(json!({ "teamId": "unknown" })).await.denied(400, "TEAM_NOT_FOUND", "Team not found");
    let first = tara.get("/organization/list-teams").await.ok()[0]["id"].clone();
    let (code, words) = ("USER_IS_NOT_A_MEMBER_OF_THE_TEAM", "User is not a member of the team");
    set(json!({ "teamId": first })).await.denied(403, code, words);

    let people = ulf.get(&format!("/organization/list-team-members?teamId={crew}")).await.ok();
    let expected = json!([{ "teamId": "teamId", "userId": "userId", "createdAt": "createdAt", "id": "id" }]);
    assert_eq!(steady(&people), expected);
    let foreign = tara.get(&format!("/organization/list-team-members?teamId={crew}")).await;
    foreign.denied(400, code, words);
    nobody(&server, Method::GET, "list-user-teams", Value::Null).await.signed_out();

    // An invitation forgets a team that is removed.
    let body = json!({ "email": "wil@example.com", "role": "member", "teamId": crew });
    let other = tara.post("/organization/invite-member", body).await.ok();
    tara.post("/organization/remove-team", json!({ "teamId": crew })).await.ok();
    let wil = somebody(&server, "wil").await;
    let joined = wil.post("/organization/accept-invitation", json!({ "invitationId": other["id"] })).await;
    assert_eq!(joined.ok()["invitation"]["teamId"], Value::Null);
    assert_eq!(wil.get("/organization/list-user-teams").await.ok(), json!([]));
});

on_both_databases!(members_are_put_into_a_team_and_taken_out, async |database| {
    let server = with_teams(&database).await;
    let tara = somebody(&server, "tara").await;
    boats(&tara).await;
    let crew = text(&team(&tara, "Crew").await["id"]);
    let ulf = member(&server, &tara, "ulf", "member").await;
    let (taras, ulfs) = (user_id(&tara).await, user_id(&ulf).await);
    let put = async |browser: &Browser<'_>, what: &str, user: &str| {
        let body = json!({ "teamId": crew, "userId": user });
        browser.post(&format!("/organization/{what}-team-member"), body).await
    };
    let place = put(&tara, "add", &taras).await.ok();
    assert_eq!(put(&tara, "add", &taras).await.ok(), place, "once is enough");
    put(&ulf, "add", &taras).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_CREATE_A_NEW_TEAM_MEMBER",
        "You are not allowed to create a new member",
    );
    let (code, words) =
        ("USER_IS_NOT_A_MEMBER_OF_THE_ORGANIZATION", "User is not a member of the organization");
    put(&tara, "add", "unknown").await.denied(400, code, words);
    put(&tara, "add", &ulfs).await.ok();
    let of_ulf = tara.get(&format!("/organization/list-user-teams?userId={ulfs}")).await.ok();
    assert_eq!(of_ulf[0]["id"], crew.as_str());
    ulf.get(&format!("/organization/list-user-teams?userId={taras}")).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_UPDATE_THIS_MEMBER",
        "You are not allowed to update this member",
    );
    put(&ulf, "remove", &taras).await.denied(
        403,
        "YOU_ARE_NOT_ALLOWED_TO_REMOVE_A_TEAM_MEMBER",
        "You are not allowed to remove a team member",
    );
    let out = put(&tara, "remove", &ulfs).await.ok();
    assert_eq!(out, json!({ "message": "Team member removed successfully." }));
    put(&tara, "remove", &ulfs).await.denied(
        400,
        "USER_IS_NOT_A_MEMBER_OF_THE_TEAM",
        "User is not a member of the team",
    );
});

on_both_databases!(without_teams_nobody_finds_the_way_to_them, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    olga.post("/organization/create-team", json!({ "name": "Crew" })).await.empty(404);
    olga.get("/organization/list-teams").await.empty(404);
    olga.post("/organization/create-role", json!({ "role": "x", "permission": {} })).await.empty(404);
    let full = olga.get("/organization/get-full-organization").await.ok();
    assert!(full.get("teams").is_none());
});

on_both_databases!(the_owner_bounds_how_many_and_how_large_teams_are, async |database| {
    let server = TestServer::on(&database)
        .with("EVIDENT_BETTER_AUTH_TEAMS_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_TEAMS_FIRST", "false")
        .with("EVIDENT_BETTER_AUTH_TEAMS_REMOVABLE", "true")
        .with("EVIDENT_BETTER_AUTH_TEAM_LIMIT", "1")
        .with("EVIDENT_BETTER_AUTH_TEAM_MEMBER_LIMIT", "1")
        .start()
        .await;
    let tara = somebody(&server, "tara").await;
    boats(&tara).await;
    assert_eq!(tara.get("/organization/list-teams").await.ok(), json!([]));
    let crew = team(&tara, "Crew").await["id"].clone();
    tara.post("/organization/create-team", json!({ "name": "Second" })).await.denied(
        400,
        "YOU_HAVE_REACHED_THE_MAXIMUM_NUMBER_OF_TEAMS",
        "You have reached the maximum number of teams",
    );
    let (ulf, mina) =
        (member(&server, &tara, "ulf", "member").await, member(&server, &tara, "mina", "member").await);
    let add = async |browser: &Browser<'_>| {
        let body = json!({ "teamId": crew, "userId": user_id(browser).await });
        tara.post("/organization/add-team-member", body).await
    };
    add(&ulf).await.ok();
    add(&mina).await.denied(403, "TEAM_MEMBER_LIMIT_REACHED", "Team member limit reached");
    tara.post("/organization/remove-team", json!({ "teamId": crew })).await.ok();
    assert_eq!(tara.get("/organization/list-teams").await.ok(), json!([]));
});
