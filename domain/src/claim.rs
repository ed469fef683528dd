//! Claims: values that at most one holder has. They follow from events alone, so the table of
//! claims is a fold of the log like any projection.

use uuid::Uuid;

/// What kind of value is claimed. The names are stored; never change them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimKind {
    /// A user's e-mail address. A holder has one at most.
    Email,
    /// A user's phone number. A holder has one at most.
    Phone,
    /// `provider:provider_id` of an identity. A holder may have many.
    Identity,
    /// The identifier of a registered provider. A holder has one at most.
    Provider,
    /// What addresses call an organization. A holder has one at most.
    OrganizationSlug,
    /// The credential id of a passkey. A holder may have many.
    Passkey,
    /// A name to sign in by, in lower case. A holder has one at most.
    Username,
    /// A domain whose addresses belong to an identity provider. A holder may have many.
    SsoDomain,
    /// What an identity provider calls itself. A holder has one at most.
    SsoEntity,
    /// What the application calls an identity provider. A holder has one at most.
    SsoResource,
}

impl ClaimKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Email,
        Self::Phone,
        Self::Identity,
        Self::Provider,
        Self::OrganizationSlug,
        Self::Passkey,
        Self::Username,
        Self::SsoDomain,
        Self::SsoEntity,
        Self::SsoResource,
    ];

    /// The name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Identity => "identity",
            Self::Provider => "provider",
            Self::OrganizationSlug => "organization_slug",
            Self::Passkey => "passkey",
            Self::Username => "username",
            Self::SsoDomain => "sso_domain",
            Self::SsoEntity => "sso_entity",
            Self::SsoResource => "sso_resource",
        }
    }

    /// Reads a name from the table.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether a holder has one value of this kind at most: taking another then gives the first back.
    pub const fn is_single(self) -> bool {
        match self {
            Self::Email
            | Self::Phone
            | Self::Provider
            | Self::OrganizationSlug
            | Self::Username
            | Self::SsoEntity
            | Self::SsoResource => true,
            Self::Identity | Self::Passkey | Self::SsoDomain => false,
        }
    }
}

/// A value that is claimed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The kind of value.
    pub kind: ClaimKind,
    /// The value, normalized, compared as bytes.
    pub value: String,
}

/// What an event does to the claims of its stream's holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimChange {
    /// The holder takes a value, and gives back the one it had if the kind is single.
    Take(Claim),
    /// The holder gives back one value.
    Release(Claim),
    /// The holder gives back whatever it has of a kind.
    ReleaseKind(ClaimKind),
    /// The holder gives back everything.
    ReleaseAll,
}

/// Who holds a claim: the aggregate's id.
pub type Holder = Uuid;
