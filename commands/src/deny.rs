//! Noting that a call for administrators was refused.

use evident_domain::Subject;
use evident_domain::attempt::{AdminRefusal, AttemptEvent};

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// The refusal could not be noted.
#[derive(Debug, thiserror::Error)]
pub enum NoteError {
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Notes that somebody tried an administrator's call (`POST /admin/users`) and was refused.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn note_admin_denied(
        &self,
        context: &Context,
        operation: String,
        reason: AdminRefusal,
    ) -> Result<(), NoteError> {
        self.execute(context, &Denial { operation, reason }).await
    }
}

struct Denial {
    operation: String,
    reason: AdminRefusal,
}

impl UseCase for Denial {
    type Output = ();
    type Error = NoteError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), NoteError> {
        let period = Subject::Period(unit.now().format("%Y-%m").to_string());
        let attempt = AttemptEvent::AdminDenied { operation: self.operation.clone(), reason: self.reason };
        unit.note(period, attempt);
        Ok(())
    }
}
