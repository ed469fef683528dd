//! Ids in paths.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use evident_domain::UserId;
use uuid::Uuid;

use super::app::App;
use super::error::{ErrorCode, GotrueError};

/// The ids of a path, in their order; what does not read is told when it is asked for.
#[derive(Debug)]
pub(super) struct Ids(Vec<(String, String)>);

impl Ids {
    /// An id, in any spelling that Go accepts.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn get<T: From<Uuid>>(&self, name: &str) -> Result<T, GotrueError> {
        let found = self.0.iter().find(|(known, _)| known == name);
        let id = found.and_then(|(_, text)| Uuid::try_parse(text).ok());
        id.map(T::from).ok_or_else(|| {
            GotrueError::not_found(ErrorCode::ValidationFailed, format!("{name} must be an UUID"))
        })
    }

    /// The id of a user.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn user(&self) -> Result<UserId, GotrueError> {
        self.get("user_id")
    }
}

impl FromRequestParts<App> for Ids {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let path: Result<Path<Vec<(String, String)>>, PathRejection> =
            Path::from_request_parts(parts, app).await;
        Ok(Self(path.map(|Path(ids)| ids).unwrap_or_default()))
    }
}
