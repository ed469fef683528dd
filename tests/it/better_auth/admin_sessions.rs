//! What administrators do with sessions: ending them, setting passwords, acting in somebody's name.

use serde_json::{Value, json};

use super::admin::{administered, administrator, id};
use crate::support::{Browser, PASSWORD, ServiceRole};

const NEW: &str = "a brand new password";

on_both_databases!(a_password_that_is_set_throws_a_thief_out, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let thief = Browser::on(&server);
    let user = id(&thief.sign_up("jack@example.com").await);
    let person = server.sign_in("jack@example.com").await;
    let set = async |password: &str| {
        admin.post("/admin/set-user-password", json!({ "userId": user, "newPassword": password })).await
    };
    set("short").await.denied(400, "PASSWORD_TOO_SHORT", "Password too short");
    set(&"x".repeat(129)).await.denied(400, "PASSWORD_TOO_LONG", "Password too long");
    assert_eq!(thief.session().await["user"]["id"], user);
    assert_eq!(set(NEW).await.ok(), json!({ "status": true }));
    assert_eq!(thief.session().await, Value::Null);
    assert_eq!(server.get(&person, "/user").await.status, 403);
    let browser = Browser::on(&server);
    assert_eq!(browser.try_sign_in("jack@example.com", PASSWORD).await.status, 401);
    browser.try_sign_in("jack@example.com", NEW).await.ok();
    let body = json!({ "userId": "unknown", "newPassword": NEW });
    admin.post("/admin/set-user-password", body).await.denied(404, "USER_NOT_FOUND", "User not found");
});

on_both_databases!(sessions_of_a_user_are_listed_and_ended, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let (one, two) = (Browser::on(&server), Browser::on(&server));
    let user = id(&one.sign_up("jack@example.com").await);
    two.sign_in("jack@example.com").await;
    let listed = async || {
        let answer = admin.post("/admin/list-user-sessions", json!({ "userId": user })).await.ok();
        answer["sessions"].as_array().unwrap().clone()
    };
    let sessions = listed().await;
    assert_eq!(sessions.len(), 2);
    let token = one.session().await["session"]["token"].clone();
    assert!(sessions.iter().any(|session| session["token"] == token));
    let end = json!({ "sessionToken": token });
    for _ in 0..2 {
        let answer = admin.post("/admin/revoke-user-session", end.clone()).await.ok();
        assert_eq!(answer, json!({ "success": true }));
    }
    assert_eq!(one.session().await, Value::Null);
    assert_eq!(listed().await.len(), 1);
    admin.post("/admin/revoke-user-sessions", json!({ "userId": user })).await.ok();
    assert_eq!(two.session().await, Value::Null);
    assert_eq!(listed().await, Vec::<Value>::new());
    let nobody = admin.post("/admin/list-user-sessions", json!({ "userId": "unknown" })).await.ok();
    assert_eq!(nobody, json!({ "sessions": [] }));
});

on_both_databases!(an_administrator_acts_for_somebody_and_comes_back, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let own = admin.session().await;
    let user = id(&Browser::on(&server).sign_up("jack@example.com").await);
    let reply = admin.post("/admin/impersonate-user", json!({ "userId": user })).await;
    let names: Vec<_> =
        reply.set_cookies().iter().map(|line| line.split('=').next().unwrap().to_owned()).collect();
    assert!(names.contains(&"better-auth.admin_session".to_owned()), "{names:?}");
    let acting = reply.ok();
    assert_eq!(
        (&acting["user"]["id"], &acting["session"]["impersonatedBy"]),
        (&json!(user), &own["user"]["id"])
    );
    let now = admin.session().await;
    assert_eq!(now["session"]["token"], acting["session"]["token"]);
    let moment = |name: &str| {
        let text = now["session"][name].as_str().unwrap();
        chrono::DateTime::parse_from_rfc3339(text).unwrap()
    };
    assert_eq!((moment("expiresAt") - moment("createdAt")).num_minutes(), 60);
    // Both are named in the log.
    let events = server.events();
    let started = events.iter().rev().find(|event| event.kind == "session.started").unwrap();
    let administrator = own["user"]["id"].as_str().unwrap();
    assert_eq!(started.subject, Some(format!("user:{user}")));
    assert!(
        started.actor.starts_with("admin:") && started.actor.ends_with(administrator),
        "{}",
        started.actor
    );
    // Whoever acts for somebody may do what that somebody may.
    let again = admin.post("/admin/impersonate-user", json!({ "userId": user })).await;
    assert_eq!(again.json()["code"], "YOU_ARE_NOT_ALLOWED_TO_IMPERSONATE_USERS");
    let back = admin.post("/admin/stop-impersonating", json!({})).await.ok();
    assert_eq!((&back["user"], &back["session"]["token"]), (&own["user"], &own["session"]["token"]));
    assert_eq!(admin.session().await["user"]["id"], own["user"]["id"]);
    assert_eq!(admin.cookie("better-auth.admin_session"), None);
    let nobody = admin.post("/admin/stop-impersonating", json!({})).await;
    assert_eq!(nobody.json(), json!({ "message": "You are not impersonating anyone" }));
    assert_eq!(nobody.status, 400);
    // The session in which the administrator acted is over.
    let token = acting["session"]["token"].as_str().unwrap();
    let stolen = Browser::on(&server);
    let request = server.request(reqwest::Method::GET, "/api/auth/get-session").bearer_auth(token);
    assert_eq!(stolen.send(request).await.ok(), Value::Null);
});

on_both_databases!(what_is_done_in_anothers_name_is_held_on_who_did_it, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let administrator = id(&admin.session().await);
    let user = id(&Browser::on(&server).sign_up("jack@example.com").await);
    admin.post("/admin/impersonate-user", json!({ "userId": user })).await.ok();
    admin.post("/update-user", json!({ "name": "Jacqueline" })).await.ok();
    let by = |who: &str| -> Vec<Value> {
        let held: Value = serde_json::from_str(&server.evident(&["users", "export", who]).ok()).unwrap();
        let events = held["events_by"].as_array().unwrap().clone();
        events.into_iter().filter(|event| event["type"] == "user.metadata_changed").collect()
    };
    let told = by(&administrator);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["subject"], format!("user:{user}"));
    // That they did it is theirs; what it says is the other's.
    assert!(told[0].get("data").is_none() && !told[0].to_string().contains("Jacqueline"), "{}", told[0]);
    assert_eq!(by(&user), Vec::<Value>::new());
});

on_both_databases!(nobody_acts_for_administrators_or_whom_there_is_not, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let own = id(&admin.session().await);
    let user = id(&Browser::on(&server).sign_up("jack@example.com").await);
    let act = async |user: &str| admin.post("/admin/impersonate-user", json!({ "userId": user })).await;
    act(&own).await.denied(403, "YOU_CANNOT_IMPERSONATE_ADMINS", "You cannot impersonate admins");
    act("unknown").await.denied(404, "USER_NOT_FOUND", "User not found");
    admin.post("/admin/ban-user", json!({ "userId": user })).await.ok();
    assert_eq!(act(&user).await.json()["code"], "BANNED_USER");
});

/// Lets an administrator act for somebody; gives the token of that session.
async fn acting(admin: &Browser<'_>, user: &str) -> String {
    let answer = admin.post("/admin/impersonate-user", json!({ "userId": user })).await.ok();
    answer["session"]["token"].as_str().unwrap().to_owned()
}

on_both_databases!(what_an_administrator_does_for_somebody_names_both, async |database| {
    let server = administered(&database).await;
    let admin = administrator(&server).await;
    let own = id(&admin.session().await);
    let user = id(&Browser::on(&server).sign_up("jack@example.com").await);
    acting(&admin, &user).await;
    let before = server.head();
    admin.post("/update-user", json!({ "name": "Jim" })).await.ok();
    let changed = server.assert_log(before, &["user.metadata_changed"]);
    assert_eq!(changed[0].actor, format!("user:{user}:by:{own}"));
    assert_eq!(changed[0].subject, Some(format!("user:{user}")));
    // The other protocol's log of audit has who did it.
    let entries = server.get(&ServiceRole, "/admin/audit").await.ok();
    let entry =
        entries.as_array().unwrap().iter().find(|entry| entry["payload"]["action"] == "user_modified");
    assert_eq!(entry.unwrap()["payload"]["actor_id"], own.as_str(), "{entries}");
});

/// What an administrator does to another so that that one may no longer act for somebody: path and body, by id.
type Ending = fn(&str) -> (&'static str, Value);

on_both_databases!(acting_for_somebody_ends_with_the_right_to, async |database| {
    let server = administered(&database).await;
    let root = administrator(&server).await;
    let user = id(&Browser::on(&server).sign_up("jack@example.com").await);
    let endings: [(&str, Ending); 3] = [
        ("banned", |id| ("/admin/ban-user", json!({ "userId": id }))),
        ("demoted", |id| ("/admin/set-role", json!({ "userId": id, "role": "user" }))),
        ("removed", |id| ("/admin/remove-user", json!({ "userId": id }))),
    ];
    for (name, ending) in endings {
        let admin = Browser::on(&server);
        let own = id(&admin.sign_up(&format!("{name}@example.com")).await);
        root.post("/admin/set-role", json!({ "userId": own, "role": "admin" })).await.ok();
        acting(&admin, &user).await;
        assert_eq!(admin.session().await["user"]["id"], user.as_str());
        let (path, body) = ending(&own);
        root.post(path, body).await.ok();
        assert_eq!(admin.session().await, Value::Null, "{name}");
        let update = admin.post("/update-user", json!({ "name": "Jim" })).await;
        update.denied(401, "UNAUTHORIZED", "Unauthorized");
    }
    // The user's own sessions have nothing to do with it.
    Browser::on(&server).sign_in("jack@example.com").await;
});
