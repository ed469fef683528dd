//! Samples of what happens to organizations.

use uuid::Uuid;

use super::{minute, user};
use crate::organization::{Departure, InvitationEnd, OrganizationEvent, Permissions, Roles};
use crate::{Email, InvitationId, MemberId, Metadata, OrganizationRoleId, TeamId};

pub(super) fn samples() -> Vec<OrganizationEvent> {
    let member = MemberId(Uuid::from_u128(0x3e3b_e700_0000_4000_8000_0000_0000_0004));
    let invitation = InvitationId(Uuid::from_u128(0x1471_7a71_0000_4000_8000_0000_0000_0005));
    let team = TeamId(Uuid::from_u128(0x7ea3_0000_0000_4000_8000_0000_0000_0006));
    let role = OrganizationRoleId(Uuid::from_u128(0x7013_0000_0000_4000_8000_0000_0000_0007));
    let (user, expires_at) = (user(), minute(2880));
    vec![
        OrganizationEvent::Created {
            name: "Acme".to_owned(),
            slug: "acme".to_owned(),
            logo: Some("https://acme.example/logo.png".to_owned()),
            metadata: Some(Metadata::default().with("plan", "pro")),
            user,
            member,
            roles: Roles::one("owner"),
        },
        OrganizationEvent::Updated {
            name: Some("Acme Ltd".to_owned()),
            slug: Some("acme-ltd".to_owned()),
            logo: Some(String::new()),
            metadata: Some(Metadata::default().with("plan", "team")),
        },
        OrganizationEvent::Deleted {},
        OrganizationEvent::MemberAdded {
            member,
            user,
            roles: Roles::one("member"),
            invitation: Some(invitation),
        },
        OrganizationEvent::MemberRoleChanged { member, user, roles: Roles::one("admin") },
        OrganizationEvent::MemberRemoved { member, user, departure: Departure::Left },
        OrganizationEvent::MemberInvited {
            invitation,
            email: Email::known("bea@example.com").into(),
            roles: Roles::one("member"),
            teams: vec![team],
            inviter: user,
            at: minute(0),
            expires_at,
        },
        OrganizationEvent::InvitationExtended { invitation, expires_at },
        OrganizationEvent::InvitationAccepted { invitation, user },
        OrganizationEvent::InvitationRejected { invitation, user },
        OrganizationEvent::InvitationCanceled { invitation, end: InvitationEnd::Canceled },
        OrganizationEvent::TeamCreated { team, name: "Support".to_owned() },
        OrganizationEvent::TeamRenamed { team, name: "Help".to_owned() },
        OrganizationEvent::TeamRemoved { team },
        OrganizationEvent::TeamMemberAdded { team, user },
        OrganizationEvent::TeamMemberRemoved { team, user },
        OrganizationEvent::RoleDefined {
            role,
            name: "recruiter".to_owned(),
            permissions: Permissions::of(&[("invitation", &["create"])]),
        },
        OrganizationEvent::RoleDeleted { role, name: "recruiter".to_owned() },
    ]
}
