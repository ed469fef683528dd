//! What the log must not tell, and the keys that keep it.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use sqlx::{Connection, Row};

use crate::support::{Anonymous, PASSWORD, Person, TestDatabase, TestServer, postgres_program};

/// Every row of the log as the database keeps it, as one text.
pub(crate) async fn stored_events(server: &TestServer) -> String {
    match server.database() {
        TestDatabase::Postgres { url } => {
            let output = postgres_program("psql")
                .args([
                    url,
                    "-X",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-c",
                    "COPY (SELECT * FROM evident.events) TO STDOUT",
                ])
                .output()
                .unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        }
        TestDatabase::Sqlite => {
            let file = server.data().join("evident.db");
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).read_only(true);
            let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
            let rows = sqlx::query("SELECT * FROM events").fetch_all(&mut connection).await.unwrap();
            let mut text = String::new();
            for row in &rows {
                for column in 0..row.len() {
                    let bytes: Option<Vec<u8>> = row.try_get_unchecked(column).unwrap();
                    text.push_str(&String::from_utf8_lossy(&bytes.unwrap_or_default()));
                    text.push('\t');
                }
                text.push('\n');
            }
            text
        }
    }
}

on_both_databases!(no_secret_and_nothing_personal_stands_readable_in_the_log, async |database| {
    let server = TestServer::on(&database).with_confirmation().start().await;
    let request = server
        .request(reqwest::Method::POST, "/signup")
        .header("user-agent", "CuriousBrowser/7")
        .json(&json!({ "email": "ada.lovelace@example.com", "password": PASSWORD,
                       "data": { "full_name": "Ada Lovelace", "city": "Marylebone" } }));
    server.send(request).await.ok();
    let mail = server.mail_to("ada.lovelace@example.com", 1).await;
    let verify = json!({ "type": "signup", "email": "ada.lovelace@example.com", "token": mail.code() });
    let ada = Person::of_session(&server.post(&Anonymous, "/verify", verify).await.ok());
    let again = Person::of_session(&server.try_refresh(&ada.refresh_token).await.ok());
    server.try_sign_in("ada.lovelace@example.com", "a wrong guess").await;
    server.try_sign_in("stranger@example.org", "a wrong guess").await;
    server
        .put(&again, "/user", json!({ "data": { "city": "Ockham" }, "password": "a second one" }))
        .await
        .ok();

    let stored = stored_events(&server).await;
    assert!(stored.contains("user.signed_up") && stored.contains(&ada.id), "these are the events: {stored}");
    let code = mail.code();
    let link = mail.link_parameter("token");
    let log = server.log_text();
    for secret in [PASSWORD, "a wrong guess", "a second one", &ada.refresh_token, &again.access_token, &link]
    {
        assert!(!stored.contains(secret), "{secret} stands in the events");
        assert!(!log.contains(secret), "{secret} stands in the server's log");
    }
    assert!(!log.contains(&code), "the code stands in the server's log");
    let lower = stored.to_lowercase();
    for personal in [
        "ada.lovelace",
        "lovelace",
        "marylebone",
        "ockham",
        "stranger",
        "127.0.0.1",
        "curiousbrowser",
        "$argon2",
    ] {
        assert!(!lower.contains(personal), "{personal} stands in the events");
    }
    // Whoever runs the server can read it.
    let ip = server.events().into_iter().find_map(|event| event.ip);
    assert_eq!(ip.as_deref(), Some("127.0.0.1"));
});

on_both_databases!(an_erased_person_reads_as_erased_everywhere, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada.lovelace@example.com").await;
    let path = format!("/admin/users/{}", ada.id);
    server.delete(&crate::support::ServiceRole, &path, None).await.ok();
    let listing = server.evident(&["events", "list", "--json"]).ok();
    assert!(!listing.contains("ada.lovelace"), "{listing}");
    for event in server.events() {
        let shown = server.evident(&["events", "show", &event.position.to_string()]).ok();
        assert!(!shown.contains("ada.lovelace"), "{shown}");
    }
    server.assert_log_is_whole();
});

/// The keys of the embedded store: the file with its write-ahead log.
fn key_files(server: &TestServer) -> [std::path::PathBuf; 3] {
    ["keys.db", "keys.db-wal", "keys.db-shm"].map(|name| server.data().join(name))
}

#[tokio::test]
async fn a_restored_copy_of_the_keys_brings_nobody_back() {
    let mut server = TestServer::started(&TestDatabase::sqlite()).await;
    let ada = server.sign_up("ada.lovelace@example.com").await;
    server.stop();
    let copy: Vec<_> = key_files(&server).into_iter().map(|file| (std::fs::read(&file).ok(), file)).collect();
    server.start().await;
    server.delete(&crate::support::ServiceRole, &format!("/admin/users/{}", ada.id), None).await.ok();
    server.kill_9();
    for (content, file) in copy {
        match content {
            Some(content) => std::fs::write(&file, content).unwrap(),
            None => drop(std::fs::remove_file(&file)),
        }
    }
    let readable = server.evident(&["events", "list", "--json"]).ok();
    assert!(readable.contains("ada.lovelace"), "the copy opens the log until the server starts");

    server.start().await;
    let listing = server.evident(&["events", "list", "--json"]).ok();
    assert!(!listing.contains("ada.lovelace"), "{listing}");
    server.assert_log_is_whole();
}

on_both_databases!(the_master_key_is_the_owners_alone, async |database| {
    let server = TestServer::started(&database).await;
    let mode = std::fs::metadata(server.master_key()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
});

on_both_databases!(a_wrong_master_key_stops_the_start_with_one_line, async |database| {
    let mut server = TestServer::started(&database).await;
    server.sign_up("ada@example.com").await;
    server.stop();
    let file = server.master_key();
    let right = std::fs::read(&file).unwrap();
    let mut wrong = right.clone();
    for byte in wrong.iter_mut().filter(|byte| byte.is_ascii_alphanumeric()).take(8) {
        *byte = if *byte == b'a' { b'b' } else { b'a' };
    }
    std::fs::write(&file, wrong).unwrap();
    server.set("EVIDENT_LOG_LEVEL", "off");
    let output = server.refused_start();
    assert!(matches!(output.code, Some(1 | 2)), "{output:?}");
    let lines: Vec<&str> = output.err.lines().collect();
    assert_eq!(lines.len(), 1, "{output:?}");
    assert!(lines[0].to_lowercase().contains("master key"), "{output:?}");

    std::fs::write(&file, right).unwrap();
    server.start().await;
    server.sign_in("ada@example.com").await;
});
