//! Black-box tests: each starts the real server on a database of its own, speaks HTTP to it as anybody
//! could, and reads the log through the command line. What they promise holds on both databases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by a panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "the tests stand outside the server: they have no ports, only a clock and an environment"
)]

#[macro_use]
mod support;

mod admin_users;
mod anonymous;
mod audit;
mod better_auth;
mod captcha;
mod cli;
mod confirm;
mod conformance;
mod cors;
mod crash;
mod erasure;
mod errors;
mod external;
mod factor_attacks;
mod factors;
mod factors_admin;
mod fuzz;
mod generate_link;
mod handover;
mod hooks;
mod invite;
mod leaked_passwords;
mod mail_limits;
mod mails;
mod oauth;
mod official_client;
mod openapi;
mod otp;
mod passkeys;
mod paths;
mod peer_faults;
mod phone_factors;
mod pkce;
mod postgres_nodes;
mod pre_hijacking;
mod privacy;
mod reauthenticate;
mod rebuild;
mod recover;
mod refresh;
mod resend;
mod scim;
mod session_policies;
mod sign_in;
mod sign_out;
mod sign_up;
mod sso_providers;
mod texts;
mod tokens;
mod user;
mod web3;
mod webauthn_factors;
