//! What goes on beside the requests so that the log can be proven: checkpoints are signed as it grows,
//! witnesses are asked, and what was signed is written out.

mod delivery;
pub mod identity;
pub mod prove;
pub mod publish;
mod signing;
mod witnesses;

use std::net::IpAddr;

use evident_commands::outbound::Outbound;
use evident_domain::ports::Entropy;
use evident_eventstore::tlog::Checkpoints;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::{Host, Url};

use crate::config::ProofSettings;
use delivery::Delivery;
use signing::Signing;
use witnesses::Asking;

/// Starts the work; it ends when the shutdown is announced.
pub fn start(
    checkpoints: Checkpoints,
    outbound: &Outbound,
    settings: &ProofSettings,
    shutdown: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let (signed, newest) = watch::channel(0);
    let mut work = Vec::new();
    for place in &settings.witnesses {
        let asking =
            Asking::new(checkpoints.clone(), outbound.clone(), place.clone(), settings.witness_every);
        work.push(tokio::spawn(asking.run(newest.clone(), shutdown.clone())));
    }
    if let Some(delivery) = Delivery::new(checkpoints.clone(), outbound.clone(), settings) {
        work.push(tokio::spawn(delivery.run(newest, shutdown.clone())));
    }
    work.push(tokio::spawn(Signing::new(checkpoints).run(signed, shutdown.clone())));
    work
}

/// The name of a log whose server has this address: its host where that is a name that others know, and
/// elsewhere one that no other log has.
pub fn origin_of(external_url: &str, entropy: &dyn Entropy) -> String {
    let url = Url::parse(external_url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) if name.contains('.') && name.parse::<IpAddr>().is_err() => {
            format!("{name}/audit")
        }
        _ => format!("evident.invalid/audit/{}", entropy.uuid().simple()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemEntropy;

    #[test]
    fn a_log_is_named_after_its_public_host_or_by_chance() {
        let name = |url| origin_of(url, &SystemEntropy);
        assert_eq!(name("https://auth.example.com:8443/auth/v1"), "auth.example.com/audit");
        for local in ["http://127.0.0.1:9999", "http://localhost:9999", "http://[::1]/", "nonsense"] {
            assert!(name(local).starts_with("evident.invalid/audit/"), "{local}");
            assert_ne!(name(local), name(local));
        }
    }
}
