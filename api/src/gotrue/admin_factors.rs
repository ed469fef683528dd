//! `/admin/users/{user_id}/factors`: what administrators do with second factors.

use axum::body::Body as HttpBody;
use axum::extract::{Request, State};
use axum::http::Response;
use evident_commands::{ChangeFactor, FactorRow, UserView};
use evident_domain::FactorId;

use super::access::AdminCaller;
use super::app::App;
use super::body::Body;
use super::error::GotrueError;
use super::factor_document::FactorDocument;
use super::factors::{factor_not_found, naming_refusal, plain_refusal, short};
use super::incoming::Incoming;
use super::path::Ids;
use super::reply;

type Answer = Result<Response<HttpBody>, GotrueError>;

/// The factors of a user.
pub(super) async fn list(State(app): State<App>, _: AdminCaller, ids: Ids) -> Answer {
    let view = existing(&app, &ids).await?;
    let factors: Vec<_> = view.user.factors.iter().map(FactorDocument::of).collect();
    reply::json(&factors)
}

/// Changes a factor.
pub(super) async fn change(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    ids: Ids,
    request: Request,
) -> Answer {
    let view = existing(&app, &ids).await?;
    let factor = of_user(&view, &ids)?.id;
    let mut body = Body::read(request, app.body_limit(), "adminUserUpdateFactorParams").await?;
    let name = short(body.text_or_empty("friendly_name")?, "friendly_name")?;
    let change =
        ChangeFactor { user: view.user.id, factor, name: name.clone(), phone: body.text_or_empty("phone")? };
    let context = incoming.context(admin.actor());
    let changed = app.commands().change_factor(&context, &change).await;
    changed.map_err(|error| naming_refusal(error, &name))?;
    reply::json(&FactorDocument::of(of_user(&existing(&app, &ids).await?, &ids)?))
}

/// Removes a factor.
pub(super) async fn remove(
    State(app): State<App>,
    admin: AdminCaller,
    incoming: Incoming,
    ids: Ids,
) -> Answer {
    let view = existing(&app, &ids).await?;
    let row = of_user(&view, &ids)?;
    let context = incoming.context(admin.actor());
    app.commands().remove_factor(&context, view.user.id, row.id).await.map_err(plain_refusal)?;
    reply::json(&FactorDocument::of(row))
}

async fn existing(app: &App, ids: &Ids) -> Result<UserView, GotrueError> {
    app.commands().user_view(ids.user()?).await?.ok_or_else(GotrueError::user_not_found)
}

fn of_user<'a>(view: &'a UserView, ids: &Ids) -> Result<&'a FactorRow, GotrueError> {
    let id: FactorId = ids.get("factor_id")?;
    view.user.factors.iter().find(|row| row.id == id).ok_or_else(factor_not_found)
}
