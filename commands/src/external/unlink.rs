//! Removing a way to sign in.

use evident_domain::user::{IdentityState, UserCommand, UserError};
use evident_domain::{IdentityId, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// Why an identity stays.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Removes one of a user's own identities. The last one stays.
    ///
    /// # Errors
    /// When it is not theirs, the last one, or no address is left for them.
    pub async fn unlink_identity(
        &self,
        context: &Context,
        user: UserId,
        identity: IdentityId,
    ) -> Result<(), UnlinkError> {
        self.execute(context, &UnlinkCase { user, identity }).await
    }
}

struct UnlinkCase {
    user: UserId,
    identity: IdentityId,
}

impl UseCase for UnlinkCase {
    type Output = ();
    type Error = UnlinkError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), UnlinkError> {
        let account = unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        let addresses: Vec<_> = account.identities.iter().filter_map(IdentityState::email).collect();
        let mut taken = Vec::new();
        for email in addresses {
            if Contact::Email(email.clone()).is_taken_from(self.user, unit.store()).await? {
                taken.push(email);
            }
        }
        let command = UserCommand::UnlinkIdentity { identity: self.identity, taken };
        unit.tell_user::<UnlinkError>(self.user, command).await?;
        Ok(())
    }
}

impl Commands {
    /// Takes the password away from an account: its user comes in by other ways.
    ///
    /// # Errors
    /// When the account is gone.
    pub async fn remove_password(&self, context: &Context, user: UserId) -> Result<(), UnlinkError> {
        self.execute(context, &RemovePasswordCase(user)).await
    }
}

struct RemovePasswordCase(UserId);

impl UseCase for RemovePasswordCase {
    type Output = ();
    type Error = UnlinkError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), UnlinkError> {
        unit.tell_user::<UnlinkError>(self.0, UserCommand::RemovePassword).await?;
        Ok(())
    }
}
