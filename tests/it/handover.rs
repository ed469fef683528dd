//! The log handed over: exports, restores, explanations and differences, by the command line.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Person, ServiceRole, TestDatabase, TestServer};

const PASSPHRASE: &str = "twelve and more characters";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Ada and Bob sign up, Ada signs in with a wrong password, and an administrator makes her an editor.
async fn story(server: &TestServer) -> (Person, Person) {
    let ada = server.sign_up("ada@example.com").await;
    let bob = server.sign_up("bob@example.com").await;
    server.try_sign_in("ada@example.com", "a wrong guess").await;
    let path = format!("/admin/users/{}", ada.id);
    server.put(&ServiceRole, &path, json!({ "role": "editor" })).await.ok();
    (ada, bob)
}

fn path(server: &TestServer, name: &str) -> String {
    server.scratch().join(name).to_str().unwrap().to_owned()
}

on_both_databases!(the_same_filters_work_everywhere, async |database| {
    let server = TestServer::started(&database).await;
    let (ada, bob) = story(&server).await;
    let all = server.events();
    let admin = all.iter().find(|event| event.kind == "user.role_changed").unwrap();
    let positions = |command: &[&str]| {
        let out = server.evident(command).ok();
        lines(&out).iter().map(|line| line["position"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let exported = |filters: &[&str]| {
        let out = server.evident(&[&["events", "export", "--format", "cloudevents"], filters].concat()).ok();
        let place = |line: &Value| line["sequence"].as_str().unwrap().parse::<u64>().unwrap();
        lines(&out).iter().map(place).collect::<Vec<_>>()
    };
    let until = all.len().to_string();
    let (hers, his) = (format!("user:{}", ada.id), format!("user:{}", bob.id));
    let session = all.iter().find(|event| event.kind == "session.started").unwrap().stream.clone();
    let session = session.strip_prefix("session:").unwrap();
    let cases: &[(&[&str], usize)] = &[
        (&["--type", "user.*"], all.iter().filter(|event| event.kind.starts_with("user.")).count()),
        (&["--type", "user.role_changed", "--type", "attempt.*"], 2),
        (&["--subject", &his], all.iter().filter(|event| event.subject.as_deref() == Some(&his)).count()),
        (&["--actor", &admin.actor], 1),
        (&["--stream", &hers, "--type", "user.signed_up"], 1),
        (&["--user", &ada.id, "--type", "attempt.*"], 1),
        (&["--session", session], 1),
        (&["--request-id", &admin.request_id], 1),
        (&["--surface", "gotrue"], all.len()),
        (&["--surface", "cli"], 0),
        (&["--from", &admin.occurred_at], 1),
        (&["--to", &admin.occurred_at], all.len() - 1),
        (&["--after", "2", "--until", "4"], 2),
    ];
    for (filters, count) in cases {
        let listed = positions(&[&["events", "list", "--json"], *filters].concat());
        assert_eq!(listed.len(), *count, "{filters:?}");
        assert_eq!(exported(filters), listed, "{filters:?}");
        let mut tail: Vec<&str> = [&["events", "tail", "--json", "-n", "1000"], *filters].concat();
        if !filters.contains(&"--until") {
            tail.extend(["--until", &until]);
        }
        assert_eq!(positions(&tail), listed, "{filters:?}");
    }
    assert_eq!(positions(&["events", "tail", "--json", "-n", "2", "--until", &until]).len(), 2);
    let by_id = server.evident(&["events", "show", "1", "--json"]).ok();
    let id = lines(&by_id)[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.evident(&["events", "show", &id, "--json"]).ok(), by_id);
    for wrong in
        [["--type", "user.flew"], ["--surface", "window"], ["--stream", "nothing"], ["--from", "yesterday"]]
    {
        assert_eq!(server.evident(&[&["events", "list"], &wrong[..]].concat()).code, Some(2));
    }
});

on_both_databases!(tail_shows_what_comes, async |database| {
    let server = &TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    let head = server.head();
    let until = (head + 2).to_string();
    let after = head.to_string();
    let runtime = tokio::runtime::Handle::current();
    let tailed = tokio::task::block_in_place(|| {
        std::thread::scope(|threads| {
            let command = ["events", "tail", "--json", "--after", &after, "--until", &until];
            let tail = threads.spawn(move || server.evident(&command).ok());
            runtime.block_on(server.sign_up("bob@example.com"));
            tail.join().unwrap()
        })
    });
    let positions: Vec<_> = lines(&tailed).iter().map(|line| line["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, [head + 1, head + 2]);
});

on_both_databases!(exports_name_nobody_and_tell_no_secret, async |database| {
    let server = TestServer::started(&database).await;
    story(&server).await;
    let count = server.events().len();
    for format in ["jsonl", "cloudevents", "ocsf", "csv"] {
        let out = server.evident(&["events", "export", "--format", format]).ok();
        let head = usize::from(matches!(format, "jsonl" | "csv"));
        // The server signs meanwhile, when it does.
        let told = out.lines().filter(|line| !line.starts_with("{\"checkpoint\"")).count();
        assert_eq!(told, count + head, "{format}");
        for personal in ["ada@example.com", "127.0.0.1", "argon2"] {
            assert!(!out.contains(personal), "{format}: {personal}");
        }
        let opened = server.evident(&["events", "export", "--format", format, "--open-personal"]);
        if format == "jsonl" {
            assert_eq!(opened.code, Some(2), "an archive stays sealed: {opened:?}");
            continue;
        }
        let opened = opened.ok();
        assert!(opened.contains("ada@example.com") && opened.contains("127.0.0.1"), "{format}: {opened}");
        assert!(!opened.contains("argon2"), "{format}: {opened}");
    }
    let ocsf = lines(&server.evident(&["events", "export", "--format", "ocsf"]).ok());
    let classes: BTreeSet<u64> = ocsf.iter().map(|event| event["class_uid"].as_u64().unwrap()).collect();
    assert_eq!(classes, BTreeSet::from([3001, 3002, 3005]));
    let shown = server.evident(&["events", "show", "1"]).ok();
    assert!(shown.contains("(hash)") && !shown.contains("argon2"), "{shown}");
});

on_both_databases!(an_interrupted_export_is_continued, async |database| {
    let mut server = TestServer::started(&database).await;
    story(&server).await;
    // So that nothing is signed between one export and the next.
    server.stop();
    for format in ["jsonl", "cloudevents", "ocsf", "csv"] {
        let (whole, broken) =
            (path(&server, &format!("whole.{format}")), path(&server, &format!("broken.{format}")));
        let export = |into: &str, more: &[&str]| {
            server.evident(&[&["events", "export", "--format", format, "--into", into], more].concat())
        };
        export(&whole, &[]).ok();
        let content = std::fs::read(&whole).unwrap();
        assert_eq!(export(&whole, &[]).code, Some(2), "a file that is there is not overwritten");
        for cut in [0, 1, content.len() / 3, content.len() / 2, content.len() - 1, content.len()] {
            std::fs::write(&broken, &content[..cut]).unwrap();
            export(&broken, &["--resume"]).ok();
            assert!(std::fs::read(&broken).unwrap() == content, "{format} cut at {cut}");
        }
        std::fs::write(&broken, "something else\nand more\n").unwrap();
        assert_eq!(export(&broken, &["--resume"]).code, Some(2));
        assert_eq!(std::fs::read_to_string(&broken).unwrap(), "something else\nand more\n");
        std::fs::remove_file(&broken).unwrap();
    }
    assert_eq!(server.evident(&["events", "export", "--resume"]).code, Some(2));
});

/// A server that is not started, on a database of its own.
fn elsewhere(database: &TestDatabase) -> TestServer {
    TestServer::on(database).with("EVIDENT_KEYS_PASSPHRASE", PASSPHRASE).prepare()
}

/// From one database to the other and back.
async fn there_and_back(first: TestDatabase, second: TestDatabase) {
    let mut server = TestServer::on(&first).with("EVIDENT_KEYS_PASSPHRASE", PASSPHRASE).start().await;
    let (ada, bob) = story(&server).await;
    server.delete(&ServiceRole, &format!("/admin/users/{}", bob.id), None).await.ok();
    let document = server.get(&ServiceRole, &format!("/admin/users/{}", ada.id)).await.ok();
    let (archive, keys) = (path(&server, "log.jsonl"), path(&server, "keys"));
    server.evident(&["events", "export", "--into", &archive]).ok();
    server.evident(&["export", "keys", "--server-keys", "--into", &keys]).ok();
    let projections = |server: &TestServer| server.evident(&["projections", "verify", "--json"]).ok();
    let tables = projections(&server);
    let explained = server.evident(&["explain", "user", &ada.id, "--json"]).ok();
    server.stop();

    let mut other = elsewhere(&second);
    other.evident(&["import", "events", &archive, "--keys", &keys]).ok();
    assert_eq!(projections(&other), tables, "the same rows");
    let again = path(&other, "again.jsonl");
    other.evident(&["events", "export", "--into", &again]).ok();
    assert!(std::fs::read(&again).unwrap() == std::fs::read(&archive).unwrap(), "byte for byte");
    assert_eq!(other.evident(&["explain", "user", &ada.id, "--json"]).ok(), explained);
    let refused = other.evident(&["import", "events", &archive]);
    assert!(refused.code == Some(1) && refused.err.contains("not empty"), "{refused:?}");

    // It goes on where it stopped: the same account, the same password, the same session.
    other.start().await;
    assert_eq!(other.get(&ServiceRole, &format!("/admin/users/{}", ada.id)).await.ok(), document);
    other.sign_in("ada@example.com").await;
    other.try_refresh(&ada.refresh_token).await.ok();
    other.sign_up("bob@example.com").await;
    other.assert_log_is_whole();

    let back = elsewhere(&TestDatabase::sqlite());
    back.evident(&["import", "events", &again]).ok();
    let third = path(&back, "third.jsonl");
    back.evident(&["events", "export", "--into", &third]).ok();
    // Without the key that signs it is a log of its own: the same events, and none of the checkpoints.
    let events = |path: &str| {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().filter(|line| line.starts_with("{\"event\"")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(events(&third) == events(&archive), "byte for byte");
    let shown = back.evident(&["events", "show", "1"]).ok();
    assert!(!shown.contains("ada@example.com"), "without keys nobody is named: {shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_moves_from_sqlite_to_postgres_and_back() {
    if let Some(postgres) = TestDatabase::postgres().await {
        there_and_back(TestDatabase::sqlite(), postgres.clone()).await;
        postgres.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_moves_from_postgres_to_sqlite_and_back() {
    if let Some(postgres) = TestDatabase::postgres().await {
        there_and_back(postgres.clone(), TestDatabase::sqlite()).await;
        postgres.remove().await;
    }
}

on_both_databases!(a_crash_behind_an_imports_commit_is_mended_at_the_next_start, async |database| {
    let server =
        TestServer::on(&TestDatabase::sqlite()).with("EVIDENT_KEYS_PASSPHRASE", PASSPHRASE).start().await;
    let (ada, bob) = story(&server).await;
    let document = server.get(&ServiceRole, &format!("/admin/users/{}", ada.id)).await.ok();
    server.delete(&ServiceRole, &format!("/admin/users/{}", bob.id), None).await.ok();
    let (archive, keys) = (path(&server, "log.jsonl"), path(&server, "keys"));
    server.evident(&["events", "export", "--into", &archive]).ok();
    server.evident(&["export", "keys", "--server-keys", "--into", &keys]).ok();

    let mut other = elsewhere(&database);
    let mut import = other.begin_evident(&["import", "events", &archive, "--keys", &keys]);
    let since = std::time::Instant::now();
    while other.evident(&["events", "list", "--limit", "1"]).out.is_empty() {
        assert!(since.elapsed() < std::time::Duration::from_secs(60), "nothing was imported");
    }
    import.kill().unwrap_or_default();
    import.wait().unwrap();
    // However far it came by then: this is what the commit of the events leaves, and nothing else was done.
    for statement in [
        "DELETE FROM projections",
        "DELETE FROM users",
        "DELETE FROM sessions",
        "DELETE FROM claims",
        "DELETE FROM projection_rebuild",
        "INSERT INTO restores (only_row) VALUES (1) ON CONFLICT DO NOTHING",
    ] {
        other.database().execute(&other, statement).await;
    }
    other.start().await;
    assert_eq!(other.get(&ServiceRole, &format!("/admin/users/{}", ada.id)).await.ok(), document);
    other.sign_in("ada@example.com").await;
    assert_eq!(other.get(&ServiceRole, &format!("/admin/users/{}", bob.id)).await.status, 404);
    other.sign_up("bob@example.com").await;
    other.assert_log_is_whole();
    other.evident(&["audit", "verify"]).ok();
    let again = other.evident(&["import", "events", &archive]);
    assert!(again.code == Some(1) && again.err.contains("not empty"), "{again:?}");
});

on_both_databases!(a_tampered_archive_is_refused_by_its_line, async |database| {
    let server = TestServer::on(&TestDatabase::sqlite()).start().await;
    story(&server).await;
    let archive = path(&server, "log.jsonl");
    server.evident(&["events", "export", "--into", &archive]).ok();
    let text = std::fs::read_to_string(&archive).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let empty = elsewhere(&database);
    let refused = |name: &str, lines: &[String], line: usize| {
        let file = path(&empty, name);
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        let output = empty.evident(&["import", "events", &file]);
        assert_eq!(output.code, Some(1), "{name}: {output:?}");
        assert!(output.err.contains(&format!("line {line}:")), "{name}: {output:?}");
        assert_eq!(empty.evident(&["events", "list", "--json"]).ok(), "", "{name} left something behind");
    };
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let mut changed = owned(&lines);
    changed[2] = changed[2].replace("gotrue", "gotrUe");
    refused("changed", &changed, 3);
    let mut missing = owned(&lines);
    missing.remove(2);
    refused("missing", &missing, 3);
    let mut swapped = owned(&lines);
    swapped.swap(2, 3);
    refused("swapped", &swapped, 3);
    refused("headless", &owned(&lines[1..]), 1);
    refused("no archive", &["hello".to_owned()], 1);
    assert_eq!(empty.evident(&["import", "events", "nowhere.jsonl"]).code, Some(2));
    // After all that it is still empty enough.
    empty.evident(&["import", "events", &archive]).ok();
});

async fn roles(file: &Path) -> Vec<(String, Option<String>)> {
    use sqlx::{Connection, Row};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let rows =
        sqlx::query("SELECT role, email FROM users ORDER BY role").fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

on_both_databases!(an_archive_alone_gives_the_state_as_of_then, async |database| {
    let server = TestServer::on(&database).with("EVIDENT_KEYS_PASSPHRASE", PASSPHRASE).start().await;
    story(&server).await;
    let head = server.head();
    let (archive, keys) = (path(&server, "log.jsonl"), path(&server, "keys"));
    server.evident(&["events", "export", "--into", &archive]).ok();
    server.evident(&["export", "keys", "--into", &keys]).ok();
    let laptop = elsewhere(&TestDatabase::sqlite());
    let replay = |into: &str, more: &[&str]| {
        let command = [&["replay", "--archive", &archive, "--into", into], more].concat();
        laptop.evident(&command).ok();
        laptop.scratch().join(into)
    };
    let now = replay("now.db", &["--keys", &keys]);
    let is = |role: &str, email: Option<&str>| (role.to_owned(), email.map(str::to_owned));
    let (ada, bob) = (Some("ada@example.com"), Some("bob@example.com"));
    assert_eq!(roles(&now).await, [is("authenticated", bob), is("editor", ada)]);
    let before = replay("before.db", &["--keys", &keys, "--until", &(head - 1).to_string()]);
    assert_eq!(roles(&before).await.iter().filter(|(role, _)| role == "editor").count(), 0);
    let sealed = replay("sealed.db", &[]);
    assert_eq!(roles(&sealed).await, [is("authenticated", None), is("editor", None)]);
    assert!(!laptop.data().exists(), "no store was made for it");
    let left = std::fs::read_dir(laptop.scratch())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("evident-replay"));
    assert_eq!(left.count(), 0);
});

on_both_databases!(keys_are_never_handed_over_plainly, async |database| {
    let mut server = TestServer::on(&database).start().await;
    story(&server).await;
    let keys = path(&server, "keys");
    let without = server.evident(&["export", "keys", "--into", &keys]);
    assert_eq!(without.code, Some(2), "{without:?}");
    server.set("EVIDENT_KEYS_PASSPHRASE", "short");
    assert_eq!(server.evident(&["export", "keys", "--into", &keys]).code, Some(2));
    assert!(!Path::new(&keys).exists());
    std::fs::write(server.scratch().join("phrase"), format!("{PASSPHRASE}\n")).unwrap();
    server.evident(&["export", "keys", "--into", &keys, "--passphrase-file", "phrase"]).ok();
    let text = std::fs::read_to_string(&keys).unwrap();
    assert!(text.contains("argon2id") && !text.contains("server"), "{text}");
    assert_eq!(
        server.evident(&["export", "keys", "--into", &keys, "--passphrase-file", "phrase"]).code,
        Some(2)
    );
});

on_both_databases!(explanations_and_differences_name_what_was_done, async |database| {
    let server = TestServer::started(&database).await;
    let (ada, bob) = story(&server).await;
    let head = server.head();
    let text = server.evident(&["explain", "user", &ada.id]).ok();
    assert!(text.contains("user.role_changed") && text.contains("by admin:service_role"), "{text}");
    assert!(!text.contains("argon2"), "{text}");
    let rows = lines(&server.evident(&["explain", "user", &ada.id, "--json"]).ok());
    let role = &rows[0]["fields"]["role"];
    assert_eq!((&role["value"], &role["before"]), (&json!("editor"), &json!("authenticated")));
    assert_eq!(role["since"]["position"], head);
    let before = (head - 1).to_string();
    let rows = lines(&server.evident(&["explain", "user", &ada.id, "--at", &before, "--json"]).ok());
    assert_eq!(rows[0]["fields"]["role"]["value"], "authenticated");
    let session = server.events().into_iter().find(|event| event.kind == "session.started").unwrap();
    let session = session.stream.strip_prefix("session:").unwrap().to_owned();
    assert!(server.evident(&["explain", "session", &session]).ok().contains("session.started"));
    let nobody = server.evident(&["explain", "organization", &ada.id]);
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert_eq!(server.evident(&["explain", "user", "ada"]).code, Some(2));

    let found = lines(&server.evident(&["diff", "--from", &before, "--json"]).ok());
    let [change] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (&change["entity"], &change["id"], &change["change"]),
        (&json!("user"), &json!(ada.id), &json!("changed"))
    );
    assert_eq!(change["fields"]["role"], json!({ "before": "authenticated", "after": "editor" }));
    let text = server.evident(&["diff", "--from", "0"]).ok();
    assert!(
        text.contains(&format!("user {} created", bob.id)) && text.contains("changes from position 0"),
        "{text}"
    );
    assert_eq!(server.evident(&["diff", "--from", &(head + 5).to_string()]).code, Some(1));
    assert_eq!(server.evident(&["diff", "--from", "then"]).code, Some(2));
});
