//! `organization`, and what an organization has.

use evident_commands::organizations::{
    InvitationRow, MemberRow, MemberView, OrganizationRoleRow, OrganizationRow, Permissions, Person,
    TeamMemberRow, TeamRow, UserInvitation,
};
use serde::Serialize;
use serde_json::Value;

use super::moment;
use super::user::{image, name};

/// An organization.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationDocument {
    /// What people call it.
    pub name: String,
    /// What addresses call it.
    pub slug: String,
    /// Its picture.
    pub logo: Option<String>,
    /// When it came to be.
    pub created_at: String,
    /// What the application keeps about it: an object or nothing, or the text of one or `null`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// Which.
    pub id: String,
}

impl OrganizationDocument {
    /// As who changed it sees it: with an object.
    pub fn changed(row: &OrganizationRow) -> Self {
        let metadata = row.metadata().map(|metadata| Value::Object(metadata.0));
        Self { metadata, ..Self::of(row) }
    }

    /// As everybody sees it: with the text of an object.
    pub fn of(row: &OrganizationRow) -> Self {
        Self {
            name: row.name.clone(),
            slug: row.slug.clone(),
            logo: row.logo.clone(),
            created_at: moment(row.created_at),
            metadata: Some(row.metadata.clone().map_or(Value::Null, Value::String)),
            id: row.id.to_string(),
        }
    }
}

/// What an organization sees of a person.
#[derive(Debug, Clone, Serialize)]
pub struct PersonDocument {
    /// Who.
    pub id: String,
    /// What they are called.
    pub name: String,
    /// The address; empty where there is none.
    pub email: String,
    /// A picture.
    pub image: Option<String>,
}

impl PersonDocument {
    fn of(person: &Person) -> Self {
        let data = person.user_metadata();
        Self {
            id: person.id.to_string(),
            name: name(&data),
            email: person.email.clone().unwrap_or_default(),
            image: image(&data),
        }
    }
}

/// A member.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberDocument {
    /// Where.
    pub organization_id: String,
    /// Who.
    pub user_id: String,
    /// The roles, parted by commas.
    pub role: String,
    /// Since when.
    pub created_at: String,
    /// The membership.
    pub id: String,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<PersonDocument>,
}

impl MemberDocument {
    /// The membership alone.
    pub fn of(row: &MemberRow) -> Self {
        Self {
            organization_id: row.organization_id.to_string(),
            user_id: row.user_id.to_string(),
            role: row.role.clone(),
            created_at: moment(row.created_at),
            id: row.id.to_string(),
            user: None,
        }
    }

    /// With the account.
    pub fn with_user(view: &MemberView) -> Self {
        Self { user: Some(PersonDocument::of(&view.person)), ..Self::of(&view.member) }
    }
}

/// An invitation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvitationDocument {
    /// Where to.
    pub organization_id: String,
    /// Who is meant.
    pub email: String,
    /// The roles, parted by commas.
    pub role: String,
    /// The teams, parted by commas, or `null`; nothing where there are no teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_id: Option<Value>,
    /// Where it stands.
    pub status: &'static str,
    /// From when on it counts for nothing.
    pub expires_at: String,
    /// Since when.
    pub created_at: String,
    /// Who invites.
    pub inviter_id: String,
    /// Which.
    pub id: String,
    /// What people call the organization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_name: Option<String>,
    /// What addresses call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization_slug: Option<String>,
    /// The address of who invites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inviter_email: Option<String>,
}

impl InvitationDocument {
    /// Of an invitation; with its teams, where there are any here.
    pub fn of(row: &InvitationRow, with_teams: bool) -> Self {
        let teams: Vec<_> = row.teams.iter().map(ToString::to_string).collect();
        let teams = if teams.is_empty() { Value::Null } else { Value::String(teams.join(",")) };
        Self {
            organization_id: row.organization_id.to_string(),
            email: row.email.clone(),
            role: row.role.clone(),
            team_id: with_teams.then_some(teams),
            status: row.status.as_str(),
            expires_at: moment(row.expires_at),
            created_at: moment(row.created_at),
            inviter_id: row.inviter_id.to_string(),
            id: row.id.to_string(),
            organization_name: None,
            organization_slug: None,
            inviter_email: None,
        }
    }

    /// As whoever is meant sees it.
    pub fn to_recipient(found: &UserInvitation, inviter: &MemberView, with_teams: bool) -> Self {
        Self {
            organization_slug: Some(found.organization.slug.clone()),
            inviter_email: Some(inviter.person.email.clone().unwrap_or_default()),
            ..Self::of_list(found, with_teams)
        }
    }

    /// As it stands in the list of whoever is meant.
    pub fn of_list(found: &UserInvitation, with_teams: bool) -> Self {
        let organization_name = Some(found.organization.name.clone());
        Self { organization_name, ..Self::of(&found.invitation, with_teams) }
    }
}

/// A team.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamDocument {
    /// What people call it.
    pub name: String,
    /// Whose.
    pub organization_id: String,
    /// When it came to be.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// Which.
    pub id: String,
}

impl TeamDocument {
    /// Of a team.
    pub fn of(row: &TeamRow) -> Self {
        Self {
            name: row.name.clone(),
            organization_id: row.organization_id.to_string(),
            created_at: moment(row.created_at),
            updated_at: row.updated_at.map(moment),
            id: row.id.to_string(),
        }
    }
}

/// Somebody's place in a team.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamMemberDocument {
    /// Which team.
    pub team_id: String,
    /// Who.
    pub user_id: String,
    /// Since when.
    pub created_at: String,
    /// The place.
    pub id: String,
}

impl TeamMemberDocument {
    /// Of a place.
    pub fn of(row: &TeamMemberRow) -> Self {
        Self {
            team_id: row.team_id.to_string(),
            user_id: row.user_id.to_string(),
            created_at: moment(row.created_at),
            id: row.id.to_string(),
        }
    }
}

/// A role of an organization's own.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationRoleDocument {
    /// Whose.
    pub organization_id: String,
    /// What members are given.
    pub role: String,
    /// What it grants.
    pub permission: Permissions,
    /// When it came to be.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: Option<String>,
    /// Which.
    pub id: String,
}

impl OrganizationRoleDocument {
    /// Of a role.
    pub fn of(row: &OrganizationRoleRow) -> Self {
        Self {
            organization_id: row.organization_id.to_string(),
            role: row.role.clone(),
            permission: row.permissions.clone(),
            created_at: moment(row.created_at),
            updated_at: row.updated_at.map(moment),
            id: row.id.to_string(),
        }
    }
}
