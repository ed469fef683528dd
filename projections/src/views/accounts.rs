//! Failed sign-ins by account, and who was forgotten.

use evident_domain::TokenHash;
use evident_eventstore::{Database, DatabaseError};

use crate::fold::Fold;
use crate::folds::{ErasedSubject, SignInFailures};

/// How often the wrong secret was given for an account, if ever.
///
/// # Errors
/// When the database fails.
pub async fn sign_in_failures(
    database: &Database,
    account: &TokenHash,
) -> Result<Option<SignInFailures>, DatabaseError> {
    let sql = "select account, failures, last_at from sign_in_failures where account = $1";
    SignInFailures::from_rows(database.query(sql, &[account.0.as_str().into()]).await?)
}

/// The next subjects that were erased after a position, in the order of their erasure.
///
/// # Errors
/// When the database fails.
pub async fn erased_subjects(
    database: &Database,
    after: u64,
    limit: u32,
) -> Result<Vec<ErasedSubject>, DatabaseError> {
    let sql = "select subject, erased_at, position from erased_subjects where position > $1 \
               order by position limit $2";
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let rows = database.query(sql, &[after.into(), i64::from(limit).into()]).await?;
    rows.into_iter().map(ErasedSubject::from_row).collect()
}
