//! Removing a way to sign in.

use evident_domain::session::SessionError;
use evident_domain::user::{IdentityState, UserCommand, UserError, UserEvent, WaysInLeft};
use evident_domain::{IdentityId, SessionId, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::notify::Notification;
use crate::unit::{Context, Unit};

/// Why an identity stays.
#[derive(Debug, thiserror::Error)]
pub enum UnlinkError {
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session has ended.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Removes one of a user's own identities, where what has to stay stays.
    ///
    /// # Errors
    /// When it is not theirs, too little would stay, or no address is left for them.
    pub async fn unlink_identity(
        &self,
        context: &Context,
        user: UserId,
        session: Option<SessionId>,
        identity: IdentityId,
        leaving: WaysInLeft,
    ) -> Result<(), UnlinkError> {
        self.execute(context, &UnlinkCase { commands: self, user, session, identity, leaving }).await
    }
}

struct UnlinkCase<'a> {
    commands: &'a Commands,
    user: UserId,
    session: Option<SessionId>,
    identity: IdentityId,
    leaving: WaysInLeft,
}

impl UseCase for UnlinkCase<'_> {
    type Output = ();
    type Error = UnlinkError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), UnlinkError> {
        unit.asking_session::<UnlinkError>(self.user, self.session).await?;
        let account = unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        let addresses: Vec<_> = account.identities.iter().filter_map(IdentityState::email).collect();
        let mut taken = Vec::new();
        for email in addresses {
            if Contact::Email(email.clone()).is_taken_from(self.user, unit.store()).await? {
                taken.push(email);
            }
        }
        let command = UserCommand::UnlinkIdentity { identity: self.identity, leaving: self.leaving, taken };
        let events = unit.tell_user::<UnlinkError>(self.user, command).await?;
        let unlinked = events.into_iter().find_map(|event| match event {
            UserEvent::IdentityUnlinked { provider, .. } => Some(provider),
            _ => None,
        });
        if let Some(provider) = unlinked {
            self.commands.notify(unit, self.user, Notification::IdentityUnlinked { provider }).await?;
        }
        Ok(())
    }
}

impl Commands {
    /// Takes the password away from an account: its user comes in by other ways.
    ///
    /// # Errors
    /// When the account is gone, or too little would stay.
    pub async fn remove_password(
        &self,
        context: &Context,
        user: UserId,
        session: Option<SessionId>,
        leaving: WaysInLeft,
    ) -> Result<(), UnlinkError> {
        self.execute(context, &RemovePasswordCase { user, session, leaving }).await
    }
}

struct RemovePasswordCase {
    user: UserId,
    session: Option<SessionId>,
    leaving: WaysInLeft,
}

impl UseCase for RemovePasswordCase {
    type Output = ();
    type Error = UnlinkError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), UnlinkError> {
        unit.asking_session::<UnlinkError>(self.user, self.session).await?;
        unit.tell_user::<UnlinkError>(self.user, UserCommand::RemovePassword { leaving: self.leaving })
            .await?;
        Ok(())
    }
}
