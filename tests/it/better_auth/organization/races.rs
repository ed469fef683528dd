//! Many at once: exactly one outcome.

use futures::future::join_all;

use super::*;

fn won(replies: &[Reply]) -> usize {
    for reply in replies {
        assert!(reply.status < 500, "{} {}", reply.status, reply.text);
    }
    replies.iter().filter(|reply| reply.status == 200).count()
}

on_both_databases!(of_two_owners_who_leave_at_once_one_stays, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "owner").await;
    let quin = member(&server, &olga, "quin", "member").await;
    let leave = async |browser: &Browser<'_>| {
        browser.post("/organization/leave", json!({ "organizationId": id })).await
    };
    let (one, other) = tokio::join!(leave(&olga), leave(&paul));
    assert_eq!(won(&[one, other]), 1);
    let members = quin.get("/organization/list-members").await.ok();
    assert_eq!(members["total"], 2);
    assert_eq!(members["members"].as_array().unwrap().iter().filter(|it| it["role"] == "owner").count(), 1);
});

on_both_databases!(an_invitation_is_accepted_once_however_often_at_once, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    let paul = somebody(&server, "paul").await;
    let id = invite(&olga, "paul", "member").await;
    let accept = || paul.post("/organization/accept-invitation", json!({ "invitationId": id }));
    assert_eq!(won(&join_all((0..6).map(|_| accept())).await), 1);
    assert_eq!(olga.get("/organization/list-members").await.ok()["total"], 2);
});

on_both_databases!(accepted_and_canceled_at_once_is_one_of_the_two, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    for n in 0..4 {
        let name = format!("guest{n}");
        let guest = somebody(&server, &name).await;
        let id = invite(&olga, &name, "member").await;
        let body = json!({ "invitationId": id });
        let (accepted, canceled) = tokio::join!(
            guest.post("/organization/accept-invitation", body.clone()),
            olga.post("/organization/cancel-invitation", body.clone())
        );
        let joined = accepted.status == 200;
        assert_eq!(won(&[accepted, canceled]), 1);
        let rows = olga.get("/organization/list-invitations").await.ok();
        let row = rows.as_array().unwrap().iter().find(|row| row["id"] == id.as_str()).unwrap().clone();
        assert_eq!(row["status"], if joined { "accepted" } else { "canceled" });
        assert_eq!(guest.get("/organization/list").await.ok().as_array().unwrap().len(), usize::from(joined));
    }
});

on_both_databases!(a_slug_that_many_claim_at_once_is_ones, async |database| {
    let server = TestServer::started(&database).await;
    let mut people = Vec::new();
    for n in 0..5 {
        people.push(somebody(&server, &format!("p{n}")).await);
    }
    let body = json!({ "name": "Blue Boats", "slug": "blue-boats" });
    let replies = join_all(people.iter().map(|it| it.post("/organization/create", body.clone()))).await;
    assert_eq!(won(&replies), 1);
    for reply in replies.iter().filter(|reply| reply.status != 200) {
        reply.denied(400, "ORGANIZATION_ALREADY_EXISTS", "Organization already exists");
    }
});

on_both_databases!(nobody_makes_more_organizations_than_one_may_by_being_quick, async |database| {
    let server = TestServer::on(&database).with("EVIDENT_BETTER_AUTH_ORGANIZATION_LIMIT", "2").start().await;
    let olga = somebody(&server, "olga").await;
    let make = |n| olga.post("/organization/create", json!({ "name": "X", "slug": format!("x{n}") }));
    assert_eq!(won(&join_all((0..6).map(make)).await), 2);
    assert_eq!(olga.get("/organization/list").await.ok().as_array().unwrap().len(), 2);
});

on_both_databases!(whoever_joins_while_the_account_is_erased_is_nowhere_in_the_end, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    boats(&olga).await;
    for n in 0..4 {
        let name = format!("guest{n}");
        let guest = somebody(&server, &name).await;
        let (id, user) = (invite(&olga, &name, "member").await, user_id(&guest).await);
        let body = json!({ "invitationId": id });
        let (_, erased) =
            tokio::join!(guest.post("/organization/accept-invitation", body), erase(&server, &user));
        assert_eq!(erased.status, 200, "{}", erased.text);
        assert_eq!(olga.get("/organization/list-members").await.ok()["total"], 1);
        assert_eq!(olga.get("/organization/list-invitations").await.ok(), json!([]));
    }
});

on_both_databases!(of_two_owners_who_step_down_or_throw_each_other_out_at_once_one_stays, async |database| {
    let server = TestServer::started(&database).await;
    let olga = somebody(&server, "olga").await;
    let id = boats(&olga).await;
    let paul = member(&server, &olga, "paul", "owner").await;
    let members = async |browser: &Browser<'_>| {
        let listed = browser.get(&format!("/organization/list-members?organizationId={id}")).await.ok();
        listed["members"].as_array().unwrap().clone()
    };
    let all = members(&olga).await;
    let step_down = async |browser: &Browser<'_>, who: &serde_json::Value| {
        let body = json!({ "memberId": who["id"], "role": "member", "organizationId": id });
        browser.post("/organization/update-member-role", body).await
    };
    let own = |name: &str| {
        let address = format!("{name}@example.com");
        all.iter().find(|member| member["user"]["email"] == address.as_str()).unwrap()
    };
    let (one, other) = tokio::join!(step_down(&olga, own("olga")), step_down(&paul, own("paul")));
    assert_eq!(won(&[one, other]), 1);
    let owners = |all: &[serde_json::Value]| all.iter().filter(|member| member["role"] == "owner").count();
    let left = members(&olga).await;
    assert_eq!((left.len(), owners(&left)), (2, 1));

    let (owner, member) = if left.iter().any(|it| it["role"] == "owner" && it["id"] == own("olga")["id"]) {
        (&olga, own("paul"))
    } else {
        (&paul, own("olga"))
    };
    let body = json!({ "memberId": member["id"], "role": "owner", "organizationId": id });
    owner.post("/organization/update-member-role", body).await.ok();
    let remove = async |browser: &Browser<'_>, who: &serde_json::Value| {
        let body = json!({ "memberIdOrEmail": who["id"], "organizationId": id });
        browser.post("/organization/remove-member", body).await
    };
    let (one, other) = tokio::join!(remove(&olga, own("paul")), remove(&paul, own("olga")));
    assert_eq!(won(&[one, other]), 1);
    let left = if members_of(&olga, &id).await > 0 { members(&olga).await } else { members(&paul).await };
    assert_eq!((left.len(), owners(&left)), (1, 1));
});

/// How many members somebody sees; none where they are no member.
async fn members_of(browser: &Browser<'_>, organization: &str) -> usize {
    let listed = browser.get(&format!("/organization/list-members?organizationId={organization}")).await;
    if listed.status == 200 { listed.json()["members"].as_array().map_or(0, Vec::len) } else { 0 }
}
