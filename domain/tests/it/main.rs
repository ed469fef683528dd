//! The rules of the domain, told as given-when-then; the shapes of its events; what holds for any
//! sequence of commands.

#![expect(clippy::unwrap_used, reason = "helpers of tests unwrap, too")]

mod attempt;
mod authorization;
mod catalogue_page;
mod client;
mod consent;
mod flow;
mod golden_files;
mod organization;
mod properties;
mod recipient;
mod recipient_codes;
mod session_end;
mod session_refresh;
mod session_step_up;
mod sso_provider;
mod support;
mod user_admin;
mod user_ban;
mod user_contact;
mod user_deletion;
mod user_factors;
mod user_identities;
mod user_passkeys;
mod user_profile;
mod user_sign_up;
mod user_tokens;
mod user_two_factor;
mod user_unproven_password;
mod user_ways_in;
