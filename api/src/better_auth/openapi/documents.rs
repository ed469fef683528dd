//! The documents that several operations share.

use crate::http::openapi::table::Field;
use crate::http::openapi::table::Shape::{
    self, Anything, Bool, Fields, List, Named, Nullable, Object, Text, Time,
};

/// Name and shape of each.
pub(super) const DOCUMENTS: &[(&str, Shape)] = &[
    ("User", Fields(USER)),
    ("Session", Fields(SESSION)),
    ("SignedIn", Fields(&[("session", Named("Session")), ("user", Named("User"))])),
    ("Arrived", Fields(ARRIVED)),
    ("Halfway", Fields(&[("twoFactorRedirect", Bool), ("twoFactorMethods?", List(&Text))])),
    ("Account", Fields(ACCOUNT)),
    ("Tokens", Fields(&[("accessToken", Text), ("scopes?", List(&Text)), ("idToken?", Nullable(&Text))])),
    ("Status", Fields(&[("status", Bool)])),
    ("Permitted", Fields(&[("success", Bool), ("error?", Anything)])),
    ("Organization", Fields(ORGANIZATION)),
    ("Member", Fields(MEMBER)),
    ("Invitation", Fields(INVITATION)),
    ("Team", Fields(&[("id", Text), ("name", Text), ("organizationId", Text), ("createdAt", Time)])),
    ("TeamMember", Fields(&[("id", Text), ("teamId", Text), ("userId", Text), ("createdAt", Time)])),
    ("Role", Fields(&[("id", Text), ("organizationId", Text), ("role", Text), ("permission", Object)])),
    ("Error", Fields(&[("message", Text), ("code?", Text)])),
];

const USER: &[Field] = &[
    ("id", Text),
    ("name", Text),
    ("email", Text),
    ("emailVerified", Bool),
    ("image?", Nullable(&Text)),
    ("createdAt", Time),
    ("updatedAt", Time),
    ("twoFactorEnabled?", Nullable(&Bool)),
    ("username?", Nullable(&Text)),
    ("displayUsername?", Nullable(&Text)),
    ("isAnonymous?", Nullable(&Bool)),
    ("phoneNumber?", Nullable(&Text)),
    ("phoneNumberVerified?", Nullable(&Bool)),
    ("role?", Nullable(&Text)),
    ("banned?", Nullable(&Bool)),
    ("banReason?", Nullable(&Text)),
    ("banExpires?", Nullable(&Time)),
];

const SESSION: &[Field] = &[
    ("id", Text),
    ("token", Text),
    ("userId", Text),
    ("expiresAt", Time),
    ("createdAt", Time),
    ("updatedAt", Time),
    ("ipAddress?", Nullable(&Text)),
    ("userAgent?", Nullable(&Text)),
    ("impersonatedBy?", Nullable(&Text)),
    ("activeOrganizationId?", Nullable(&Text)),
    ("activeTeamId?", Nullable(&Text)),
];

/// Whoever came in, or where to go on.
const ARRIVED: &[Field] = &[
    ("token?", Nullable(&Text)),
    ("user?", Nullable(&Named("User"))),
    ("redirect?", Bool),
    ("url?", Text),
    ("status?", Bool),
];

const ACCOUNT: &[Field] = &[
    ("id", Text),
    ("providerId", Text),
    ("accountId", Text),
    ("userId", Text),
    ("scopes", List(&Text)),
    ("createdAt", Time),
    ("updatedAt", Time),
];

const ORGANIZATION: &[Field] = &[
    ("id", Text),
    ("name", Text),
    ("slug", Text),
    ("logo?", Nullable(&Text)),
    ("createdAt", Time),
    // The object at some endpoints, its text at others.
    ("metadata?", Anything),
    ("members?", List(&Named("Member"))),
    ("invitations?", List(&Named("Invitation"))),
    ("teams?", List(&Named("Team"))),
];

const MEMBER: &[Field] = &[
    ("id", Text),
    ("organizationId", Text),
    ("userId", Text),
    ("role", Text),
    ("createdAt", Time),
    ("user?", Object),
];

const INVITATION: &[Field] = &[
    ("id", Text),
    ("organizationId", Text),
    ("email", Text),
    ("role", Nullable(&Text)),
    ("status", Text),
    ("expiresAt", Time),
    ("inviterId", Text),
];
