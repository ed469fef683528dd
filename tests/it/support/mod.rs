//! What every test uses: a server to talk to, a database for it, callers, a mail reader, the log.

mod browser;
mod callers;
mod database;
mod events;
mod factors;
mod go;
mod keys;
mod mail;
mod node;
mod peer;
mod postgres;
mod provider;
mod python;
mod reply;
mod server;
mod watchdog;
mod webauthn;

pub(crate) use browser::Browser;
pub(crate) use callers::{Anonymous, Bearer, Caller, Person, ServiceRole, sign_hs256};
pub(crate) use database::{TestDatabase, postgres_program};
pub(crate) use events::Event;
pub(crate) use factors::App;
pub(crate) use go::tlog_verifier;
pub(crate) use keys::{EDDSA_KEY, ES256_KEY, RS256_KEY, decode_part, key_set, public_part};
pub(crate) use mail::Message;
pub(crate) use node::NodeClient;
pub(crate) use peer::{Call, Peer, Says};
pub(crate) use provider::{Back, FakeProvider, OpenIdProvider, fragment_of, query_of};
pub(crate) use python::{python_program, succeeds};
pub(crate) use reply::Reply;
pub(crate) use server::{ServerSetup, TestServer};
pub(crate) use webauthn::SoftwareKey;

/// The secret that signs and checks the tests' HS256 tokens.
pub(crate) const JWT_SECRET: &str = "a-test-secret-of-more-than-thirty-two-characters";

/// A password that no rule minds.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes two tests, `sqlite` and `postgres`, of one scenario.
///
/// `on_both_databases!(name, async |database| { … })`; where there is no PostgreSQL the second test says
/// so aloud and passes, except with `CI=true`, where it fails.
macro_rules! on_both_databases {
    ($name:ident, async |$database:ident| $scenario:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every scenario names something of its file")]
            use super::*;

            async fn scenario($database: $crate::support::TestDatabase) $scenario

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                scenario($crate::support::TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = $crate::support::TestDatabase::postgres().await {
                    scenario(database.clone()).await;
                    database.remove().await;
                }
            }
        }
    };
}

/// Says something that the test runner does not swallow.
pub(crate) fn say_aloud(text: &str) {
    use std::io::Write;
    // `eprintln!` is captured while a test runs; the stream itself is not.
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}

/// Whether a missing tool is a failure.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Says that something is not there, and fails where it must be.
pub(crate) fn missing(what: &str) {
    assert!(!in_ci(), "{what}, and with CI=true that is a failure");
    say_aloud(&format!("SKIPPED: {what}"));
}
