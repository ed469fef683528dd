//! A witness (C2SP tlog-witness): it remembers the newest checkpoint of each log it knows, and cosigns one
//! only if it continues the last. A log that forks, or that was rewritten, finds nobody who signs.

mod request;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use evident_domain::ports::Clock;
use evident_eventstore::merkle::Frontier;
use evident_eventstore::tlog::{CheckpointError, Hash, TreeHead, WitnessKey, check_growth};

use request::AddCheckpoint;
pub use state::{Seen, StateError, WitnessState};

/// No request is longer: 63 hashes and a checkpoint.
const LONGEST_REQUEST: usize = 64 * 1024;

/// The content type of an answer that tells which size was expected.
const SIZE_TYPE: &str = "text/x.tlog.size";

/// A witness at work.
#[derive(Debug)]
pub struct WitnessService {
    key: WitnessKey,
    /// The verifier keys of the logs it knows; a key's name is the log's.
    logs: Vec<String>,
    state: WitnessState,
    clock: Arc<dyn Clock>,
}

impl WitnessService {
    /// A witness for some logs.
    pub fn new(key: WitnessKey, logs: Vec<String>, state: WitnessState, clock: Arc<dyn Clock>) -> Self {
        Self { key, logs, state, clock }
    }

    /// Its routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route("/{log}/checkpoint", get(checkpoint))
            .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
            .with_state(Arc::new(self))
    }

    /// The keys of a log: it may have more than one, while it changes from one to the next.
    fn keys(&self, origin: &str) -> Vec<String> {
        let of = |vkey: &&String| vkey.split_once('+').is_some_and(|(name, _)| name == origin);
        self.logs.iter().filter(of).cloned().collect()
    }

    async fn cosign(&self, body: &str) -> Result<String, Refusal> {
        let request = AddCheckpoint::parse(body).ok_or(Refusal::Malformed)?;
        let head = TreeHead::unverified(&request.checkpoint).map_err(|_| Refusal::Malformed)?;
        let vkeys = self.keys(&head.origin);
        if vkeys.is_empty() {
            return Err(Refusal::UnknownLog);
        }
        TreeHead::open_any(&request.checkpoint, &vkeys).map_err(|error| match error {
            CheckpointError::Malformed => Refusal::Malformed,
            _ => Refusal::Unsigned,
        })?;
        if request.old > head.size {
            return Err(Refusal::Malformed);
        }
        let line = self.key.cosign(&request.checkpoint, self.clock.now()).map_err(|_| Refusal::Malformed)?;
        let seen = Seen { size: head.size, root: head.root, note: format!("{}{line}", request.checkpoint) };
        // Whoever sends a checkpoint with cosignatures has ours kept behind them.
        self.state
            .advance(&head.origin, seen, |last| continues(last, &request, &head))
            .await
            .map_err(|error| Refusal::Failed(error.to_string()))??;
        Ok(line)
    }
}

/// Whether a checkpoint goes on from what was seen last.
fn continues(last: Option<(u64, Hash)>, request: &AddCheckpoint, head: &TreeHead) -> Result<(), Refusal> {
    let (size, root) = last.unwrap_or_else(|| (0, Hash(Frontier::default().root())));
    if request.old != size {
        return Err(Refusal::OtherSize(size));
    }
    if head.size == size {
        let same = request.proof.is_empty() && head.root == root;
        return if same { Ok(()) } else { Err(Refusal::NoGrowth) };
    }
    if size == 0 {
        return if request.proof.is_empty() { Ok(()) } else { Err(Refusal::NoGrowth) };
    }
    check_growth(&request.proof, (size, root), (head.size, head.root)).map_err(|_| Refusal::NoGrowth)
}

/// Why a checkpoint is not cosigned.
#[derive(Debug)]
enum Refusal {
    Malformed,
    Unsigned,
    UnknownLog,
    OtherSize(u64),
    NoGrowth,
    Failed(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "the request does not read\n"),
            Self::Unsigned => (StatusCode::FORBIDDEN, "the checkpoint is not signed by the log's key\n"),
            Self::UnknownLog => (StatusCode::NOT_FOUND, "the log is not known here\n"),
            Self::NoGrowth => {
                (StatusCode::UNPROCESSABLE_ENTITY, "the checkpoint does not continue the last one\n")
            }
            Self::OtherSize(size) => {
                let kind = [(header::CONTENT_TYPE, SIZE_TYPE)];
                return (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response();
            }
            Self::Failed(error) => {
                tracing::error!(error, "a checkpoint was not cosigned");
                (StatusCode::INTERNAL_SERVER_ERROR, "it could not be kept\n")
            }
        };
        (status, text).into_response()
    }
}

async fn add_checkpoint(State(witness): State<Arc<WitnessService>>, body: String) -> Result<String, Refusal> {
    witness.cosign(&body).await
}

/// `GET /<SHA-256 of the log's name in hex>/checkpoint`: what was seen last of a log.
async fn checkpoint(
    State(witness): State<Arc<WitnessService>>,
    Path(log): Path<String>,
) -> Result<String, Refusal> {
    let seen = witness.state.by_digest(&log).await.map_err(|error| Refusal::Failed(error.to_string()))?;
    seen.ok_or(Refusal::UnknownLog)
}
