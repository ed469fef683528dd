//! Renaming and removing passkeys.

use evident_domain::user::UserCommand;
use evident_domain::user::passkey::PasskeyCommand;
use evident_domain::{PasskeyId, SessionId, UserId};

use super::PasskeysError;
use crate::Commands;
use crate::execute::UseCase;
use crate::factors::level;
use crate::unit::{Context, Unit};

impl Commands {
    /// Calls a passkey of the user who asks something else.
    ///
    /// # Errors
    /// When there is none, or the user has a second factor that the session has not shown.
    pub async fn rename_passkey(
        &self,
        context: &Context,
        user: UserId,
        session: Option<SessionId>,
        passkey: PasskeyId,
        name: String,
    ) -> Result<(), PasskeysError> {
        self.execute(context, &Change { user, passkey, what: What::Rename(session, name) }).await
    }

    /// Removes a passkey of the user who asks.
    ///
    /// # Errors
    /// As [`Commands::rename_passkey`].
    pub async fn remove_own_passkey(
        &self,
        context: &Context,
        user: UserId,
        session: Option<SessionId>,
        passkey: PasskeyId,
    ) -> Result<(), PasskeysError> {
        self.execute(context, &Change { user, passkey, what: What::RemoveOwn(session) }).await
    }

    /// Removes a passkey of any user.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_passkey(
        &self,
        context: &Context,
        user: UserId,
        passkey: PasskeyId,
    ) -> Result<(), PasskeysError> {
        self.execute(context, &Change { user, passkey, what: What::Remove }).await
    }
}

struct Change {
    user: UserId,
    passkey: PasskeyId,
    what: What,
}

enum What {
    Rename(Option<SessionId>, String),
    RemoveOwn(Option<SessionId>),
    Remove,
}

impl UseCase for Change {
    type Output = ();
    type Error = PasskeysError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), PasskeysError> {
        let passkey = self.passkey;
        let command = match &self.what {
            What::Rename(session, name) => {
                let aal = level::<PasskeysError>(unit, self.user, *session).await?;
                PasskeyCommand::Rename { passkey, name: name.clone(), aal }
            }
            What::RemoveOwn(session) => PasskeyCommand::Remove {
                passkey,
                aal: Some(level::<PasskeysError>(unit, self.user, *session).await?),
            },
            What::Remove => PasskeyCommand::Remove { passkey, aal: None },
        };
        unit.tell_user::<PasskeysError>(self.user, UserCommand::Passkey(command)).await?;
        Ok(())
    }
}
