//! `GET /admin/audit`: the audit log, told from the events.

use std::collections::BTreeMap;

use axum::body::Body as HttpBody;
use axum::extract::State;
use axum::http::Response;
use evident_domain::EventId;
use evident_projections::audit::AuditActor;
use evident_projections::views::{self, AuditEntry, AuditQuery, AuditScope};
use serde::Serialize;
use uuid::Uuid;

use super::access::AdminCaller;
use super::app::App;
use super::error::GotrueError;
use super::incoming::Incoming;
use super::pagination::Paging;
use super::reply;
use super::time::Rfc3339;

/// The longest page. Every entry of it is opened with its subject's key.
const LONGEST_PAGE: u32 = 10_000;

/// A page of entries, newest first.
pub(super) async fn list(
    State(app): State<App>,
    _: AdminCaller,
    incoming: Incoming,
) -> Result<Response<HttpBody>, GotrueError> {
    let mut paging = Paging::read(&incoming.params)?;
    paging.per_page = paging.per_page.min(LONGEST_PAGE);
    let scope = scope(incoming.params.get("query").unwrap_or_default())?;
    let query = AuditQuery { scope, offset: paging.offset(), limit: paging.per_page };
    let page = views::audit_page(app.commands().store(), &query).await.map_err(GotrueError::internal)?;
    let entries: Vec<_> = page.entries.iter().map(EntryDocument::of).collect();
    let mut response = reply::json(&entries)?;
    paging.head(response.headers_mut(), &incoming, page.total);
    Ok(response)
}

/// `author:x`, `action:x`, `type:x`; nothing for all.
fn scope(query: &str) -> Result<AuditScope, GotrueError> {
    if query.is_empty() {
        return Ok(AuditScope::All);
    }
    match query.split_once(':') {
        Some(("author" | "action" | "type", "")) => Ok(AuditScope::All),
        Some(("author", text)) => Ok(AuditScope::Author(text.to_owned())),
        Some(("action", text)) => Ok(AuditScope::action(text)),
        Some(("type", text)) => Ok(AuditScope::log_type(text)),
        _ => Err(GotrueError::validation(format!("Invalid query scope: {query}"))),
    }
}

#[derive(Serialize)]
struct EntryDocument<'a> {
    id: EventId,
    payload: Payload<'a>,
    created_at: Rfc3339,
    ip_address: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    action: &'static str,
    actor_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_name: Option<&'a str>,
    actor_username: &'a str,
    actor_via_sso: bool,
    log_type: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    traits: BTreeMap<&'static str, &'a str>,
}

impl<'a> EntryDocument<'a> {
    fn of(entry: &'a AuditEntry) -> Self {
        let actor_id = match &entry.actor {
            AuditActor::User(id) => id.0,
            AuditActor::Admin(_) | AuditActor::Operator | AuditActor::System | AuditActor::Visitor => {
                Uuid::nil()
            }
        };
        let payload = Payload {
            action: entry.action.as_str(),
            actor_id,
            actor_name: entry.name.as_deref(),
            actor_username: &entry.username,
            actor_via_sso: false,
            log_type: entry.action.log_type().as_str(),
            traits: entry.traits.iter().map(|(key, value)| (*key, value.as_str())).collect(),
        };
        let ip_address = entry.ip.as_deref().unwrap_or_default();
        Self { id: entry.id, payload, created_at: Rfc3339(entry.at), ip_address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_its_scope() {
        assert_eq!(scope("").unwrap(), AuditScope::All);
        assert_eq!(scope("author:a:b").unwrap(), AuditScope::Author("a:b".to_owned()));
        assert_eq!(scope("action:LOG").unwrap(), AuditScope::action("log"));
        assert_eq!(scope("type:").unwrap(), AuditScope::All);
        assert_eq!(scope("type:nothing").unwrap(), AuditScope::Actions(Vec::new()));
        for odd in ["foo:x", "login", ":x", "Author:x"] {
            assert_eq!(scope(odd).unwrap_err().message(), format!("Invalid query scope: {odd}"));
        }
    }
}
