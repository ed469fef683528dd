//! An administrator changes a second factor.

use evident_domain::user::factor::{FactorCommand, FactorKind};
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{FactorId, Phone, UserId};

use super::FactorsError;
use crate::Commands;
use crate::execute::UseCase;
use crate::unit::{Context, Unit};

/// What an administrator wants changed; what is not set stays.
#[derive(Debug, Clone)]
pub struct ChangeFactor {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub factor: FactorId,
    /// Another name; empty counts as not set.
    pub name: String,
    /// Another number, for a phone; empty counts as not set.
    pub phone: String,
}

impl Commands {
    /// Changes a second factor.
    ///
    /// # Errors
    /// When there is none, the name is taken, or the number does not read.
    pub async fn change_factor(&self, context: &Context, request: &ChangeFactor) -> Result<(), FactorsError> {
        self.execute(context, request).await
    }
}

impl UseCase for ChangeFactor {
    type Output = ();
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), FactorsError> {
        let account = unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        let is_phone = account.factors.get(self.factor)?.kind == FactorKind::Phone;
        let factor = self.factor;
        if !self.name.is_empty() {
            let rename = FactorCommand::Rename { factor, name: self.name.clone() };
            unit.tell_user::<FactorsError>(self.user, UserCommand::Factor(rename)).await?;
        }
        if is_phone && !self.phone.is_empty() {
            let change = FactorCommand::ChangePhone { factor, phone: Phone::parse(&self.phone)? };
            unit.tell_user::<FactorsError>(self.user, UserCommand::Factor(change)).await?;
        }
        Ok(())
    }
}
