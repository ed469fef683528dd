//! Who did it, from where, by which way: the answers that every event carries beside its facts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{EventId, Personal, UserId};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in user.
    User {
        /// Whose access token it was.
        id: UserId,
    },
    /// An administrator who acts in a user's name.
    Impersonator {
        /// Who acts.
        admin: UserId,
        /// In whose name.
        user: UserId,
    },
    /// A caller with an administrator's token; `id` when that token belongs to a user.
    Admin {
        /// The token's role claim.
        role: String,
        /// The token's subject, when it is a user.
        id: Option<UserId>,
    },
    /// Somebody at the command line of the server itself.
    Operator,
    /// Somebody who has not signed in.
    Visitor,
    /// The server, by itself (expiry, clean-up).
    System,
}

impl Actor {
    /// The form that leaves and filters use: `user:<id>`, `user:<id>:by:<administrator's id>`, `admin:<role>`,
    /// `visitor` …
    pub fn label(&self) -> String {
        match self {
            Self::User { id } => format!("user:{id}"),
            Self::Impersonator { admin, user } => format!("user:{user}:by:{admin}"),
            Self::Admin { role, id: None } => format!("admin:{role}"),
            Self::Admin { role, id: Some(id) } => format!("admin:{role}:{id}"),
            Self::Operator => "operator".to_owned(),
            Self::Visitor => "visitor".to_owned(),
            Self::System => "system".to_owned(),
        }
    }

    /// Reads what [`Actor::label`] wrote.
    pub fn from_label(label: &str) -> Option<Self> {
        match label.split_once(':') {
            // Most labels are a user's, so nothing else is looked for before.
            Some(("user", rest)) => match rest.parse() {
                Ok(id) => Some(Self::User { id }),
                Err(_) => {
                    let (user, admin) = rest.split_once(":by:")?;
                    Some(Self::Impersonator { admin: admin.parse().ok()?, user: user.parse().ok()? })
                }
            },
            Some(("admin", rest)) => {
                // A role is the token issuer's word and may hold colons; what follows the last one is
                // the id if it reads as one.
                let with_id = rest.rsplit_once(':').and_then(|(role, id)| Some((role, id.parse().ok()?)));
                let (role, id) = with_id.map_or((rest, None), |(role, id)| (role, Some(id)));
                Some(Self::Admin { role: role.to_owned(), id })
            }
            None if label == "operator" => Some(Self::Operator),
            None if label == "visitor" => Some(Self::Visitor),
            None if label == "system" => Some(Self::System),
            _ => None,
        }
    }
}

/// Which door the request came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// The Supabase Auth protocol.
    Gotrue,
    /// The Better Auth protocol.
    BetterAuth,
    /// The audit and operations routes.
    Ops,
    /// The command line.
    Cli,
    /// No request: the server's own work.
    Internal,
}

impl Surface {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gotrue => "gotrue",
            Self::BetterAuth => "better_auth",
            Self::Ops => "ops",
            Self::Cli => "cli",
            Self::Internal => "internal",
        }
    }

    /// Reads a name from the log.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Gotrue, Self::BetterAuth, Self::Ops, Self::Cli, Self::Internal]
            .into_iter()
            .find(|surface| surface.as_str() == name)
    }
}

/// Where an event comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Who acts.
    pub actor: Actor,
    /// The request, as the server's own log names it.
    pub request_id: Uuid,
    /// The event that led to this one, where one did.
    pub causation: Option<EventId>,
    /// The client's address.
    pub ip: Option<Personal<IpAddr>>,
    /// The client's `User-Agent`.
    pub user_agent: Option<Personal<String>>,
    /// The door.
    pub surface: Surface,
    /// The client library, as it names itself (`X-Client-Info`), cut to a sane length.
    pub client: Option<String>,
}

impl Provenance {
    /// Work that no request asked for.
    pub fn internal(actor: Actor, surface: Surface, request_id: Uuid) -> Self {
        Self { actor, request_id, causation: None, ip: None, user_agent: None, surface, client: None }
    }

    /// Whose address and program these are, where that is known: under their key both are sealed.
    pub fn person(&self) -> Option<UserId> {
        match &self.actor {
            Actor::User { id }
            | Actor::Impersonator { admin: id, .. }
            | Actor::Admin { id: Some(id), .. } => Some(*id),
            Actor::Admin { id: None, .. } | Actor::Operator | Actor::Visitor | Actor::System => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_back() {
        let id = UserId(Uuid::from_u128(7));
        for actor in [
            Actor::User { id },
            Actor::Impersonator { admin: UserId(Uuid::from_u128(8)), user: id },
            Actor::Admin { role: "service_role".to_owned(), id: None },
            Actor::Admin { role: "supabase_admin".to_owned(), id: Some(id) },
            Actor::Admin { role: "tenant:7:admin".to_owned(), id: None },
            Actor::Admin { role: "tenant:7:admin".to_owned(), id: Some(id) },
            Actor::Operator,
            Actor::Visitor,
            Actor::System,
        ] {
            assert_eq!(Actor::from_label(&actor.label()), Some(actor));
        }
        assert_eq!(Actor::from_label("user"), None);
    }
}
