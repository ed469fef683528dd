//! `/admin/users/{user_id}/factors`

use serde_json::json;

use crate::support::{Person, ServiceRole, TestServer};

on_both_databases!(an_administrator_lists_renames_and_removes_factors, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let path = format!("/admin/users/{}/factors", gina.id);
    assert_eq!(server.get(&ServiceRole, &path).await.ok(), json!([]));
    let app = server.enroll_app(&gina, "app").await;
    let surer = server.show_app(&gina, &app, 0).await;
    let listed = server.get(&ServiceRole, &path).await.ok();
    assert_eq!(listed, json!(server.factors_of(&surer).await));
    assert_eq!(listed[0]["status"], "verified");
    let page = server.get(&ServiceRole, "/admin/users").await.ok();
    assert_eq!(page["users"][0]["factors"], listed);
    let one = server.get(&ServiceRole, &format!("/admin/users/{}", gina.id)).await.ok();
    assert_eq!(one["factors"], listed);

    let path = format!("{path}/{}", app.factor);
    let renamed = server.put(&ServiceRole, &path, json!({ "friendly_name": "old phone" })).await.ok();
    assert_eq!(renamed["friendly_name"], "old phone");
    let before = server.head();
    assert_eq!(server.put(&ServiceRole, &path, json!({ "phone": "15005550101" })).await.ok(), renamed);
    server.assert_log(before, &[]);
    let removed = server.delete(&ServiceRole, &path, None).await.ok();
    assert_eq!(removed, renamed);
    server.assert_log(before, &["user.factor_removed", "session.stepped_down"]);
    server.delete(&ServiceRole, &path, None).await.refused(404, "mfa_factor_not_found", "Factor not found");
    server.put(&ServiceRole, &path, json!({ "friendly_name": "x" })).await.refused(
        404,
        "mfa_factor_not_found",
        "Factor not found",
    );
    let next = Person::of_session(&server.try_refresh(&surer.refresh_token).await.ok());
    assert_eq!(next.claims()["aal"], "aal1");
    server.assert_log_is_whole();
});

on_both_databases!(who_and_what_is_not_there, async |database| {
    let server = TestServer::started(&database).await;
    let gina = server.sign_up("gina@example.com").await;
    let app = server.enroll_app(&gina, "app").await;
    let nobody = "11111111-1111-4111-8111-111111111111";
    let at = |user: &str, factor: &str| format!("/admin/users/{user}/factors/{factor}");
    server.get(&ServiceRole, &format!("/admin/users/{nobody}/factors")).await.refused(
        404,
        "user_not_found",
        "User not found",
    );
    server.delete(&ServiceRole, &at(&gina.id, "x"), None).await.refused(
        404,
        "validation_failed",
        "factor_id must be an UUID",
    );
    server.delete(&ServiceRole, &at("x", &app.factor), None).await.refused(
        404,
        "validation_failed",
        "user_id must be an UUID",
    );
    let bob = server.sign_up("bob@example.com").await;
    server.delete(&ServiceRole, &at(&bob.id, &app.factor), None).await.refused(
        404,
        "mfa_factor_not_found",
        "Factor not found",
    );
    server.get(&gina, &format!("/admin/users/{}/factors", gina.id)).await.refused(
        403,
        "not_admin",
        "User not allowed",
    );
});
