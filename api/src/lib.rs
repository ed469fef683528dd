//! The evident server and command line.
//!
//! * [`cli`] is the command line; [`config`] what the owner chose; [`telemetry`] what is logged.
//! * [`gotrue`] is the Supabase Auth protocol, on top of what every surface shares ([`http`]); [`server`] serves it.
//! * [`proofs`] signs checkpoints of the log, has them witnessed and writes them out.
//! * [`witness`] is a witness, for those who have none.
//! * [`better_auth`] is the second protocol; [`audit`] is where auditors read the log.
//! * [`bootstrap`] makes a working node of settings.

pub mod audit;
pub mod better_auth;
pub mod bootstrap;
pub mod cli;
pub mod config;
pub mod gotrue;
pub mod http;
mod outdated;
pub mod ports;
pub mod proofs;
mod retention;
pub mod server;
pub mod telemetry;
pub mod witness;
