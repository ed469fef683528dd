//! The official client with its plugins, unmodified: it drives every operation, and
//! `docs/conformance-better-auth.md` is what it saw.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::external::{knows, with_gitlab};
use crate::support::{FakeProvider, NodeClient, TestDatabase, TestServer};

const OFFICIAL: NodeClient = NodeClient { folder: "better-auth", package: "better-auth" };

/// What the cases keep with sessions.
const SESSION_FIELDS: &str = r#"{"theme":{"type":"string","required":false},"size":{"type":"number","required":false},
        "draft":{"type":"string","required":false}}"#;

/// An operation of the reference's table.
#[derive(Debug, serde::Deserialize)]
struct Operation {
    method: String,
    path: String,
    plugin: String,
    success: u16,
    /// Fields of the answer; `?` marks those that may be absent.
    answers: Vec<String>,
    #[serde(default)]
    seed: bool,
}

/// What the client saw of one.
#[derive(Debug, Default, serde::Deserialize)]
struct Seen {
    statuses: Vec<u16>,
    fields: Vec<String>,
}

const HEAD: &str = "\
# Conformance with Better Auth

Every operation of the documents that the project started from (marked with ¹), and those that today's client has beside
them in the same plugins. The official client, unmodified, drives each one against the server, and the same cases run
against Better Auth itself (`tests/clients/better-auth`). The test compares statuses and fields with the reference and
writes this page: `UPDATE_DOCS=1 cargo test -p evident-api --test it better_auth::client`.

What is different on purpose stands in [differences.md](differences.md).
";

on_both_databases!(the_official_client_drives_every_operation, async |database| {
    let gitlab = FakeProvider::start().await;
    knows(&gitlab, 1, "Igor", "igor@example.com", true);
    let administrators: Vec<String> = (1..=20).map(|n| format!("admin.{n}@example.com")).collect();
    let administrators = administrators.join(",");
    let server = with_gitlab(&database, &gitlab)
        .with("EVIDENT_BETTER_AUTH_ADMIN_EMAILS", &administrators)
        .with("EVIDENT_BETTER_AUTH_CHANGE_EMAIL_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_CHANGE_EMAIL_CONFIRMATION", "true")
        .with("EVIDENT_BETTER_AUTH_DELETE_USER_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_DELETE_USER_CONFIRMATION", "true")
        .with("EVIDENT_BETTER_AUTH_EMAIL_OTP_CHANGE_EMAIL", "true")
        .with("EVIDENT_BETTER_AUTH_PHONE_SIGN_UP", "true")
        .with("EVIDENT_BETTER_AUTH_TEAMS_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_ORGANIZATION_OWN_ROLES_ENABLED", "true")
        .with("EVIDENT_BETTER_AUTH_SESSION_REFRESH_DEFERRED", "true")
        .with("EVIDENT_BETTER_AUTH_SESSION_FIELDS", SESSION_FIELDS)
        .with("EVIDENT_BETTER_AUTH_RATE_LIMIT_ENABLED", "false")
        .with("GOTRUE_SMTP_MAX_FREQUENCY", "1ms")
        .with("GOTRUE_SMS_MAX_FREQUENCY", "1ms")
        .with("GOTRUE_EXTERNAL_PHONE_ENABLED", "true")
        .with("GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED", "true")
        .with("GOTRUE_RATE_LIMIT_ANONYMOUS_USERS", "1000000")
        .start()
        .await;
    let report = server.scratch().join("seen.json");
    let environment = [
        ("EVIDENT_DATA", server.data().to_str().unwrap()),
        ("EVIDENT_ADMINISTRATORS", &administrators),
        ("EVIDENT_ORIGIN", "http://localhost:9999"),
        ("EVIDENT_REPORT", report.to_str().unwrap()),
    ];
    OFFICIAL.run(&server, "drive.mjs", &environment).await;
    let Ok(report) = std::fs::read_to_string(report) else { return };
    hold_against(&page(&serde_json::from_str(&report).unwrap()));
});

/// What stands before an application reads the copy of a session.
async fn is_read_by_middleware(database: &TestDatabase, strategy: &str) {
    let secret = "a secret of the tests that is long enough";
    let server = TestServer::on(database)
        .with("BETTER_AUTH_SECRET", secret)
        .with("EVIDENT_BETTER_AUTH_COOKIE_CACHE", "true")
        .with("EVIDENT_BETTER_AUTH_COOKIE_CACHE_VERSION", "7")
        .with("EVIDENT_BETTER_AUTH_COOKIE_CACHE_STRATEGY", strategy)
        .with("EVIDENT_BETTER_AUTH_SESSION_FIELDS", SESSION_FIELDS)
        .start()
        .await;
    let environment = [
        ("EVIDENT_SECRET", secret),
        ("EVIDENT_STRATEGY", strategy),
        ("EVIDENT_ORIGIN", "http://localhost:9999"),
    ];
    OFFICIAL.run(&server, "cookie_cache.mjs", &environment).await;
}

on_both_databases!(middleware_reads_the_copy_of_a_session_in_its_cookie, async |database| {
    is_read_by_middleware(&database, "compact").await;
});

on_both_databases!(middleware_reads_the_copy_of_a_session_as_a_jwt, async |database| {
    is_read_by_middleware(&database, "jwt").await;
});

on_both_databases!(middleware_reads_the_copy_of_a_session_as_an_enciphered_jwt, async |database| {
    is_read_by_middleware(&database, "jwe").await;
});

fn operations() -> Vec<Operation> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/better-auth-endpoints.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn page(seen: &BTreeMap<String, Seen>) -> String {
    let operations = operations();
    let (mut rows, mut works, mut faults) = (String::new(), 0, Vec::new());
    for operation in &operations {
        let name = format!("{} {}", operation.method, operation.path);
        let seen = seen.get(&name);
        let there = seen.is_some_and(|seen| seen.statuses.contains(&operation.success));
        let fields = seen.map(|seen| &seen.fields[..]).unwrap_or_default();
        let wanted = operation.answers.iter().filter(|field| !field.ends_with('?'));
        let missing: Vec<&str> =
            wanted.map(String::as_str).filter(|f| !fields.iter().any(|g| g == f)).collect();
        if there && !missing.is_empty() {
            faults.push(format!("{name} lacks {}", missing.join(", ")));
        }
        works += usize::from(there);
        let mut refusals: Vec<u16> = seen.map(|seen| seen.statuses.clone()).unwrap_or_default();
        refusals.retain(|status| *status >= 400);
        refusals.sort_unstable();
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "| `{name}`{} | {} | {} | {} | {} |",
            if operation.seed { " ¹" } else { "" },
            operation.plugin,
            if there { "works" } else { "**not there**" },
            if there { operation.success.to_string() } else { String::new() },
            refusals.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
        );
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    format!(
        "{HEAD}\nOf {} operations {works} work.\n\n| Operation | Plugin | | Success | Refusals seen |\n\
         |---|---|---|---|---|\n{rows}",
        operations.len()
    )
}

/// The page is what was seen; with `UPDATE_DOCS` it is written anew.
fn hold_against(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance-better-auth.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page).unwrap();
        return;
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let differs = there.lines().zip(page.lines()).find(|(there, seen)| there != seen);
    assert!(there == page, "the page says otherwise: {differs:?}; `UPDATE_DOCS=1` writes it anew");
}
