//! The live sessions of a user.

use evident_domain::{SessionId, UserId};
use evident_eventstore::StoreError;
use evident_projections::views;

use crate::unit::Unit;

/// Their ids, as the tables have them now.
pub(crate) async fn live_sessions(unit: &Unit<'_>, user: UserId) -> Result<Vec<SessionId>, StoreError> {
    Ok(views::live_sessions(unit.store().database(), user).await?)
}
