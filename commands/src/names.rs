//! Names to sign in by and to be shown by.

use evident_domain::UserId;
use evident_domain::user::username::{Username, UsernameError};
use evident_domain::user::{UserCommand, UserError, username_claim};
use evident_eventstore::EventStore;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// What becomes of somebody's names; what is not set stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NameChange {
    /// To sign in by.
    pub username: Option<Username>,
    /// To be shown by.
    pub display_username: Option<String>,
}

/// Why somebody keeps their names.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// It is somebody else's.
    #[error("the username is taken")]
    Taken,
    /// A name stays once it is chosen.
    #[error("the username cannot be changed")]
    Immutable,
    /// It is no name.
    #[error(transparent)]
    Malformed(#[from] UsernameError),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl NameChange {
    /// Whether anything is to change.
    pub fn is_empty(&self) -> bool {
        self.username.is_none() && self.display_username.is_none()
    }
}

/// Whose a name is.
pub(crate) async fn name_owner(store: &EventStore, name: &Username) -> Result<Option<UserId>, Failure> {
    Ok(store.holder(&username_claim(name)).await?.map(UserId))
}

/// Changes names as part of a unit.
pub(crate) async fn change_names<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    change: &NameChange,
    immutable: bool,
) -> Result<(), E>
where
    E: From<NameError> + From<UserError> + From<Failure>,
{
    if change.is_empty() {
        return Ok(());
    }
    let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
    let (known, shown) = (account.username.clone(), account.display_username.clone());
    if let Some(name) = &change.username {
        if immutable && known.as_ref().is_some_and(|known| known != name) {
            return Err(NameError::Immutable.into());
        }
        if name_owner(unit.store(), name).await?.is_some_and(|owner| owner != user) {
            return Err(NameError::Taken.into());
        }
    }
    let command = UserCommand::ChangeUsername {
        username: change.username.clone().or(known),
        display_username: change.display_username.clone().or(shown),
    };
    unit.tell_user::<E>(user, command).await?;
    Ok(())
}

impl Commands {
    /// Reads a name by the owner's rules.
    ///
    /// # Errors
    /// When the rules do not have it.
    pub fn username(&self, text: &str) -> Result<Username, UsernameError> {
        Username::parse(text, &self.settings().plugins.usernames.rules)
    }

    /// Whether nobody has a name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_username_free(&self, name: &Username) -> Result<bool, Failure> {
        Ok(name_owner(self.store(), name).await?.is_none())
    }

    /// Changes the names of a user, by their own wish.
    ///
    /// # Errors
    /// When the name is taken, or stays once it is chosen.
    pub async fn change_names(
        &self,
        context: &Context,
        user: UserId,
        change: NameChange,
    ) -> Result<(), NameError> {
        let immutable = self.settings().plugins.usernames.immutable;
        self.execute(context, &ChangeCase { user, change, immutable }).await
    }
}

struct ChangeCase {
    user: UserId,
    change: NameChange,
    immutable: bool,
}

impl UseCase for ChangeCase {
    type Output = ();
    type Error = NameError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), NameError> {
        change_names::<NameError>(unit, self.user, &self.change, self.immutable).await
    }
}
