//! Why an organization refuses a command.

/// A rule of the organization aggregate said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// There is no such organization, or no longer.
    #[error("the organization does not exist")]
    NotFound,
    /// The stream has begun: the id is taken.
    #[error("the organization exists")]
    AlreadyExists,
    /// Who asks is no member.
    #[error("the caller is not a member of the organization")]
    NotAMember,
    /// The caller's roles do not grant it.
    #[error("the caller's roles do not allow this")]
    Forbidden,
    /// Only owners give, take and touch that role.
    #[error("only an owner may give this role")]
    RoleForbidden,
    /// No role of that name.
    #[error("there is no such role")]
    RoleNotFound,
    /// Nobody of that name is a member.
    #[error("there is no such member")]
    MemberNotFound,
    /// That person belongs to the organization already.
    #[error("the user is a member already")]
    AlreadyAMember,
    /// There are as many members as may be.
    #[error("the organization has as many members as it may have")]
    MemberLimit,
    /// An organization keeps an owner.
    #[error("the organization would be left without an owner")]
    LastOwner,
    /// That address has an invitation that is open.
    #[error("the address is invited already")]
    AlreadyInvited,
    /// There are as many open invitations as may be.
    #[error("the organization has as many open invitations as it may have")]
    InvitationLimit,
    /// No such invitation is open.
    #[error("there is no such invitation, or it is not open")]
    InvitationNotFound,
    /// The invitation is for another address.
    #[error("the invitation is for somebody else")]
    NotTheRecipient,
    /// The recipient has not shown yet that the address is theirs.
    #[error("the address has to be verified first")]
    AddressNotVerified,
    /// Who invited is no member any more.
    #[error("the inviter is no longer a member")]
    InviterGone,
    /// No such team.
    #[error("there is no such team")]
    TeamNotFound,
    /// There are as many teams as may be.
    #[error("the organization has as many teams as it may have")]
    TeamLimit,
    /// The last team stays.
    #[error("the last team cannot be removed")]
    LastTeam,
    /// There are as many members in the team as may be.
    #[error("the team has as many members as it may have")]
    TeamMemberLimit,
    /// That person is not in the team.
    #[error("the user is not a member of the team")]
    NotInTeam,
    /// A role of that name is there.
    #[error("the name of the role is taken")]
    RoleNameTaken,
    /// A role of the server's is not the organization's to change.
    #[error("the role is predefined")]
    RolePredefined,
    /// Somebody has the role.
    #[error("the role is assigned to members")]
    RoleInUse,
    /// There are as many roles as may be.
    #[error("the organization has as many roles as it may have")]
    RoleLimit,
    /// Nobody can grant what nobody has heard of, nor what they lack themselves.
    #[error("the permissions name what is not there to be granted")]
    PermissionsInvalid,
}
