//! Who is forgotten is so everywhere: no byte of the database tells of them, and no command and no node.

use std::path::Path;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    Anonymous, Browser, PASSWORD, Person, Reply, ServiceRole, TestDatabase, TestServer, postgres_program,
};

const ADDRESS: &str = "ada.lovelace@example.com";
/// What must not be found anywhere, in lower case.
const TRACES: [&str; 7] =
    ["ada.lovelace", "lovelace", "15550001234", "203.0.113.77", "adabrowser", "marylebone", "horsley"];

/// All that the databases hold, as one text in lower case.
fn stored(server: &TestServer) -> String {
    let bytes: Vec<u8> = match server.database() {
        TestDatabase::Sqlite => {
            let files = ["evident.db", "evident.db-wal", "keys.db", "keys.db-wal"];
            let read = |name: &str| std::fs::read(server.data().join(name)).unwrap_or_default();
            files.into_iter().flat_map(read).collect()
        }
        TestDatabase::Postgres { url } => {
            let psql = |sql: &str| {
                let arguments = [url.as_str(), "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql];
                let output = postgres_program("psql").args(arguments).output().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                output.stdout
            };
            let tables = psql(
                "select format('%I.%I', schemaname, tablename) from pg_tables \
                 where schemaname in ('evident', 'evident_keys')",
            );
            let tables = String::from_utf8(tables).unwrap();
            assert!(tables.contains("evident.events") && tables.contains("evident_keys.subject_keys"));
            tables
                .lines()
                .flat_map(|table| psql(&format!("copy (select t::text from {table} t) to stdout")))
                .collect()
        }
    };
    String::from_utf8_lossy(&bytes).to_lowercase()
}

#[track_caller]
fn assert_no_trace(text: &str, place: &str) {
    let text = text.to_lowercase();
    for trace in TRACES {
        if let Some(at) = text.find(trace) {
            let from = text[..at].char_indices().rev().nth(80).map_or(0, |(at, _)| at);
            panic!("{trace} stands in {place}: …{}", text[from..].chars().take(200).collect::<String>());
        }
    }
}

/// As Ada's browser sends it, from where she is.
fn hers(request: RequestBuilder) -> RequestBuilder {
    request.header("user-agent", "AdaBrowser/7").header("x-forwarded-for", "203.0.113.77")
}

async fn she_posts(server: &TestServer, path: &str, body: Value) -> Reply {
    server.send(hers(server.request(Method::POST, path)).json(&body)).await
}

/// Ada, where all sorts of things were done by her, with her and to her.
async fn ada_lives(server: &TestServer, root: &Browser<'_>) -> Person {
    let credentials = json!({ "email": ADDRESS, "password": "a wrong guess" });
    // Before anybody is known by the address.
    she_posts(server, "/token?grant_type=password", credentials.clone()).await;
    let bob = Browser::on(server);
    bob.sign_up("bob@example.com").await;
    for slug in ["kept", "deleted"] {
        let made = bob.post("/organization/create", json!({ "name": slug, "slug": slug })).await.ok();
        let body = json!({ "email": ADDRESS, "role": "member", "organizationId": made["id"] });
        bob.post("/organization/invite-member", body).await.ok();
        if slug == "deleted" {
            bob.post("/organization/delete", json!({ "organizationId": made["id"] })).await.ok();
        }
    }
    let data = json!({ "full_name": "Ada Lovelace", "city": "Marylebone" });
    let signing_up = json!({ "email": ADDRESS, "password": PASSWORD, "data": data });
    let ada = Person::of_session(&she_posts(server, "/signup", signing_up).await.ok());
    she_posts(server, "/token?grant_type=password", credentials).await;
    let phone = server.request(Method::PUT, "/user").bearer_auth(&ada.access_token);
    server.send(hers(phone).json(&json!({ "phone": "15550001234" }))).await.ok();
    she_posts(server, "/token?grant_type=refresh_token", json!({ "refresh_token": ada.refresh_token }))
        .await
        .ok();
    // A mail that cannot be sent waits for the next try.
    she_posts(server, "/recover", json!({ "email": ADDRESS })).await;

    let browser = Browser::on(server);
    let post = async |path: &str, body: Value| {
        browser.send(hers(server.request(Method::POST, &format!("/api/auth{path}"))).json(&body)).await
    };
    post("/sign-in/email", json!({ "email": ADDRESS, "password": PASSWORD })).await.ok();
    post("/update-session", json!({ "seat": "East Horsley" })).await.ok();
    let invited = browser.get("/organization/list-user-invitations").await.ok();
    if let Some(id) = invited.as_array().and_then(|list| list.first()).map(|one| one["id"].clone()) {
        post("/organization/accept-invitation", json!({ "invitationId": id })).await.ok();
    }
    let own = post("/organization/create", json!({ "name": "Engines", "slug": "engines" })).await.ok();
    let invite = json!({ "email": "carol@example.com", "role": "member", "organizationId": own["id"] });
    post("/organization/invite-member", invite).await.ok();
    // Who administers her, and in her name; and she herself in another's.
    root.post("/admin/impersonate-user", json!({ "userId": ada.id })).await.ok();
    root.post("/admin/stop-impersonating", json!({})).await.ok();
    let role = json!({ "userId": ada.id, "role": "admin" });
    root.post("/admin/set-role", role).await.ok();
    let bob = bob.session().await["user"]["id"].clone();
    post("/admin/impersonate-user", json!({ "userId": bob })).await.ok();
    post("/update-user", json!({ "name": "Bobby" })).await.ok();
    root.post("/admin/ban-user", json!({ "userId": ada.id, "banReason": "Lovelace is rude" })).await.ok();
    ada
}

async fn with_everything(database: &TestDatabase) -> TestServer {
    TestServer::on(database)
        .with("EVIDENT_SERVER_TRUSTED_PROXIES", "127.0.0.1")
        .with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", "root@example.com")
        .with("EVIDENT_BETTER_AUTH_SESSION_FIELDS", r#"{"seat":{"type":"string"}}"#)
        .with("GOTRUE_SMS_AUTOCONFIRM", "true")
        .with("GOTRUE_SMTP_HOST", "127.0.0.1")
        .with("GOTRUE_SMTP_PORT", "1")
        .start()
        .await
}

/// Everything that is shown and stored, apart from the tables of a replay that needs no key.
fn assert_forgotten(server: &TestServer, replayed: &Path) {
    assert_no_trace(&stored(server), "the database");
    assert_no_trace(&server.evident(&["events", "list", "--json"]).ok(), "the log");
    let file = replayed.to_str().unwrap();
    let head = server.head().to_string();
    server.evident(&["replay", "--until", &head, "--into", file]).ok();
    assert_no_trace(&String::from_utf8_lossy(&std::fs::read(file).unwrap()), "a replay");
    server.assert_log_is_whole();
}

on_both_databases!(no_byte_tells_of_who_is_forgotten, async |database| {
    let server = with_everything(&database).await;
    let root = Browser::on(&server);
    root.sign_up("root@example.com").await;
    let ada = ada_lives(&server, &root).await;
    let before = stored(&server);
    for trace in ["ada.lovelace", "lovelace", "15550001234", "203.0.113.77", "adabrowser", "marylebone"] {
        assert!(before.contains(trace), "the test looks where {trace} stands");
    }
    let path = format!("/admin/users/{}", ada.id);
    // Where several nodes may serve one database.
    let other = match database.url() {
        Some(_) => Some(server.second_node().await),
        None => None,
    };
    let other = other.as_ref().unwrap_or(&server);
    assert!(other.get(&ServiceRole, &path).await.ok().to_string().contains(ADDRESS));

    server.delete(&ServiceRole, &path, None).await.ok();
    assert_forgotten(&server, &server.scratch().join("one.db"));
    assert_eq!(other.get(&ServiceRole, &path).await.status, 404);
    let audit = other.get(&ServiceRole, "/admin/audit?per_page=500").await.ok().to_string();
    assert_no_trace(&audit, "the audit log of another node");
    server.evident(&["projections", "rebuild"]).ok();
    assert_forgotten(&server, &server.scratch().join("two.db"));
});

on_both_databases!(an_operator_erases_and_anybody_can_check_the_certificate, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up(ADDRESS).await;
    server.sign_up("bob@example.com").await;
    assert!(server.evident(&["users", "certificate", &ada.id]).err.contains("erased"));
    let exported = server.evident(&["users", "export", ADDRESS]).ok();
    let held: Value = serde_json::from_str(&exported).unwrap();
    assert_eq!(held["users"][0]["email"], ADDRESS);
    assert_eq!(held["sessions"].as_array().unwrap().len(), 1);
    let told = |kind: &str| {
        let events = held["events_about"].as_array().unwrap();
        events.iter().find(|event| event["type"] == kind).cloned().unwrap()
    };
    assert_eq!(told("user.signed_up")["data"]["email"], ADDRESS);
    assert!(!exported.contains("$argon2") && !exported.contains("bob@example.com"), "{exported}");

    let note = server.evident(&["users", "erase", ADDRESS]).ok();
    assert_eq!(server.get(&ada, "/user").await.status, 403);
    assert!(note.contains(&ada.subject()) && note.contains("inclusion_proof"), "{note}");
    let file = server.scratch().join("certificate.txt");
    std::fs::write(&file, &note).unwrap();
    let check = ["users", "certificate", "--check", file.to_str().unwrap()];
    let checked = server.evident(&check).ok();
    assert!(checked.starts_with("holds") && checked.contains(&ada.id), "{checked}");
    // It is made from the log, at any time; and what was meddled with is no certificate.
    server.sign_up("carol@example.com").await;
    let again = server.evident(&["users", "certificate", &ada.id]).ok();
    assert!(again.contains(&ada.subject()));
    std::fs::write(&file, note.replacen("\"erased_at\":\"2", "\"erased_at\":\"3", 1)).unwrap();
    assert_eq!(server.evident(&check).code, Some(1));
    let unknown = server.evident(&["users", "erase", "nobody@example.com"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
});

on_both_databases!(a_hold_keeps_a_person_until_it_is_lifted, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up(ADDRESS).await;
    let bare = server.evident(&["hold", "place", "--user", &ada.id, "--reason", " ", "--by", "Counsel"]);
    assert_eq!(bare.code, Some(1), "{bare:?}");
    let place = ["hold", "place", "--user", &ada.id, "--reason", "Case 26-1138", "--by", "Counsel"];
    let hold = server.evident(&place).ok().trim().to_owned();
    let listed = server.evident(&["hold", "list"]).ok();
    assert!(listed.contains(&hold) && listed.contains("Case 26-1138"), "{listed}");

    let path = format!("/admin/users/{}", ada.id);
    let refused = server.delete(&ServiceRole, &path, None).await;
    assert_eq!(refused.error_code(409), "conflict");
    assert!(server.evident(&["users", "erase", &ada.id]).err.contains("legal hold"));
    assert_eq!(server.get(&ada, "/user").await.ok()["email"], ADDRESS);

    server.evident(&["hold", "lift", &hold, "--by", "Counsel"]).ok();
    assert_eq!(server.evident(&["hold", "list"]).ok(), "");
    server.delete(&ServiceRole, &path, None).await.ok();
    let kinds: Vec<_> = server.events().into_iter().map(|event| event.kind).collect();
    assert!(kinds.iter().any(|kind| kind == "hold.placed") && kinds.iter().any(|kind| kind == "hold.lifted"));
    assert!(
        !server.evident(&["events", "list", "--json"]).ok().contains("26-1138"),
        "the reason went with her"
    );
});

on_both_databases!(the_master_key_changes_while_people_sign_in, async |database| {
    let mut server = TestServer::started(&database).await;
    server.sign_up(ADDRESS).await;
    let old = std::fs::read(server.master_key()).unwrap();
    let (done, mut rounds) = (std::sync::atomic::AtomicBool::new(false), 0);
    let people = async {
        while !done.load(std::sync::atomic::Ordering::Relaxed) || rounds < 3 {
            rounds += 1;
            server.sign_in(ADDRESS).await;
            server.sign_up(&format!("somebody.{rounds}@example.com")).await;
        }
        rounds
    };
    let rotation = async {
        let report = tokio::task::block_in_place(|| server.evident(&["keys", "rotate-master"]).ok());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        report
    };
    let (rounds, report) = tokio::join!(people, rotation);
    assert!(report.contains("wrapped anew") && rounds >= 3, "{report}");
    let new = std::fs::read(server.master_key()).unwrap();
    assert_ne!(old, new);
    assert_eq!(std::fs::read(server.master_key().with_file_name("master.key.retired")).unwrap(), old);
    server.sign_in(ADDRESS).await;

    server.stop();
    server.start().await;
    for round in 1..=rounds {
        server.sign_in(&format!("somebody.{round}@example.com")).await;
    }
    server.assert_log_is_whole();
    server.stop();
    std::fs::write(server.master_key(), old).unwrap();
    let refused = server.refused_start();
    assert!(refused.err.to_lowercase().contains("master key"), "{refused:?}");
});

on_both_databases!(retention_says_what_it_does, async |database| {
    let server = TestServer::on(&database).with("EVIDENT_RETENTION_FAILED_ATTEMPTS", "24h").start().await;
    server.post(&Anonymous, "/token?grant_type=password", json!({ "email": ADDRESS, "password": "x" })).await;
    let status = server.evident(&["retention", "status"]).ok();
    assert!(status.contains("attempt") && status.contains("1 days"), "{status}");
    assert!(server.evident(&["retention", "run"]).ok().starts_with("0 contents"), "nothing is old enough");
    server.evident(&["hold", "place", "--everything", "--reason", "Case", "--by", "Counsel"]).ok();
    assert!(server.evident(&["retention", "run"]).ok().contains("keeps everything"));
    server.assert_log_is_whole();
});

on_both_databases!(an_erasure_is_certified_to_auditors, async |database| {
    let server = TestServer::started(&database).await;
    let auditor = crate::audit::auditor(&server);
    let ada = server.sign_up(ADDRESS).await;
    let bob = server.sign_up("bob@example.com").await;
    let path = |user: &str| format!("/audit/erasures/{user}");
    let nobody = "00000000-0000-4000-8000-000000000001";
    for user in [&ada.id, nobody, &ada.subject()] {
        let refused = server.get(&auditor, &path(user)).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (404, &json!("not_found")), "{user}");
    }
    for wrong in ["ada", "organization:00000000-0000-4000-8000-000000000001", "period:2026-11", "server"] {
        assert_eq!(server.get(&auditor, &path(wrong)).await.status, 400, "{wrong}");
    }
    server.delete(&ServiceRole, &format!("/admin/users/{}", ada.id), None).await.ok();
    let certificate = server.get(&auditor, &path(&ada.id)).await;
    assert_eq!(certificate.status, 200, "{}", certificate.text);
    assert_eq!(certificate.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(certificate.header("cache-control"), "no-store");
    assert!(certificate.text.contains(&ada.id));
    assert_no_trace(&certificate.text, "the certificate");
    assert_eq!(server.get(&auditor, &path(&ada.subject())).await.status, 200);

    // Whoever holds it checks it by the key alone, and a changed one does not pass.
    let key = server.evident(&["audit", "key"]).ok().trim().to_owned();
    let file = server.scratch().join("certificate");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        server.evident(&["users", "certificate", "--check", file, "--key", &key]).code
    };
    assert_eq!(check(&certificate.text), Some(0));
    assert_eq!(check(&certificate.text.replace(&ada.id, &bob.id)), Some(1));

    assert_eq!(server.get(&bob, &path(&ada.id)).await.status, 403);
    assert_eq!(server.get(&ServiceRole, &path(&ada.id)).await.status, 403);
    assert_eq!(server.get(&Anonymous, &path(&ada.id)).await.status, 401);
});
