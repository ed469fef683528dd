//! Organizations.

use evident_domain::organization::{Departure, OrganizationEvent};

use super::{Names, list, moment, shown, word};

pub(super) fn sentence(event: &OrganizationEvent, organization: &str, names: &Names) -> String {
    let what = organization;
    match event {
        OrganizationEvent::Created { name, user, .. } => {
            format!("{what} came to be under the name {name}, with {} as its member", names.user(*user))
        }
        OrganizationEvent::Updated { .. } => format!("what is known of {what} changed"),
        OrganizationEvent::Deleted {} => format!("{what} was deleted"),
        OrganizationEvent::MemberAdded { user, roles, .. } => {
            format!("{} became a member of {what} ({})", names.user(*user), list(roles.iter()))
        }
        OrganizationEvent::MemberRoleChanged { user, roles, .. } => {
            format!("the roles of {} in {what} became {}", names.user(*user), list(roles.iter()))
        }
        OrganizationEvent::MemberRemoved { user, departure, .. } => {
            let how = match departure {
                Departure::Left => "left",
                Departure::Removed => "was removed from",
                Departure::AccountClosed => "is gone, and so no member of",
            };
            format!("{} {how} {what}", names.user(*user))
        }
        OrganizationEvent::MemberInvited { email, roles, inviter, .. } => {
            let (email, inviter) = (shown(email), names.user(*inviter));
            format!("{inviter} invited {email} into {what} ({})", list(roles.iter()))
        }
        OrganizationEvent::InvitationExtended { expires_at, .. } => {
            format!("an invitation into {what} is good until {}", moment(*expires_at))
        }
        OrganizationEvent::InvitationAccepted { user, .. } => {
            format!("{} accepted an invitation into {what}", names.user(*user))
        }
        OrganizationEvent::InvitationRejected { user, .. } => {
            format!("{} rejected an invitation into {what}", names.user(*user))
        }
        OrganizationEvent::InvitationCanceled { end, .. } => {
            format!("an invitation into {what} was taken back ({})", word(end))
        }
        OrganizationEvent::TeamCreated { name, .. } => format!("{what} got the team {name}"),
        OrganizationEvent::TeamRenamed { name, .. } => format!("a team of {what} is called {name} now"),
        OrganizationEvent::TeamRemoved { .. } => format!("a team of {what} was removed"),
        OrganizationEvent::TeamMemberAdded { user, .. } => {
            format!("{} joined a team of {what}", names.user(*user))
        }
        OrganizationEvent::TeamMemberRemoved { user, .. } => {
            format!("{} left a team of {what}", names.user(*user))
        }
        OrganizationEvent::RoleDefined { name, .. } => {
            format!("{what} says anew what its role {name} grants")
        }
        OrganizationEvent::RoleDeleted { name, .. } => format!("{what} has no role {name} any more"),
    }
}
