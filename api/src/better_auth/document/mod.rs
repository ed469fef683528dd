//! The objects of the protocol.

mod organization;
mod session;
mod user;

pub use organization::{
    InvitationDocument, MemberDocument, OrganizationDocument, OrganizationRoleDocument, PersonDocument,
    TeamDocument, TeamMemberDocument,
};
pub use session::SessionDocument;
pub use user::UserDocument;

use chrono::SecondsFormat;
use evident_domain::Time;

/// A moment as clients of Better Auth read it: UTC, with milliseconds.
pub fn moment(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
