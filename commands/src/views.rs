//! What callers see of an account: rows of the projections, fresh after every command.

use evident_domain::UserId;
pub use evident_projections::folds::{FactorRow, IdentityRow, PasskeyRow, SessionRow, UserRow};
use evident_projections::views;
pub use evident_projections::views::UserView;

use crate::Commands;
use crate::execute::Failure;

impl Commands {
    /// An account as the tables have it now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_view(&self, user: UserId) -> Result<Option<UserView>, Failure> {
        Ok(views::user(self.store().database(), user).await?)
    }
}
