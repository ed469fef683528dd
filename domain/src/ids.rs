//! Identifiers: a type each, so that a session's id cannot be taken for a user's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// A person's account; the id of its stream and the pseudonym that stays after erasure.
    UserId
);
id!(
    /// A signed-in device; the id of its stream and the `session_id` claim of its access tokens.
    SessionId
);
id!(
    /// One way in which a user is known to a provider (`email`, `phone`, `google`, …).
    IdentityId
);
id!(
    /// A sign-in that is under way; the id of its stream, and the `state` that goes to a provider.
    FlowId
);
id!(
    /// An organization; the id of its stream.
    OrganizationId
);
id!(
    /// One person's membership of an organization.
    MemberId
);
id!(
    /// An invitation into an organization.
    InvitationId
);
id!(
    /// A team of an organization.
    TeamId
);
id!(
    /// A role of an organization's own.
    OrganizationRoleId
);
id!(
    /// A second factor of a user.
    FactorId
);
id!(
    /// A challenge to a second factor.
    ChallengeId
);
id!(
    /// A passkey of a user.
    PasskeyId
);
id!(
    /// An OAuth client; the id of its stream, and its `client_id`.
    ClientId
);
id!(
    /// A client's request for access; the id of its stream. What browsers see is another id, and this its hash.
    AuthorizationId
);
id!(
    /// What one user granted to one client; the id of its stream.
    ConsentId
);
id!(
    /// A legal hold.
    HoldId
);
id!(
    /// An identity provider of an organization; the id of its stream.
    SsoProviderId
);
id!(
    /// One event of the log.
    EventId
);
