//! The log's oldest part: no longer handed out, and still proven; and what had its time goes.

use serde_json::{Value, json};

use super::{auditor, proofs};
use crate::support::{Anonymous, ServiceRole, TestDatabase, TestServer};

const PASSPHRASE: &str = "twelve and more characters";
const POLICY: &str = "https://example.com/retention";

fn path(server: &TestServer, name: &str) -> String {
    server.scratch().join(name).to_str().unwrap().to_owned()
}

fn object(text: &str) -> Value {
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

on_both_databases!(a_pruned_log_hands_out_less_and_proves_as_much, async |database| {
    let server = TestServer::started(&database).await;
    let auditor = auditor(&server);
    let ada = server.sign_up("ada@example.com").await;
    proofs::grow(&server, &ada.id, 10).await;
    proofs::signed(&server, &auditor, server.head()).await;
    let folder = server.scratch().join("published");
    let into = folder.to_str().unwrap();
    let publish_into =
        |folder: &str| object(&server.evident(&["audit", "publish", "--into", folder, "--json"]).ok());
    let publish = || publish_into(into);
    let stale = path(&server, "stale");
    publish_into(&stale);
    proofs::grow(&server, &ada.id, 290).await;
    proofs::signed(&server, &auditor, server.head()).await;
    publish();
    let published = |name: &str| folder.join(name).is_file();
    assert!(published("tile/entries/000") && published("content/000") && published("log.json"));
    let prune = |more: &[&str]| server.evident(&[&["retention", "prune", "--json"], more].concat());
    let whole = |minimum: u64| {
        let log = object(&server.evident(&["audit", "key", "--json"]).ok());
        assert_eq!(log["minimum_index"], minimum);
        log
    };

    // Nothing without a policy, nothing under a hold, nothing before it was said twice.
    assert_eq!(prune(&["--entries", "300"]).code, Some(2));
    assert_eq!(prune(&["--policy", POLICY]).code, Some(2));
    let hold = ["hold", "place", "--user", &ada.id, "--reason", "Case", "--by", "Counsel"];
    let hold = server.evident(&hold).ok().trim().to_owned();
    let refused = prune(&["--entries", "300", "--policy", POLICY, "--apply"]);
    assert!(refused.code == Some(1) && refused.err.contains(&hold), "{refused:?}");
    server.evident(&["hold", "lift", &hold, "--by", "Counsel"]).ok();
    let shown = object(&prune(&["--entries", "300", "--policy", POLICY]).ok());
    assert_eq!((&shown["applied"], &shown["bundles"]), (&json!(false), &json!(1)));
    let none = object(&prune(&["--before", "2020-01-01T00:00:00Z", "--policy", POLICY]).ok());
    assert_eq!(none["minimum_index"], 0);
    assert_eq!(whole(0)["retention_policy"], Value::Null);
    let bundle = "/audit/tile/entries/000";
    assert_eq!(server.get(&auditor, bundle).await.status, 200);

    let done = object(&prune(&["--entries", "300", "--policy", POLICY, "--apply"]).ok());
    assert_eq!((&done["applied"], &done["minimum_index"]), (&json!(true), &json!(256)));
    assert_eq!(whole(256)["retention_policy"], POLICY);
    assert_eq!(server.get(&auditor, "/audit/log").await.ok(), whole(256));
    let event = server.events().into_iter().find(|event| event.kind == "log.pruned").unwrap();
    assert_eq!(event.actor, "operator");
    let entry = server.get(&auditor, &format!("/audit/events/{}", event.position)).await.ok();
    let summary = format!(
        "the log hands out entries from number 256 on, as {POLICY} says, by an operator at the command line"
    );
    assert_eq!(entry["summary"], summary);

    for gone in [bundle, "/audit/tile/entries/000.p/17"] {
        let gone = server.get(&auditor, gone).await;
        assert_eq!((gone.status, &gone.json()["error"]["code"]), (410, &json!("pruned")));
    }
    for there in ["/audit/tile/0/000", "/audit/tile/entries/001.p/40", "/audit/proof/inclusion?position=1"] {
        assert_eq!(server.get(&auditor, there).await.status, 200, "{there}");
    }
    let written = publish();
    assert_eq!(written["removed"], 2, "{written}");
    assert!(!published("tile/entries/000") && !published("content/000") && published("tile/0/000"));
    let log: Value = serde_json::from_slice(&std::fs::read(folder.join("log.json")).unwrap()).unwrap();
    assert_eq!(log["minimum_index"], 256);
    assert_eq!(publish()["removed"], 0);
    // One that had it in part has none of it any more.
    publish_into(&stale);
    let stale = std::path::Path::new(&stale);
    assert!(!stale.join("tile/entries/000.p").exists() && !stale.join("content/000.p").exists());
    assert!(stale.join("tile/0/000").is_file() && stale.join("tile/entries/001.p").is_dir());
    // A new folder is never given what is pruned.
    let fresh = path(&server, "fresh");
    server.evident(&["audit", "publish", "--into", &fresh]).ok();
    let fresh = std::path::Path::new(&fresh);
    assert!(!fresh.join("tile/entries/000").exists() && fresh.join("tile/entries/001.p").is_dir());

    // Nothing that the tables rest on is gone.
    let verified = object(&server.evident(&["audit", "verify", "--json", "--without-projections"]).ok());
    assert_eq!((&verified["holds"], &verified["pruned"]), (&json!(true), &json!(256)));
    server.assert_log_is_whole();
    server.evident(&["projections", "rebuild"]).ok();
    server.assert_log_is_whole();
    server.sign_in("ada@example.com").await;

    // An archive is whole, or says what it is.
    let (all, rest) = (path(&server, "all.jsonl"), path(&server, "rest.jsonl"));
    let export = server.evident(&["events", "export", "--into", &all]);
    assert!(export.err.contains("256 oldest events"), "{export:?}");
    server.evident(&["events", "export", "--without-pruned", "--into", &rest]).ok();
    let csv = server.evident(&["events", "export", "--without-pruned", "--format", "csv"]);
    assert_eq!(csv.code, Some(2), "{csv:?}");
    let laptop = TestServer::on(&TestDatabase::sqlite()).prepare();
    let key = whole(256)["key"].as_str().unwrap().to_owned();
    let check = |archive: &str| laptop.evident(&["audit", "verify", "--archive", archive, "--key", &key]);
    assert!(check(&all).ok().contains("the log holds"));
    let checked = check(&rest).ok();
    assert!(checked.contains("256 oldest events were pruned"), "{checked}");
    let cut: String = std::fs::read_to_string(&rest).unwrap().split_inclusive('\n').skip(2).collect();
    std::fs::write(&rest, cut).unwrap();
    assert_eq!(check(&rest).code, Some(1));
    let rest = path(&server, "again.jsonl");
    server.evident(&["events", "export", "--without-pruned", "--into", &rest]).ok();
    for refused in [
        laptop.evident(&["import", "events", &rest]),
        laptop.evident(&["replay", "--archive", &rest, "--into", &path(&laptop, "then.db")]),
    ] {
        assert!(refused.code == Some(1) && refused.err.contains("without the 256 oldest"), "{refused:?}");
    }
    laptop.evident(&["import", "events", &all]).ok();
    let restored = object(&laptop.evident(&["audit", "key", "--json"]).ok());
    assert_eq!(restored["minimum_index"], 256, "it is an event like any other");
});

/// A store whose log is that of another one as it would be so many days ago.
async fn aged(from: &TestServer, database: &TestDatabase, days: i64) -> TestServer {
    let (archive, keys) = (path(from, "young.jsonl"), path(from, "keys"));
    from.evident(&["events", "export", "--into", &archive]).ok();
    from.evident(&["export", "keys", "--server-keys", "--into", &keys]).ok();
    let mut text = String::new();
    for line in std::fs::read_to_string(&archive).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if let Some(head) = line.get_mut("archive") {
            (head["origin"], head["key"]) = (Value::Null, Value::Null);
        }
        if let Some(event) = line.get_mut("event") {
            let time = event["leaf"]["time"].as_i64().unwrap() - days * 86_400_000_000;
            event["leaf"]["time"] = json!(time);
        }
        if line.get("checkpoint").is_none() {
            text += &format!("{line}\n");
        }
    }
    let old = path(from, "old.jsonl");
    std::fs::write(&old, text).unwrap();
    let aged = TestServer::on(database).with("EVIDENT_KEYS_PASSPHRASE", PASSPHRASE).prepare();
    aged.evident(&["import", "events", &old, "--keys", &keys]).ok();
    aged
}

/// A server where something happened that nobody needs for long.
async fn told() -> TestServer {
    let server = TestServer::on(&TestDatabase::sqlite())
        .with("EVIDENT_KEYS_PASSPHRASE", PASSPHRASE)
        .with("GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL", "0")
        .start()
        .await;
    let ada = server.sign_up("ada@example.com").await;
    let again = server.try_refresh(&ada.refresh_token).await.ok();
    let third = server.try_refresh(again["refresh_token"].as_str().unwrap()).await.ok();
    assert!(third["access_token"].is_string());
    server.get(&Anonymous, "/admin/users").await;
    server
}

on_both_databases!(a_run_at_the_command_line_drops_what_had_its_time, async |database| {
    let young = told().await;
    let mut old = aged(&young, &database, 400).await;
    for name in ["SESSION_CHATTER", "FAILED_ATTEMPTS", "FLOWS"] {
        old.set(&format!("EVIDENT_RETENTION_{name}"), "2160h");
    }
    let before = object(&old.evident(&["audit", "verify", "--json", "--without-projections"]).ok());
    assert_eq!(before["dropped"], 0);
    let tables = old.evident(&["projections", "verify", "--json"]).ok();
    let run = object(&old.evident(&["retention", "run", "--json"]).ok());
    let dropped = |class: &str| run["dropped"][class].as_u64().unwrap_or_default();
    assert_eq!((dropped("session"), dropped("attempt")), (1, 1), "{run}");
    let after = object(&old.evident(&["audit", "verify", "--json", "--without-projections"]).ok());
    assert_eq!((&after["dropped"], &after["root"]), (&json!(2), &before["root"]));
    assert_eq!(old.evident(&["projections", "verify", "--json"]).ok(), tables);
    let status = old.evident(&["retention", "status"]).ok();
    assert!(status.contains("90 days") && status.contains("1 dropped"), "{status}");
    assert_eq!(object(&old.evident(&["retention", "run", "--json"]).ok())["dropped"], json!({}));

    // Whoever reads is told, and the server serves as before.
    old.start().await;
    let auditor = auditor(&old);
    let page = old.get(&auditor, "/audit/events?type=attempt.admin_denied&order=asc&limit=1").await.ok();
    assert_eq!(page["entries"][0]["dropped"], true, "{page}");
    old.sign_in("ada@example.com").await;
    old.assert_log_is_whole();
});

on_both_databases!(entries_are_pruned_by_their_age_with_what_nothing_needs, async |database| {
    let young = told().await;
    let ada = young.events()[0].stream.strip_prefix("user:").unwrap().to_owned();
    proofs::grow(&young, &ada, 300).await;
    let mut old = aged(&young, &database, 400).await;
    old.set("EVIDENT_RETENTION_LOG_ENTRIES", "26280h");
    let refused = old.evident(&["retention", "prune"]);
    assert!(refused.code == Some(2) && refused.err.contains("log_policy"), "{refused:?}");
    old.set("EVIDENT_RETENTION_LOG_POLICY", POLICY);
    assert!(old.evident(&["retention", "prune", "--apply"]).ok().contains("no whole bundle"), "too young");
    old.set("EVIDENT_RETENTION_LOG_ENTRIES", "8760h");
    let tables = old.evident(&["projections", "verify", "--json"]).ok();
    let shown = object(&old.evident(&["retention", "prune", "--json"]).ok());
    assert_eq!((&shown["minimum_index"], &shown["contents"]), (&json!(256), &json!(3)), "{shown}");
    let done = object(&old.evident(&["retention", "prune", "--apply", "--json"]).ok());
    assert_eq!((&done["minimum_index"], &done["dropped"]), (&json!(256), &json!(2)), "{done}");
    let status = old.evident(&["retention", "status"]).ok();
    assert!(status.starts_with(&format!("the log hands out entries from 256 on ({POLICY})")), "{status}");
    let rebuilt = old.evident(&["projections", "verify", "--json"]).ok();
    assert_eq!(rebuilt.lines().count(), tables.lines().count());
    old.start().await;
    old.put(&ServiceRole, &format!("/admin/users/{ada}"), json!({ "role": "editor" })).await.ok();
    old.evident(&["audit", "verify"]).ok();
});
