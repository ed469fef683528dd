//! Pages of the log: cursors, filters, words.

use serde_json::{Value, json};

use super::{auditor, entries, positions, types};
use crate::support::{Anonymous, PASSWORD, ServiceRole, TestServer};

on_both_databases!(pages_go_on_where_the_last_one_ended_in_both_orders, async |database| {
    let server = TestServer::started(&database).await;
    for name in ["ada", "bob", "eve"] {
        server.sign_up(&format!("{name}@example.com")).await;
        server.sign_in(&format!("{name}@example.com")).await;
    }
    let reader = auditor(&server);
    server.get(&reader, "/audit/events?limit=1").await.ok();
    let head = server.head();
    for (order, begin, expected) in [
        ("asc", "after=0".to_owned(), (1..=head).collect::<Vec<_>>()),
        ("desc", format!("before={}", head + 1), (1..=head).rev().collect()),
    ] {
        let (mut found, mut at) = (Vec::new(), begin);
        loop {
            let page = server.get(&reader, &format!("/audit/events?limit=2&order={order}&{at}")).await.ok();
            assert!(page["head"].as_u64().unwrap() >= head);
            let more = page["entries"].as_array().unwrap();
            assert!(more.len() <= 2);
            found.extend(positions(more));
            let name = if order == "asc" { "after" } else { "before" };
            match page["next"].as_u64() {
                Some(next) => at = format!("{name}={next}"),
                None => break,
            }
        }
        found.retain(|position| *position <= head);
        assert_eq!(found, expected, "{order}");
    }
    let none = server.get(&reader, "/audit/events?after=9000&before=9010").await.ok();
    assert_eq!((&none["entries"], &none["next"]), (&json!([]), &Value::Null));
});

on_both_databases!(filters_find_what_they_say_and_nothing_else, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let bob = server.sign_up("bob@example.com").await;
    server.try_sign_in("ada@example.com", "wrong guess").await;
    server.try_sign_in("nobody@example.com", "wrong guess").await;
    let ban = json!({ "ban_duration": "24h" });
    server.put(&ServiceRole, &format!("/admin/users/{}", bob.id), ban).await.ok();
    let between = server.events().last().unwrap().occurred_at.clone();
    server.post_empty(&ada, "/logout").await.no_content();
    let reader = auditor(&server);
    let find =
        async |query: &str| entries(&server, &reader, &format!("/audit/events?order=asc&{query}")).await;
    let all = find("").await;
    let by = |keep: &dyn Fn(&Value) -> bool| -> Vec<u64> {
        positions(&all.iter().filter(|entry| keep(entry)).cloned().collect::<Vec<_>>())
    };

    assert_eq!(positions(&find("type=user.banned").await), by(&|e| e["type"] == "user.banned"));
    let prefix = |prefix: &'static str| by(&|e| e["type"].as_str().unwrap().starts_with(prefix));
    assert_eq!(positions(&find("type=session.*").await), prefix("session."));
    let either = by(&|e| matches!(e["type"].as_str().unwrap(), "user.banned" | "session.started"));
    assert_eq!(positions(&find("type=user.banned,session.started").await), either);
    let of_ada = by(&|e| e["subject"] == ada.subject());
    assert_eq!(positions(&find(&format!("subject={}", ada.subject())).await), of_ada);
    assert_eq!(positions(&find(&format!("user={}", ada.id)).await), of_ada);
    let by_admin = by(&|e| e["actor"]["label"] == "admin:service_role");
    assert!(!by_admin.is_empty());
    assert_eq!(positions(&find("actor=admin:service_role").await), by_admin);
    assert_eq!(positions(&find("actor=visitor").await), by(&|e| e["actor"]["label"] == "visitor"));
    let of_self = by(&|e| e["actor"]["label"] == ada.subject());
    assert_eq!(positions(&find(&format!("actor={}", ada.subject())).await), of_self);
    let session = format!("session:{}", ada.session_id());
    let of_session = by(&|e| e["stream"] == session);
    assert!(of_session.len() > 1);
    assert_eq!(positions(&find(&format!("session={}", ada.session_id())).await), of_session);
    let request = all.last().unwrap()["cause"]["request_id"].as_str().unwrap();
    let of_request = by(&|e| e["cause"]["request_id"] == request);
    assert_eq!(positions(&find(&format!("request_id={request}")).await), of_request);
    assert_eq!(find("surface=better_auth").await.len(), 0);
    assert_eq!(positions(&find("surface=gotrue").await), by(&|_| true));
    assert_eq!(positions(&find("ip=127.0.0.1").await), by(&|e| e["provenance"]["ip"] == "127.0.0.1"));
    assert_eq!(find("ip=192.0.2.7").await.len(), 0);
    let until = by(&|e| e["occurred_at"].as_str().unwrap() < between.as_str());
    assert_eq!(positions(&find(&format!("to={between}")).await), until);
    let since = by(&|e| e["occurred_at"].as_str().unwrap() >= between.as_str());
    assert_eq!(positions(&find(&format!("from={between}")).await), since);
    let two = find(&format!("type=attempt.*&subject={}", ada.subject())).await;
    assert_eq!(types(&two), ["attempt.sign_in_failed"]);
    let three =
        find(&format!("type=user.banned&actor=admin:service_role&surface=gotrue&user={}", bob.id)).await;
    assert_eq!(types(&three), ["user.banned"]);
});

on_both_databases!(words_are_searched_in_what_is_not_sealed_and_taken_as_they_are, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.try_sign_in("ada@example.com", "wrong guess").await;
    let reader = auditor(&server);
    let find = async |q: &str| entries(&server, &reader, &format!("/audit/events?q={q}")).await;
    assert_eq!(types(&find("WRONG_password").await), ["attempt.sign_in_failed"]);
    assert_eq!(types(&find("sign_in_failed%20visitor").await), ["attempt.sign_in_failed"]);
    assert!(find(&ada.id[..13]).await.len() >= 3);
    assert_eq!(types(&find("user.signed_up").await), ["user.signed_up"]);
    // What is sealed is not found by its plain text, nor by what it is sealed as.
    for hidden in ["ada%40example.com", "127.0.0.1", "%24sealed", "%24personal", "argon2", "password%22:"] {
        assert_eq!(find(hidden).await.len(), 0, "{hidden}");
    }
    for literal in
        ["%25", "wrong%25password", "user_signed", "%27", "%27%20or%201=1", "%5C", "*", "%22", "x%3F1"]
    {
        assert_eq!(find(literal).await.len(), 0, "{literal}");
    }
});

on_both_databases!(what_does_not_read_is_refused_by_name_and_never_breaks_anything, async |database| {
    let server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let reader = auditor(&server);
    for name in [
        "after",
        "before",
        "limit",
        "order",
        "type",
        "subject",
        "actor",
        "organization",
        "session",
        "user",
        "ip",
        "from",
        "to",
        "request_id",
        "surface",
    ] {
        for odd in [
            "",
            "%00",
            "%27",
            "-1",
            "%F0%9F%92%A9",
            "1e9",
            "99999999999999999999",
            "%25",
            "a%0Ab",
            "user:",
            "null",
            "[]",
            "%2B1",
            "9223372036854775808",
        ] {
            let reply = server.get(&reader, &format!("/audit/events?{name}={odd}")).await;
            assert_eq!(reply.status, 400, "{name}={odd}: {}", reply.text);
            let message = reply.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.starts_with(&format!("`{name}` ")), "{name}={odd}: {message}");
        }
    }
    for path in [
        "/audit/events?colour=blue",
        "/audit/events?after=1&after=2",
        "/audit/events?q=",
        "/audit/events/x",
        "/audit/events/-1",
        "/audit/events/%FF",
        "/audit/users/x/timeline",
        "/audit/users/%FF/timeline",
        "/audit/organizations/1/timeline",
        "/audit/stream?after=x",
        "/audit/stream?before=1",
    ] {
        let reply = server.get(&reader, path).await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {} {}", reply.status, reply.text);
        assert!(reply.json()["error"]["code"].is_string());
    }
    for path in [
        "/audit/events?after=9223372036854775807",
        "/audit/events?before=0",
        "/audit/events?before=9223372036854775807&limit=1000",
        "/audit/events?from=1970-01-01T00:00:00Z&to=9999-12-31T23:59:59Z",
        "/audit/events?q=%F0%9F%92%A9%20%C3%9Fx",
        "/audit/users/0d1b5a9e-0000-4000-8000-000000000001/timeline?ip=::1&q=x&surface=ops",
    ] {
        server.get(&reader, path).await.ok();
    }
});

on_both_databases!(an_entry_tells_in_words_and_as_data_what_became_what, async |database| {
    let server = TestServer::started(&database).await;
    let body =
        json!({ "email": "ada@example.com", "password": PASSWORD, "data": { "full_name": "Ada Byron" } });
    let made = server.post(&Anonymous, "/signup", body).await.ok();
    let id = made["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/admin/users/{id}");
    server.put(&ServiceRole, &path, json!({ "email": "countess@example.com" })).await.ok();
    server.put(&ServiceRole, &path, json!({ "user_metadata": { "full_name": "Ada Lovelace" } })).await.ok();
    server.put(&ServiceRole, &path, json!({ "ban_duration": "1h" })).await.ok();
    server.put(&ServiceRole, &path, json!({ "ban_duration": "none" })).await.ok();
    let reader = auditor(&server);
    let one = async |kind: &str| {
        let found = entries(&server, &reader, &format!("/audit/events?type={kind}&user={id}")).await;
        // The newest: a sign-up notes data of its own.
        found.first().unwrap_or_else(|| panic!("no {kind}")).clone()
    };
    let changed = one("user.email_changed").await;
    let who = "Ada Lovelace (countess@example.com)";
    assert_eq!(
        changed["summary"],
        format!("the address of {who} became countess@example.com, by admin service_role")
    );
    assert_eq!(
        changed["change"][0],
        json!({ "field": "email", "before": "ada@example.com", "after": "countess@example.com" })
    );
    let named = one("user.metadata_changed").await;
    assert_eq!(
        named["change"],
        json!([{ "field": "user_metadata.full_name", "before": "Ada Byron", "after": "Ada Lovelace" }])
    );
    let banned = one("user.banned").await;
    let summary = banned["summary"].as_str().unwrap();
    assert!(summary.starts_with(&format!("{who} was banned until 20")), "{summary}");
    assert_eq!(banned["change"][0], json!({ "field": "banned", "before": null, "after": true }));
    let unbanned = one("user.unbanned").await;
    assert_eq!(unbanned["summary"], format!("the ban of {who} was lifted, by admin service_role"));
    assert_eq!(unbanned["change"][0], json!({ "field": "banned", "before": true, "after": false }));
    assert_eq!(unbanned["change"][1]["before"], banned["change"][1]["after"]);

    server.delete(&ServiceRole, &path, None).await;
    let changed = one("user.email_changed").await;
    let short = &id[..8];
    assert_eq!(
        changed["summary"],
        format!("the address of user {short} (erased) became (erased), by admin service_role")
    );
    assert_eq!(changed["change"][0], json!({ "field": "email" }), "neither value can be told any more");
    assert_eq!(changed["erased"], json!(["email", "ip"]));
    assert_eq!(entries(&server, &reader, "/audit/events?q=countess").await.len(), 0);
});
