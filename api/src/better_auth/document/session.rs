//! `session`

use evident_commands::SessionRow;
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::app::App;
use super::moment;

/// A session as its user sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionDocument {
    /// From when on it counts for nothing.
    pub expires_at: String,
    /// What opens it.
    pub token: String,
    /// When it began.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// From where it was last used; may be empty.
    pub ip_address: String,
    /// With what it was last used; may be empty.
    pub user_agent: String,
    /// Whose.
    pub user_id: String,
    /// The administrator who acts in the user's name.
    pub impersonated_by: Option<String>,
    /// The organization that the user acts in.
    pub active_organization_id: Option<String>,
    /// The team that the user acts in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_team_id: Option<String>,
    /// What the owner added.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
    /// Which.
    pub id: String,
}

impl SessionDocument {
    /// Of a session.
    pub fn of(app: &App, row: &SessionRow) -> Self {
        // A session of the other protocol has no end of its own: it lives while it is used.
        let end = row.not_after.unwrap_or_else(|| row.last_used_at() + app.options().session.expires_in);
        let kept = row.fields();
        Self {
            expires_at: moment(end),
            token: app.commands().session_tokens().issue(row.id).expose().to_owned(),
            created_at: moment(row.created_at),
            updated_at: moment(row.updated_at),
            ip_address: row.ip.clone().unwrap_or_default(),
            user_agent: row.user_agent.clone().unwrap_or_default(),
            user_id: row.user_id.to_string(),
            impersonated_by: row.impersonator.map(|id| id.to_string()),
            active_organization_id: row.organization.map(|id| id.to_string()),
            active_team_id: row.team.map(|id| id.to_string()),
            fields: app.settings().plugins.session_fields.shown(|name, _| kept.0.get(name)),
            id: row.id.to_string(),
        }
    }
}
