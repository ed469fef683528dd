//! The command line.

use serde_json::{Value, json};
use sqlx::{Connection, Row};

use crate::support::{Anonymous, Bearer, ServiceRole, TestServer};

on_both_databases!(events_are_listed_filtered_and_shown, async |database| {
    let server = TestServer::started(&database).await;
    assert_eq!(server.evident(&["events", "list", "--json"]).ok(), "");
    let ada = server.sign_up("ada@example.com").await;
    server.sign_up("bob@example.com").await;

    let all = server.events();
    let positions: Vec<u64> = all.iter().map(|event| event.position).collect();
    assert_eq!(positions, (1..=all.len() as u64).collect::<Vec<_>>());
    let plain = server.evident(&["events", "list"]).ok();
    assert!(plain.contains("user.signed_up") && plain.contains(&ada.id), "{plain}");

    let lines = |arguments: &[&str]| {
        let command = [&["events", "list", "--json"], arguments].concat();
        server
            .evident(&command)
            .ok()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<Value>>()
    };
    let signed_up = lines(&["--type", "user.signed_up"]);
    assert_eq!(signed_up.len(), 2);
    assert!(signed_up.iter().all(|event| event["type"] == "user.signed_up"));
    let hers = lines(&["--subject", &ada.subject()]);
    assert_eq!(hers.len(), all.len() / 2);

    let shown = server.evident(&["events", "show", "1"]).ok();
    assert!(shown.contains("user.signed_up") && shown.contains("ada@example.com"), "{shown}");
    let missing = server.evident(&["events", "show", "999"]);
    assert!(missing.code != Some(0) && !missing.err.is_empty(), "{missing:?}");
});

on_both_databases!(projections_are_shown_checked_and_rebuilt, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let status = server.evident(&["projections", "status"]).ok();
    for name in ["users", "identities", "sessions"] {
        assert!(status.contains(name), "{status}");
    }
    server.evident(&["projections", "verify"]).ok();
    let document = server.get(&ada, "/user").await.ok();
    // While the server serves.
    server.evident(&["projections", "rebuild"]).ok();
    server.evident(&["projections", "rebuild", "users"]).ok();
    assert_eq!(server.get(&ada, "/user").await.ok(), document);
    server.evident(&["projections", "verify"]).ok();
    let unknown = server.evident(&["projections", "rebuild", "nonsense"]);
    assert!(unknown.code != Some(0) && unknown.err.contains("nonsense"), "{unknown:?}");
});

on_both_databases!(a_changed_table_is_found_and_mended, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    server.database().execute(&server, "UPDATE users SET role = 'service_role'").await;
    let found = server.evident(&["projections", "verify"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    assert!(format!("{}{}", found.out, found.err).contains("users"), "{found:?}");
    server.evident(&["projections", "rebuild"]).ok();
    server.evident(&["projections", "verify"]).ok();
    assert_eq!(server.get(&ada, "/user").await.ok()["role"], "authenticated");
});

on_both_databases!(a_replay_gives_the_state_as_of_then, async |database| {
    let server = TestServer::started(&database).await;
    let ada = server.sign_up("ada@example.com").await;
    let then = server.head();
    let path = format!("/admin/users/{}", ada.id);
    server.put(&ServiceRole, &path, json!({ "role": "editor" })).await.ok();
    server.sign_up("bob@example.com").await;

    let file = server.scratch().join("then.db");
    let into = file.to_str().unwrap();
    server.evident(&["replay", "--until", &then.to_string(), "--into", into]).ok();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file).read_only(true);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let rows = sqlx::query("SELECT role FROM users").fetch_all(&mut connection).await.unwrap();
    let roles: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(roles, ["authenticated"], "before the change and before Bob");
    connection.close().await.unwrap();

    let now = server.scratch().join("now.db");
    let time = chrono::Utc::now().to_rfc3339();
    server.evident(&["replay", "--until", &time, "--into", now.to_str().unwrap()]).ok();
    assert!(now.is_file());
    let again = server.evident(&["replay", "--until", "1", "--into", into]);
    assert_ne!(again.code, Some(0), "a file that is there is not overwritten: {again:?}");
    let nonsense = server.scratch().join("nonsense.db");
    let nonsense = server.evident(&["replay", "--until", "yesterday", "--into", nonsense.to_str().unwrap()]);
    assert_eq!(nonsense.code, Some(2), "{nonsense:?}");
});

on_both_databases!(an_administrators_token_can_be_made, async |database| {
    let server = TestServer::started(&database).await;
    let token = server.evident(&["users", "create-admin-token"]).ok();
    let caller = Bearer(token.trim().to_owned());
    server.get(&caller, "/admin/users").await.ok();
    assert_eq!(token.lines().count(), 1, "nothing but the token: {token}");
});

on_both_databases!(the_keys_are_shown_without_their_secrets, async |database| {
    let keys = crate::support::key_set(crate::support::ES256_KEY, &[]);
    let server = TestServer::on(&database).with("GOTRUE_JWT_KEYS", &keys).start().await;
    let help = server.evident(&["keys", "--help"]).ok();
    assert!(help.contains("Usage"), "{help}");
    let shown = server.evident(&["keys", "list"]).ok();
    assert!(shown.contains("es-1"), "{shown}");
    let private: Value = serde_json::from_str(crate::support::ES256_KEY).unwrap();
    assert!(!shown.contains(private["d"].as_str().unwrap()), "{shown}");
    assert!(!shown.contains(crate::support::JWT_SECRET), "{shown}");
});

#[tokio::test]
async fn help_teaches() {
    let database = crate::support::TestDatabase::sqlite();
    let server = TestServer::on(&database).prepare();
    let help = server.evident(&["--help"]).ok();
    for command in ["serve", "events", "projections", "replay", "keys", "users", "audit", "witness"] {
        assert!(help.contains(command), "{help}");
    }
    for command in [&["serve", "--help"][..], &["events", "list", "--help"], &["replay", "--help"]] {
        assert!(server.evident(command).ok().contains("Usage"));
    }
    let version = server.evident(&["--version"]).ok();
    assert!(version.starts_with("evident "), "{version}");
    assert_eq!(server.evident(&["nonsense"]).code, Some(2));
}

#[tokio::test]
async fn a_bad_value_stops_the_start_with_one_line_that_names_it() {
    let database = crate::support::TestDatabase::sqlite();
    let mut wrong = Vec::new();
    for (name, value) in [
        ("EVIDENT_SERVER_PORT", "ninety"),
        ("EVIDENT_SERVER_PORT", "70000"),
        ("API_EXTERNAL_URL", "no url"),
        ("GOTRUE_SITE_URL", "no url"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("GOTRUE_JWT_KEYS", "no json"),
        ("GOTRUE_JWT_KEYS", "[]"),
        ("GOTRUE_JWT_EXP", "soon"),
        ("GOTRUE_MAILER_AUTOCONFIRM", "perhaps"),
        ("GOTRUE_SMTP_MAX_FREQUENCY", "often"),
        ("GOTRUE_RATE_LIMIT_OTP", "many"),
        ("GOTRUE_SMTP_PORT", "x"),
        ("GOTRUE_SESSIONS_TIMEBOX", "-1h"),
        ("EVIDENT_PASSWORD_ARGON2_ITERATIONS", "0"),
    ] {
        let server = TestServer::on(&database).with(name, value).prepare();
        let output = server.refused_start();
        match output.one_line_of_refusal() {
            Some(line) if line.contains(name) => {}
            _ => wrong.push(format!("{name}={value}: {output:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn secrets_do_not_stand_in_complaints() {
    let database = crate::support::TestDatabase::sqlite();
    let server =
        TestServer::on(&database).with("DATABASE_URL", "mysql://me:a-secret-password@localhost/x").prepare();
    let output = server.refused_start();
    let line = output.one_line_of_refusal().unwrap();
    assert!(!line.contains("a-secret-password"), "{line}");
}

#[tokio::test]
async fn what_peers_start_with_starts_here_too() {
    let database = crate::support::TestDatabase::sqlite();
    let server = TestServer::on(&database)
        .with("GOTRUE_JWT_SECRET", "short")
        .with("GOTRUE_DB_DRIVER", "postgres")
        .with("GOTRUE_EXTERNAL_GOOGLE_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID", "")
        .with("GOTRUE_SOMETHING_UNKNOWN", "x")
        .with("GOTRUE_OPERATOR_TOKEN", "x")
        .start()
        .await;
    server.get(&Anonymous, "/health").await.ok();
    assert!(server.log_text().contains("GOTRUE_JWT_SECRET"), "a short secret is warned of");
}

#[tokio::test]
async fn without_any_configuration_the_server_starts_beside_its_data() {
    let database = crate::support::TestDatabase::sqlite();
    let mut setup = TestServer::on(&database);
    for name in [
        "API_EXTERNAL_URL",
        "GOTRUE_SITE_URL",
        "GOTRUE_URI_ALLOW_LIST",
        "GOTRUE_JWT_SECRET",
        "GOTRUE_JWT_AUD",
        "GOTRUE_JWT_DEFAULT_GROUP_NAME",
        "GOTRUE_MAILER_AUTOCONFIRM",
        "GOTRUE_EXTERNAL_PHONE_ENABLED",
        "GOTRUE_SMTP_ADMIN_EMAIL",
    ] {
        setup = setup.without(name);
    }
    let mut server = setup.prepare();
    server.unset("EVIDENT_DATA_DIR");
    server.start().await;
    server.get(&Anonymous, "/health").await.ok();
    assert!(server.scratch().join("evident-data").is_dir());
    let token = server.evident(&["users", "create-admin-token"]).ok();
    server.get(&Bearer(token.trim().to_owned()), "/admin/users").await.ok();
}
