//! What can have happened to a session.

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::{AssuranceLevel, AuthenticationMethod, RevocationReason};
use crate::catalogue::described;
use crate::{ClientId, FactorId, Metadata, OrganizationId, Personal, Scopes, TeamId, Time, UserId};

described! {
    /// An event of a session's stream. Where it came from (IP, agent) stands in its provenance.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum SessionEvent {
        /// Somebody signed in.
        #[serde(rename = "session.started")]
        Started {
            /// Who.
            user: UserId,
            /// By what proof.
            amr: Vec<AuthenticationMethod>,
            /// How sure it is.
            aal: AssuranceLevel,
            /// From when on it counts for nothing, where that is fixed.
            not_after: Option<Time>,
            /// When.
            started_at: Time,
            /// The OAuth client that signed in for the user; none: the user did.
            client: Option<ClientId>,
            /// What the client may.
            scopes: Option<Scopes>,
            /// Whether its end moves on while it is used.
            slides: bool,
            /// The administrator who acts in the user's name.
            impersonator: Option<UserId>,
        },
        /// The refresh token was used; the next is good now.
        #[serde(rename = "session.refreshed")]
        Refreshed {
            /// The number of the token that is good now.
            generation: u64,
            /// When.
            at: Time,
        },
        /// A used refresh token was presented by a client that missed the answer; it got the one that is
        /// good now.
        #[serde(rename = "session.refresh_repeated")]
        RefreshRepeated {
            /// The number of the token that came.
            presented: u64,
            /// The number of the token that is good now.
            generation: u64,
            /// When.
            at: Time,
        },
        /// The user gave another proof. Refresh tokens from before are void.
        #[serde(rename = "session.stepped_up")]
        SteppedUp {
            /// `totp`, `mfa/phone` …
            method: String,
            /// When.
            at: Time,
            /// How sure it is now.
            aal: AssuranceLevel,
            /// The second factor that gave the proof.
            factor: Option<FactorId>,
        },
        /// A second factor that had shown itself here is gone; its proof counts no more.
        #[serde(rename = "session.stepped_down")]
        SteppedDown {
            /// The factor.
            factor: FactorId,
            /// The proof that it had given.
            method: String,
            /// When.
            at: Time,
            /// How sure it is now.
            aal: AssuranceLevel,
        },
        /// It was used, and ends later now.
        #[serde(rename = "session.extended")]
        Extended {
            /// From when on it counts for nothing.
            not_after: Time,
            /// When.
            at: Time,
        },
        /// The user acts in another organization, or in none; in no team.
        #[serde(rename = "session.active_organization_changed")]
        ActiveOrganizationChanged {
            /// Which; none: no organization.
            organization: Option<OrganizationId>,
        },
        /// The user acts in another team, or in none.
        #[serde(rename = "session.active_team_changed")]
        ActiveTeamChanged {
            /// Which; none: no team.
            team: Option<TeamId>,
        },
        /// The application keeps something else with the session, in fields that its owner declares.
        #[serde(rename = "session.fields_changed")]
        FieldsChanged {
            /// What stands in each field now; what is not named stays.
            fields: Personal<Metadata>,
        },
        /// The session is over. By whom stands in the provenance.
        #[serde(rename = "session.revoked")]
        Revoked {
            /// Why.
            reason: RevocationReason,
        },
    }
}

impl SessionEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::Started { .. } => ("session.started", "1.2"),
            Self::Refreshed { .. } => ("session.refreshed", "1.0"),
            Self::RefreshRepeated { .. } => ("session.refresh_repeated", "1.0"),
            Self::SteppedUp { .. } => ("session.stepped_up", "2.0"),
            Self::SteppedDown { .. } => ("session.stepped_down", "1.0"),
            Self::Extended { .. } => ("session.extended", "1.0"),
            Self::ActiveOrganizationChanged { .. } => ("session.active_organization_changed", "1.0"),
            Self::ActiveTeamChanged { .. } => ("session.active_team_changed", "1.0"),
            Self::FieldsChanged { .. } => ("session.fields_changed", "1.0"),
            Self::Revoked { .. } => ("session.revoked", "1.0"),
        }
    }
}

impl DomainEvent for SessionEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
