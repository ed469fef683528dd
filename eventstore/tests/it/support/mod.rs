//! What every test uses: a place for a log, time and chance that repeat themselves, short ways to say
//! what happened.

#[path = "../../../../tests/it/support/postgres.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::disallowed_methods,
    reason = "shared with the server's tests, which use all of it; tests have no configuration"
)]
mod postgres;
#[path = "../../../../tests/it/support/watchdog.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the server's tests, which use all of it")]
mod watchdog;

mod changes;
mod place;
mod ports;
mod proxy;

pub(crate) use changes::{
    ADDRESS, AGENT, banned, change, email, linked, message, refreshed, signed_up, started, stream, user,
};
pub(crate) use place::{Place, Slow, cluster_program};
pub(crate) use ports::{Chance, Fixed, noon};
pub(crate) use proxy::Proxy;

/// Makes two tests, `sqlite` and `postgres`, of one scenario.
///
/// Where there is no PostgreSQL the second says so aloud and passes, except with `CI=true`, where it
/// fails.
macro_rules! on_both_databases {
    ($(#[$doc:meta])* async fn $name:ident($place:ident) $scenario:block) => {
        mod $name {
            #[allow(unused_imports, reason = "not every scenario names something of its file")]
            use super::*;

            $(#[$doc])*
            async fn scenario($place: $crate::support::Place) $scenario

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                scenario($crate::support::Place::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(place) = $crate::support::Place::postgres().await {
                    scenario(place).await;
                }
            }
        }
    };
}
pub(crate) use on_both_databases;

/// Says something that the test runner does not swallow.
pub(crate) fn say_aloud(text: &str) {
    use std::io::Write;
    // `eprintln!` is captured while a test runs; the stream itself is not.
    writeln!(std::io::stderr(), "{text}").unwrap_or_default();
}
