//! Running a use case: decide, commit, and on a conflict decide again from fresh state.

use std::future::Future;
use std::net::IpAddr;

use evident_domain::{Position, SessionId};
use evident_eventstore::{AppendError, Committed, DatabaseError, StoreError};

use crate::Commands;
use crate::hooks::{HookClaims, HookError};
use crate::mailable::RecipientError;
use crate::password::HashError;
use crate::unit::{Context, Unit};

/// How often a command is decided before the caller hears that the server is too busy.
const ATTEMPTS: u32 = 20;

/// One command: reads, decides, and leaves what is to be committed in the unit. What is slow or has
/// effects (hashing, calling others) belongs before: `run` may run several times.
pub trait UseCase: Send + Sync {
    /// What the caller gets once the change is committed.
    type Output: Send;
    /// Why nothing was changed.
    type Error: From<Failure> + Send;

    /// Decides.
    fn run(&self, unit: &mut Unit<'_>) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// What can go wrong with any command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server has too much to do: try again in a moment.
    #[error("the server is overloaded")]
    Overloaded,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A hook of the owner's did not agree, or failed.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// Leaked passwords cannot be looked up, and the owner takes none then.
    #[error("Unable to perform password strength check with HaveIBeenPwned.org.")]
    LeakCheck,
    /// Mails are not sent to an address that would need one.
    #[error(transparent)]
    Recipient(#[from] RecipientError),
    /// Something else inside failed.
    #[error("{0}")]
    Internal(&'static str),
}

/// A command that is carried out, for whoever makes tokens of it.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Up to where a look has to see to show the change.
    pub head: Position,
    /// Where the request came from.
    pub ip: Option<IpAddr>,
    /// What a hook made of the claims of the sessions that were started or continued.
    pub claims: Vec<(SessionId, HookClaims)>,
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Store(error.into())
    }
}

impl From<HashError> for Failure {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Overloaded => Self::Overloaded,
            HashError::Failed => Self::Internal("a password could not be hashed"),
        }
    }
}

impl Commands {
    /// Runs a use case until it is committed or refused.
    ///
    /// # Errors
    /// The use case's own refusals; [`Failure::Hook`] when a hook that is asked about new accounts or about
    /// tokens does not agree, and then nothing is changed; [`Failure::Overloaded`] when the writer is full or the conflicts
    /// do not end.
    pub async fn execute<U: UseCase>(&self, context: &Context, case: &U) -> Result<U::Output, U::Error> {
        Ok(self.execute_at(context, case).await?.0)
    }

    /// As [`Commands::execute`]; gives as well what [`Commands::grant`] needs.
    pub(crate) async fn execute_at<U: UseCase>(
        &self,
        context: &Context,
        case: &U,
    ) -> Result<(U::Output, Settled), U::Error> {
        let ip = context.ip();
        for _ in 0..ATTEMPTS {
            let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now()).of(context);
            let output = match case.run(&mut unit).await {
                Ok(output) => output,
                Err(refusal) if !unit.from_cache => return Err(refusal),
                Err(_) => {
                    // What was at hand may be old; only the log may refuse.
                    unit.forget_reads();
                    continue;
                }
            };
            if !unit.needs_commit() {
                return Ok((output, Settled { ip, ..Settled::default() }));
            }
            // Between decision and commit: whoever is slow here holds up nobody else.
            let claims = self.ask_hooks(context, &mut unit).await?;
            unit.forget_reads();
            let (append, folded) =
                unit.finish(context).map_err(|_| Failure::Internal("a message does not serialize"))?;
            match self.store().append(append).await {
                Ok(Committed { head, .. }) => {
                    for (stream, state) in folded {
                        self.aggregates().put(stream, state);
                    }
                    return Ok((output, Settled { head, ip, claims }));
                }
                // Somebody was faster: with the claim taken, the next look finds its holder.
                Err(AppendError::Conflict | AppendError::ClaimTaken(_)) => {}
                Err(AppendError::Overloaded) => return Err(Failure::Overloaded.into()),
                Err(AppendError::Store(error)) => return Err(Failure::from(error).into()),
            }
        }
        Err(Failure::Overloaded.into())
    }
}
