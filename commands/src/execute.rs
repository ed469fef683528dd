//! Running a use case: decide, commit, and on a conflict decide again from fresh state.

use std::future::Future;

use evident_domain::Position;
use evident_eventstore::{AppendError, Committed, DatabaseError, StoreError};

use crate::Commands;
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
    /// Something else inside failed.
    #[error("{0}")]
    Internal(&'static str),
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
    /// The use case's own refusals; [`Failure::Overloaded`] when the writer is full or the conflicts
    /// do not end.
    pub async fn execute<U: UseCase>(&self, context: &Context, case: &U) -> Result<U::Output, U::Error> {
        self.execute_at(context, case).await.map(|(output, _)| output)
    }

    /// As [`Commands::execute`]; tells as well up to where a look has to see to show the change.
    pub(crate) async fn execute_at<U: UseCase>(
        &self,
        context: &Context,
        case: &U,
    ) -> Result<(U::Output, Position), U::Error> {
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
                return Ok((output, Position(0)));
            }
            unit.forget_reads();
            let (append, folded) =
                unit.finish(context).map_err(|_| Failure::Internal("a message does not serialize"))?;
            match self.store().append(append).await {
                Ok(Committed { head, .. }) => {
                    for (stream, state) in folded {
                        self.aggregates().put(stream, state);
                    }
                    return Ok((output, head));
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
