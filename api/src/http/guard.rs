//! No request takes for ever, and none takes the server down.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;

/// Why a request got no answer from its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It took longer than requests may.
    TimedOut,
    /// The handler panicked.
    Panicked,
}

/// The handler's answer, or why there is none. A panic is told to the log by the panic hook.
pub async fn guarded<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, Fault> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(Fault::Panicked),
        Err(_) => Err(Fault::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_handler_that_is_well_answers() {
        assert_eq!(guarded(Duration::from_secs(1), async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_and_not_the_end() {
        async fn faulty() {
            std::future::ready(()).await;
            panic!("a test");
        }
        assert_eq!(guarded(Duration::from_secs(1), faulty()).await, Err(Fault::Panicked));
    }

    #[tokio::test]
    async fn who_takes_too_long_is_stopped() {
        let work = std::future::pending::<()>();
        assert_eq!(guarded(Duration::from_millis(1), work).await, Err(Fault::TimedOut));
    }
}
