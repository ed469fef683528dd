//! What is dropped from the log, and what of the tables goes with it, so that a rebuild gives the same rows.

use evident_domain::TokenHash;
use evident_eventstore::retention::{drop_contents, failed_sign_ins, hold_back_writers};
use evident_eventstore::{EventStore, StoreError, Tables, Transaction};

use crate::fold::Fold;
use crate::folds::SignInFailures;

/// Drops all failed sign-ins of accounts, by the hash that they are counted under, and the counts with them.
/// Says how many.
///
/// # Errors
/// When the database fails.
pub async fn drop_failed_sign_ins(store: &EventStore, accounts: &[TokenHash]) -> Result<u64, StoreError> {
    if accounts.is_empty() {
        return Ok(0);
    }
    let mut transaction = store.database().transaction().await?;
    hold_back_writers(&mut transaction).await?;
    let mut dropped = 0;
    for account in accounts {
        dropped += drop_account(&mut transaction, account).await?;
    }
    transaction.commit().await?;
    Ok(dropped)
}

async fn drop_account(transaction: &mut Transaction, account: &TokenHash) -> Result<u64, StoreError> {
    let positions: Vec<_> =
        failed_sign_ins(transaction, account).await?.into_iter().map(|(position, _)| position).collect();
    transaction.delete(&SignInFailures::TABLE, std::slice::from_ref(&account.0)).await?;
    drop_contents(transaction, &positions).await
}
