//! Showing once more that one knows one's password, while one is signed in.

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::user::UserError;
use evident_domain::{Subject, UserId};
use zeroize::Zeroizing;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::password::{Password, PasswordLength};
use crate::throttle::Throttled;
use crate::unit::{Context, Unit};

/// Why nothing was shown.
#[derive(Debug, thiserror::Error)]
pub enum OwnPasswordError {
    /// It is another, or there is none; the try is counted.
    #[error("the password is wrong")]
    Wrong,
    /// Too many wrong ones: wait.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Looks whether a password is the user's own. Whoever has somebody's session has only so many tries.
    ///
    /// # Errors
    /// When it is not.
    pub async fn show_own_password(
        &self,
        context: &Context,
        user: UserId,
        password: Zeroizing<String>,
        length: PasswordLength,
    ) -> Result<(), OwnPasswordError> {
        let account = self.codes().account_hash(&format!("own:{user}"));
        self.check_throttle::<OwnPasswordError>(&account).await?;
        let length = match length {
            PasswordLength::Units { max, .. } => PasswordLength::Units { min: 0, max },
            PasswordLength::Supabase => PasswordLength::Supabase,
        };
        let (password, possible) = match Password::within(password.to_string(), length) {
            Ok(password) => (password, true),
            Err(_) => (Password::default(), false),
        };
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let stored = unit.user(user).await?.account().ok_or(UserError::NotFound)?.password.clone();
        if self.compare_password(password, stored).await?.matches && possible {
            return Ok(());
        }
        self.execute(context, &MissCase { commands: self, user }).await?;
        Err(OwnPasswordError::Wrong)
    }
}

struct MissCase<'a> {
    commands: &'a Commands,
    user: UserId,
}

impl UseCase for MissCase<'_> {
    type Output = ();
    type Error = OwnPasswordError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), OwnPasswordError> {
        let at = unit.now();
        let identifier = format!("own:{}", self.user);
        let attempt = AttemptEvent::SignInFailed {
            // Counted apart from sign-ins: a thief of a session must not keep its owner out.
            account: self.commands.codes().account_hash(&identifier),
            identifier: self.user.to_string().into(),
            user: Some(self.user),
            reason: SignInRefusal::WrongPassword,
            at,
        };
        unit.note(Subject::User(self.user), attempt);
        Ok(())
    }
}
