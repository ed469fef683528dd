//! Another password, by somebody who knows the one so far.

use evident_domain::recipient::AskedTooSoon;
use evident_domain::session::{AssuranceLevel, RevocationReason, SessionError};
use evident_domain::user::{UserCommand, UserError};
use evident_domain::{PasswordHash, SessionId, UserId};
use zeroize::Zeroizing;

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::factors::level;
use crate::grant::{SessionTerms, start_session_on};
use crate::notify::Notification;
use crate::password::{LengthError, Password, PasswordLength, Weakness};
use crate::prove_password::PasswordProofError;
use crate::sign_out::revoke_all;
use crate::unit::{Context, Unit};
use crate::views::UserView;

/// A wish for another password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// Who.
    pub user: UserId,
    /// The session that asks.
    pub session: SessionId,
    /// The password so far.
    pub current: Zeroizing<String>,
    /// The next one.
    pub new: Zeroizing<String>,
    /// How long it may be.
    pub length: PasswordLength,
    /// All sessions end, and one on these terms begins; none: they all stay.
    pub renew: Option<SessionTerms>,
}

/// A password that was changed.
#[derive(Debug)]
pub struct ChangedPassword {
    /// The session that began, where all others ended.
    pub session: Option<SessionId>,
    /// The account.
    pub view: UserView,
}

/// Why the password stays.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The new one has not the length that passwords have.
    #[error(transparent)]
    Length(#[from] LengthError),
    /// The new one is too easy.
    #[error("the password is too weak")]
    Weak(Weakness),
    /// The current one is not shown.
    #[error(transparent)]
    Proof(#[from] PasswordProofError),
    /// The account has a second factor, and the session has not shown it.
    #[error("the session has not shown the second factor")]
    InsufficientAal,
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session is over.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<AskedTooSoon> for ChangePasswordError {
    fn from(_: AskedTooSoon) -> Self {
        Self::Failure(Failure::Internal("an answer is never too soon"))
    }
}

impl Commands {
    /// Gives an account another password.
    ///
    /// # Errors
    /// What is wrong with the new one is told first, then that the current one is wrong.
    pub async fn change_password(
        &self,
        context: &Context,
        request: ChangePassword,
    ) -> Result<ChangedPassword, ChangePasswordError> {
        let new = Password::within(request.new.to_string(), request.length)?;
        if let Some(weakness) = self.weakness(&new).await? {
            return Err(ChangePasswordError::Weak(weakness));
        }
        let proven = self.prove_password(context, request.user, &request.current).await?;
        let hash = self.hash(new).await?;
        let case = ChangeCase { commands: self, request: &request, proven, hash };
        let session = self.execute(context, &case).await?;
        let view = self.user_view(request.user).await?.ok_or(UserError::NotFound)?;
        Ok(ChangedPassword { session, view })
    }

    /// Notes in a unit that an account has another password: its owner is told, and may ask for the next
    /// message at once.
    pub(crate) async fn password_changed<E>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        password: PasswordHash,
    ) -> Result<(), E>
    where
        E: From<UserError> + From<AskedTooSoon> + From<Failure>,
    {
        unit.tell_user::<E>(user, UserCommand::ChangePassword { password }).await?;
        self.notify(unit, user, Notification::PasswordChanged).await?;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let email = account.email.as_ref().map(|email| Contact::Email(email.value.clone()));
        let phone = account.phone.as_ref().map(|phone| Contact::Phone(phone.value.clone()));
        for contact in email.into_iter().chain(phone) {
            self.note_answer::<E>(unit, &contact).await?;
        }
        Ok(())
    }
}

struct ChangeCase<'a> {
    commands: &'a Commands,
    request: &'a ChangePassword,
    /// The hash that the current password was compared with.
    proven: PasswordHash,
    hash: PasswordHash,
}

impl UseCase for ChangeCase<'_> {
    type Output = Option<SessionId>;
    type Error = ChangePasswordError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Option<SessionId>, ChangePasswordError> {
        let (user, session) = (self.request.user, self.request.session);
        unit.session(session).await?.live().ok_or(SessionError::NotFound)?;
        let level = level::<ChangePasswordError>(unit, user, Some(session)).await?;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        if account.factors.any_verified() && level < AssuranceLevel::Aal2 {
            return Err(ChangePasswordError::InsufficientAal);
        }
        if account.password.as_ref() != Some(&self.proven) {
            // Somebody was faster: what was shown is not the password any more.
            return Err(PasswordProofError::Wrong.into());
        }
        let hash = self.hash.clone();
        self.commands.password_changed::<ChangePasswordError>(unit, user, hash).await?;
        let Some(terms) = self.request.renew else { return Ok(None) };
        let reason = RevocationReason::PasswordChanged;
        revoke_all::<ChangePasswordError>(unit, user, None, reason).await?;
        let new = unit.new_session();
        start_session_on::<ChangePasswordError>(unit, user, new, "password", terms).await?;
        Ok(Some(new))
    }
}
