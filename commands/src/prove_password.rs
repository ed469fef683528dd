//! Somebody who is signed in shows that they know the password.

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::user::UserError;
use evident_domain::{PasswordHash, Subject, UserId};
use zeroize::Zeroizing;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::password::{Password, PasswordLength};
use crate::throttle::Throttled;
use crate::unit::{Context, Unit};

/// Why the password is not shown.
#[derive(Debug, thiserror::Error)]
pub enum PasswordProofError {
    /// The account has no password.
    #[error("the account has no password")]
    NoPassword,
    /// It is another.
    #[error("the password is wrong")]
    Wrong,
    /// Too many failures for this account: wait.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The account is gone.
    #[error(transparent)]
    User(#[from] UserError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Whether a password is that of an account. A wrong one is noted and counts as a failed sign-in, so that
    /// who has a session cannot guess for ever. Gives the hash that it was compared with: what follows
    /// holds as long as that is the password.
    ///
    /// # Errors
    /// When it is not.
    pub async fn prove_password(
        &self,
        context: &Context,
        user: UserId,
        password: &Zeroizing<String>,
    ) -> Result<PasswordHash, PasswordProofError> {
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let account = unit.user(user).await?.account().cloned().ok_or(UserError::NotFound)?;
        let stored = account.password.ok_or(PasswordProofError::NoPassword)?;
        let email = account.email.map(|email| email.value.to_string());
        let phone = account.phone.map(|phone| phone.value.to_string());
        let identifier = email.or(phone).unwrap_or_else(|| user.to_string());
        self.check_throttle::<PasswordProofError>(&self.codes().account_hash(&identifier)).await?;
        let longest = PasswordLength::Units { min: 0, max: usize::MAX };
        let matches = match Password::within(password.to_string(), longest) {
            Ok(password) => self.compare_password(password, Some(stored.clone())).await?.matches,
            Err(_) => false,
        };
        if matches {
            return Ok(stored);
        }
        self.execute(context, &MissCase { commands: self, user, identifier }).await?;
        Err(PasswordProofError::Wrong)
    }
}

struct MissCase<'a> {
    commands: &'a Commands,
    user: UserId,
    identifier: String,
}

impl UseCase for MissCase<'_> {
    type Output = ();
    type Error = PasswordProofError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), PasswordProofError> {
        let attempt = AttemptEvent::SignInFailed {
            account: self.commands.codes().account_hash(&self.identifier),
            identifier: self.identifier.clone().into(),
            user: Some(self.user),
            reason: SignInRefusal::WrongPassword,
            at: unit.now(),
        };
        unit.note(Subject::User(self.user), attempt);
        Ok(())
    }
}
