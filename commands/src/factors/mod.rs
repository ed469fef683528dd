//! Second factors: enrolling, asking, verifying, removing.

mod administer;
mod challenge;
mod enroll;
mod remove;
pub(crate) mod totp;
mod verify;

pub use administer::ChangeFactor;
pub use challenge::{ChallengeFactor, ChallengedFactor, FactorQuestion};
pub(crate) use enroll::name_of;
pub use enroll::{EnrollFactor, EnrolledFactor, TotpEnrolment};
pub(crate) use verify::note_copy;

pub use verify::{CredentialKind, GivenAnswer, VerifyFactor};

use evident_domain::contact::PhoneError;
use evident_domain::session::{AssuranceLevel, LiveSession, SessionError};
use evident_domain::user::factor::{FactorError, FactorKind};
use evident_domain::user::{Account, UserError};
use evident_domain::{SessionId, UserId};

use crate::execute::Failure;
use crate::unit::Unit;

/// What a kind of factor may be switched off for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorUse {
    /// Enrolling a new one.
    Enroll,
    /// Asking one, and answering.
    Verify,
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum FactorsError {
    /// The owner switched it off.
    #[error("this use of the kind of factor is switched off")]
    Disabled(FactorKind, FactorUse),
    /// A phone needs a number.
    #[error("a phone needs a number")]
    PhoneRequired,
    /// The number does not read.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// The issuer and the account do not fit into a QR code.
    #[error("the issuer does not fit into a QR code")]
    IssuerTooLong,
    /// A code is asked for.
    #[error("a code is required")]
    CodeRequired,
    /// An authenticator's answer is asked for.
    #[error("the answer of an authenticator is required")]
    CredentialRequired,
    /// The answer is none of an authenticator.
    #[error("the answer is none of an authenticator")]
    CredentialMalformed,
    /// The answer is wrong; the try is counted.
    #[error("the answer is wrong")]
    WrongAnswer(FactorKind),
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<FactorError> for FactorsError {
    fn from(error: FactorError) -> Self {
        Self::User(error.into())
    }
}

/// The account and the session of somebody who acts in one.
pub(crate) async fn account_in_session<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    session: SessionId,
) -> Result<(Account, LiveSession), E>
where
    E: From<UserError> + From<SessionError> + From<Failure>,
{
    let live = unit.asking_session::<E>(user, Some(session)).await?.cloned();
    let live = live.ok_or(SessionError::NotFound)?;
    let account = unit.user(user).await?.account().cloned().ok_or(UserError::NotFound)?;
    Ok((account, live))
}

/// How sure a session is that still lives: a token without session is as good as one factor.
pub(crate) async fn level<E>(
    unit: &mut Unit<'_>,
    user: UserId,
    session: Option<SessionId>,
) -> Result<AssuranceLevel, E>
where
    E: From<SessionError> + From<Failure>,
{
    let live = unit.asking_session::<E>(user, session).await?;
    Ok(live.map_or(AssuranceLevel::Aal1, |live| live.aal))
}
