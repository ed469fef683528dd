//! Reading the log: at `/audit`, and as Supabase Auth's users know it.

mod access;
mod gotrue;
mod proofs;

use crate::support::{Bearer, TestServer};

/// Somebody whose token lets them read the log.
pub(crate) fn auditor(server: &TestServer) -> Bearer {
    Bearer(server.evident(&["audit", "token"]).ok().trim().to_owned())
}
