//! Another password, by somebody who got a link because they forgot the one so far.

use evident_domain::recipient::AskedTooSoon;
use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::{Proof, TokenPurpose, UnprovenPassword, UserCommand, UserError};
use evident_domain::{PasswordHash, UserId};
use zeroize::Zeroizing;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::open_link::LinkStanding;
use crate::password::{LengthError, Password, PasswordLength, Weakness};
use crate::sign_out::{end_what_it_opened, revoke_all};
use crate::tokens::LinkToken;
use crate::unit::{Context, Unit};

/// A password that is set by a link.
#[derive(Debug, Clone)]
pub struct ResetPassword {
    /// The link's token.
    pub token: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// How long it may be.
    pub length: PasswordLength,
    /// Whether all sessions end.
    pub ends_sessions: bool,
}

/// Why the password stays.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The new one has not the length that passwords have.
    #[error(transparent)]
    Length(#[from] LengthError),
    /// The new one is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// The link is unknown, used, superseded or too old: which, nobody is told.
    #[error("the link is invalid or has expired")]
    Invalid,
    /// A session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<UserError> for ResetPasswordError {
    fn from(_: UserError) -> Self {
        Self::Invalid
    }
}

impl From<AskedTooSoon> for ResetPasswordError {
    fn from(_: AskedTooSoon) -> Self {
        Self::Failure(Failure::Internal("an answer is never too soon"))
    }
}

impl Commands {
    /// Sets another password. The link is used up, and so are all others of the account.
    ///
    /// # Errors
    /// What is wrong with the password is told first: the link stays good then.
    pub async fn reset_password(
        &self,
        context: &Context,
        request: ResetPassword,
    ) -> Result<(), ResetPasswordError> {
        let password = Password::within(request.password.to_string(), request.length)?;
        if let Some(weakness) = self.weakness(&password).await? {
            return Err(ResetPasswordError::Weak(weakness));
        }
        let link = LinkToken::parse(&request.token).map_err(|_| ResetPasswordError::Invalid)?;
        // Nobody has a password hashed for a link that is none.
        if self.link_standing(&request.token, &[TokenPurpose::Recovery]).await? != LinkStanding::Good {
            return Err(ResetPasswordError::Invalid);
        }
        let hash = self.hash(password).await?;
        let case = ResetCase {
            commands: self,
            user: link.user(),
            proof: Proof::Link(link.hash()),
            hash,
            ends_sessions: request.ends_sessions,
        };
        self.execute(context, &case).await
    }
}

struct ResetCase<'a> {
    commands: &'a Commands,
    user: UserId,
    proof: Proof,
    hash: PasswordHash,
    ends_sessions: bool,
}

impl UseCase for ResetCase<'_> {
    type Output = ();
    type Error = ResetPasswordError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), ResetPasswordError> {
        let (user, purposes) = (self.user, vec![TokenPurpose::Recovery]);
        let (proof, password) = (self.proof.clone(), UnprovenPassword::Goes);
        let command = UserCommand::Redeem { purposes, proof, password, now: unit.now() };
        let events = unit.tell_user::<ResetPasswordError>(user, command).await?;
        end_what_it_opened::<ResetPasswordError>(unit, user, &events).await?;
        self.commands.password_changed::<ResetPasswordError>(unit, user, self.hash.clone()).await?;
        if self.ends_sessions {
            revoke_all::<ResetPasswordError>(unit, user, None, RevocationReason::PasswordChanged).await?;
        }
        Ok(())
    }
}
