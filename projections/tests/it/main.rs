//! Projections against the real store, on SQLite and, where there is one, on PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod directory;
mod directory_model;
mod explain;
mod filters;
mod folds;
mod interrupted;
mod lists;
mod oauth_tries;
mod organization_folds;
mod organization_tries;
mod rebuilds;
mod rosters;
mod same_rows;
mod support;
