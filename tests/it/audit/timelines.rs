//! All that happened to one person, or to one organization.

use serde_json::json;

use super::{auditor, entries, types};
use crate::support::{ServiceRole, TestServer};

on_both_databases!(a_persons_timeline_has_every_stream_that_tells_of_them, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.sign_up("bob@example.com").await;
    server.try_sign_in("ada@example.com", "wrong guess").await;
    server.try_sign_in("bob@example.com", "wrong guess").await;
    let again = server.sign_in("ada@example.com").await;
    server.put(&again, "/user", json!({ "data": { "colour": "red" } })).await.ok();
    server.post_empty(&again, "/logout?scope=local").await.no_content();
    let reader = auditor(&server);
    let path = format!("/audit/users/{}/timeline", ada.id);
    let told = entries(&server, &reader, &format!("{path}?order=asc")).await;
    let kinds = types(&told);
    for kind in [
        "user.signed_up",
        "session.started",
        "attempt.sign_in_failed",
        "user.metadata_changed",
        "session.revoked",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    assert!(told.iter().all(|entry| entry["subject"] == ada.subject()), "nothing of Bob's is here");
    let failed = told.iter().find(|entry| entry["type"] == "attempt.sign_in_failed").unwrap();
    assert_eq!(
        failed["summary"],
        "a sign-in as ada@example.com, the account of ada@example.com was refused: wrong password"
    );
    let newest = entries(&server, &reader, &format!("{path}?limit=1&type=session.*")).await;
    assert_eq!(types(&newest), ["session.revoked"]);

    server.delete(&ServiceRole, &format!("/admin/users/{}", ada.id), None).await;
    let told = entries(&server, &reader, &path).await;
    assert_eq!(told.iter().filter(|entry| entry["type"] == "user.erased").count(), 1);
    let text = serde_json::to_string(&told).unwrap();
    assert!(!text.contains("ada@example.com") && !text.contains("127.0.0.1"), "{text}");
});

on_both_databases!(an_organizations_timeline_tells_who_came_and_who_changed, async |database| {
    let server = TestServer::started(&database).await;
    let sign_up = async |email: &str| {
        let body = json!({ "name": email, "email": email, "password": crate::support::PASSWORD });
        let reply = server.post(&crate::support::Anonymous, "/api/auth/sign-up/email", body).await.ok();
        let token = reply["token"].as_str().unwrap().to_owned();
        (reply["user"]["id"].as_str().unwrap().to_owned(), crate::support::Bearer(token))
    };
    let (grace_id, grace) = sign_up("grace@example.com").await;
    let (hedy_id, hedy) = sign_up("hedy@example.com").await;
    let made = json!({ "name": "Navy", "slug": "navy" });
    let made = server.post(&grace, "/api/auth/organization/create", made).await.ok();
    let id = made["id"].as_str().unwrap();
    let invite = json!({ "email": "hedy@example.com", "role": "member", "organizationId": id });
    let invited = server.post(&grace, "/api/auth/organization/invite-member", invite).await.ok();
    let accept = json!({ "invitationId": invited["id"] });
    let accepted = server.post(&hedy, "/api/auth/organization/accept-invitation", accept).await;
    let reader = auditor(&server);
    let told = entries(&server, &reader, &format!("/audit/organizations/{id}/timeline?order=asc")).await;
    let kinds = types(&told);
    assert_eq!(kinds[..2], ["organization.created", "organization.member_invited"]);
    assert!(told.iter().all(|entry| entry["stream"] == format!("organization:{id}")), "{kinds:?}");
    let created = &told[0];
    assert_eq!(created["change"][1], json!({ "field": "name", "before": null, "after": "Navy" }));
    assert!(created["summary"].as_str().unwrap().starts_with("the organization Navy came to be"));
    assert!(created["summary"].as_str().unwrap().ends_with(", by grace@example.com (grace@example.com)"));

    // The membership is in the person's timeline as well.
    let of_grace = entries(&server, &reader, &format!("/audit/users/{grace_id}/timeline")).await;
    assert!(types(&of_grace).contains(&"organization.created"));
    if accepted.status == 200 {
        assert!(kinds.contains(&"organization.member_added"));
        let of_hedy = entries(&server, &reader, &format!("/audit/users/{hedy_id}/timeline")).await;
        assert!(types(&of_hedy).contains(&"organization.member_added"), "{:?}", types(&of_hedy));
    }
});
