//! The log's proofs: `GET /audit/log`, `/audit/checkpoint`, `/audit/tile/…`, `/audit/proof/…`.
//!
//! The formats are those of C2SP (tlog-checkpoint, tlog-tiles, tlog-proof), so that programs which others
//! wrote read them. Tiles never change: whoever asked may keep them, but nobody on the way. Reading them is
//! no event of the log: a monitor that follows it would feed it for ever.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use evident_eventstore::tlog::{SignError, TilePath, TreeError};

use super::access::AuditorCaller;
use super::app::App;
use super::error::AuditError;
use super::query::position as number;
use super::reply;
use super::routes::{for_auditors, get};
use crate::http::routes::Router;
use crate::proofs::identity::LogDocument;
use crate::proofs::prove::{self, ProveError};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");
/// For what never changes.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");
/// For what changes every second.
const BRIEFLY: HeaderValue = HeaderValue::from_static("private, max-age=1");

/// The family's routes.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/log", for_auditors(get(log)))
        .route("/checkpoint", for_auditors(get(checkpoint)))
        .route("/tile/{*path}", for_auditors(get(tile)))
        .route("/proof/inclusion", for_auditors(get(inclusion)))
        .route("/proof/consistency", for_auditors(get(consistency)))
}

async fn log(State(app): State<App>, _: AuditorCaller) -> Result<Response<Body>, AuditError> {
    let document = LogDocument::of(app.checkpoints()).await.map_err(ProveError::from)?;
    reply::json(&document)
}

async fn checkpoint(State(app): State<App>, _: AuditorCaller) -> Result<Response<Body>, AuditError> {
    let checkpoint = prove::newest(app.checkpoints()).await?;
    Ok(answer(checkpoint.text(), TEXT, Some(BRIEFLY)))
}

async fn tile(
    State(app): State<App>,
    _: AuditorCaller,
    Path(path): Path<String>,
) -> Result<Response<Body>, AuditError> {
    let path = TilePath::parse(&format!("tile/{path}")).ok_or(ProveError::NoTile)?;
    Ok(answer(prove::tile(app.checkpoints(), path).await?, BYTES, Some(FOR_EVER)))
}

async fn inclusion(
    State(app): State<App>,
    _: AuditorCaller,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, AuditError> {
    let query = query.unwrap_or_default();
    let position = parameter(&query, "position")?;
    let position = position.ok_or_else(|| AuditError::parameter("position", "is missing"))?;
    let size = parameter(&query, "size")?;
    Ok(answer(prove::inclusion(app.checkpoints(), position, size).await?, TEXT, None))
}

async fn consistency(
    State(app): State<App>,
    _: AuditorCaller,
    RawQuery(query): RawQuery,
) -> Result<Response<Body>, AuditError> {
    let query = query.unwrap_or_default();
    let size = |name| {
        let size = parameter(&query, name)?;
        size.ok_or_else(|| AuditError::parameter(name, "is missing"))
    };
    let (from, to) = (size("from")?, size("to")?);
    Ok(answer(prove::growth(app.checkpoints(), from, to).await?, TEXT, None))
}

fn parameter(query: &str, name: &str) -> Result<Option<u64>, AuditError> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| number(name, &value)).transpose()
}

fn answer(body: impl Into<Body>, kind: HeaderValue, cache: Option<HeaderValue>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.extend(cache.map(|cache| (header::CACHE_CONTROL, cache)));
    response
}

impl From<ProveError> for AuditError {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::NoTile | ProveError::NotSigned(_) => Self::not_found(error.to_string()),
            ProveError::NoCheckpoint(_) => {
                Self::new(StatusCode::NOT_FOUND, "no_such_checkpoint", error.to_string())
            }
            ProveError::Pruned(_) => Self::new(StatusCode::GONE, "pruned", error.to_string()),
            ProveError::Range => Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", error.to_string()),
            ProveError::Sign(SignError::Store(cause)) | ProveError::Tree(TreeError::Store(cause)) => {
                cause.into()
            }
            ProveError::Sign(_) | ProveError::Tree(_) => Self::internal(&error),
        }
    }
}
