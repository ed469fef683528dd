//! Who calls. A handler that takes an [`AuditorCaller`] can only run for one.

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use evident_commands::{AccessError, Context, NoteError};
use evident_domain::attempt::AdminRefusal;
use evident_domain::{Actor, Surface};

use super::app::App;
use super::error::AuditError;
use crate::http::Origin;
use crate::http::bearer::{Denial, RoleHolder, TokenError, role_holder};
use crate::http::limits::CallerKey;

/// Somebody whose token lets them read the log.
#[derive(Debug)]
pub struct AuditorCaller(RoleHolder);

impl AuditorCaller {
    /// Who reads.
    pub fn actor(&self) -> Actor {
        self.0.actor()
    }
}

impl FromRequestParts<App> for AuditorCaller {
    type Rejection = AuditError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AuditError> {
        let denial = match role_holder(&parts.headers, app.commands(), app.roles()).await {
            Ok(holder) => return Ok(Self(holder)),
            Err(denial) => denial,
        };
        if let Some(reason) = denial.reason() {
            note(parts, app, denial.actor(), reason).await;
        }
        Err(denial.into())
    }
}

/// An auditor who sees what events hold: that is noted. Proofs and tiles tell nothing of anybody, and a tree
/// that grew because somebody asks for its head would never be at rest.
#[derive(Debug)]
pub struct LogReader;

impl FromRequestParts<App> for LogReader {
    type Rejection = AuditError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AuditError> {
        let caller = AuditorCaller::from_request_parts(parts, app).await?;
        note_reading(parts, app, &caller).await?;
        Ok(Self)
    }
}

/// Nobody reads without a trace: where it cannot be left, nothing is read.
async fn note_reading(parts: &Parts, app: &App, caller: &AuditorCaller) -> Result<(), AuditError> {
    let context = Context::new(Origin::of(parts).provenance(caller.actor(), Surface::Ops));
    if app.readings().are_noted(&context, app.commands().clock().now()) {
        return Ok(());
    }
    let NoteError::Failure(failure) = match app.commands().note_reading(&context, operation(parts)).await {
        Ok(()) => {
            app.readings().noted(&context, app.commands().clock().now());
            return Ok(());
        }
        Err(error) => error,
    };
    Err(failure.into())
}

/// What was called, by the path of the route: `GET /audit/events/{position}`.
fn operation(parts: &Parts) -> String {
    let path = parts.extensions.get::<MatchedPath>().map_or(super::BASE_PATH, MatchedPath::as_str);
    format!("{} {path}", parts.method)
}

/// Writes the refusal to the log, as long as the caller does not try to fill it.
async fn note(parts: &Parts, app: &App, actor: Actor, reason: AdminRefusal) {
    let origin = Origin::of(parts);
    let caller = CallerKey::of(&origin.facts, &parts.headers, app.limit_header());
    if app.denials().check(&caller).is_err() {
        return;
    }
    let context = Context::new(origin.provenance(actor, Surface::Ops));
    if let Err(error) = app.commands().note_admin_denied(&context, operation(parts), reason).await {
        tracing::error!(%error, "a refusal could not be noted");
    }
}

impl From<Denial> for AuditError {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Token(TokenError::Access(AccessError::Failure(failure))) => failure.into(),
            Denial::Token(TokenError::OfClient) | Denial::Role { .. } => {
                Self::forbidden("the token's role may not read the log")
            }
            Denial::Token(TokenError::Missing) => Self::unauthorized("a bearer token is needed"),
            Denial::Token(error) => Self::unauthorized(format!("the bearer token is not good: {error}")),
        }
    }
}
