//! What may be asked of a user.

use super::factor::FactorCommand;
use super::passkey::PasskeyCommand;
use super::two_factor::TwoFactorCommand;
use super::username::Username;
use super::{IdentityData, SignUpMethod, TokenPurpose};
use crate::access::Roles;
use crate::{
    Email, FlowId, IdentityId, Metadata, PasswordHash, Phone, SealedTokens, Time, TokenHash, UserId,
};

/// A new account.
#[derive(Debug, Clone)]
pub struct SignUp {
    /// By whom and how.
    pub method: SignUpMethod,
    /// The audience.
    pub aud: String,
    /// The role.
    pub role: String,
    /// The address, and whether it counts as confirmed at once.
    pub email: Option<(Email, Confirmed)>,
    /// The number, and whether it counts as confirmed at once.
    pub phone: Option<(Phone, Confirmed)>,
    /// The password's hash.
    pub password: Option<PasswordHash>,
    /// What the user may change.
    pub user_metadata: Metadata,
    /// What only the application may change.
    pub app_metadata: Metadata,
    /// The identities that come with the account.
    pub identities: Vec<IdentityData>,
}

/// Whether an address or number counts as the user's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// It does.
    Yes,
    /// It is only claimed.
    No,
}

/// Who has to agree to another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Everybody who was asked.
    OfAll,
    /// One of them.
    OfOne,
}

/// What has to stay of the ways in of an account when one of them is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaysInLeft {
    /// Another identity; a password is none. An address goes with the identity that it came from.
    AnIdentity,
    /// The password or another provider. An address belongs to the account.
    OneToSignInBy,
    /// Nothing: who has no other way in is locked out by their own wish. An address belongs to the account.
    Nothing,
}

/// What becomes of a password that was set before the address or number is confirmed. Whoever set it may be
/// somebody else than who confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnprovenPassword {
    /// It opens the account.
    Stays,
    /// It opens nothing until [`UserCommand::ProvePassword`].
    Waits,
    /// It goes.
    Goes,
}

/// What a caller presents to prove that a message reached them.
#[derive(Debug, Clone)]
pub enum Proof {
    /// The hash of the token in a link.
    Link(TokenHash),
    /// The keyed hash of a code that was typed.
    Code(TokenHash),
}

/// Somebody who comes by another provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// How the provider knows them. Its id counts only if the identity is not linked yet.
    pub identity: IdentityData,
    /// The address that the provider tells, and whether it vouches for it.
    pub email: Option<(Email, Confirmed)>,
    /// Whether no other user has that address.
    pub free: bool,
}

/// A command on a user.
#[derive(Debug, Clone)]
pub enum UserCommand {
    /// Make the account.
    SignUp(Box<SignUp>),
    /// Take the address as the user's own.
    ConfirmEmail,
    /// Take the number as the user's own.
    ConfirmPhone,
    /// Ask for another address.
    RequestEmailChange {
        /// The address asked for.
        new_email: Email,
    },
    /// Give the user another address at once.
    ChangeEmail {
        /// Who the user is: a new identity is named by it.
        user: UserId,
        /// The address.
        email: Email,
        /// Whether it counts as confirmed.
        confirmed: Confirmed,
        /// The id of the `email` identity, if there is none yet.
        new_identity: IdentityId,
    },
    /// Ask for another number.
    RequestPhoneChange {
        /// The number asked for.
        new_phone: Phone,
    },
    /// Give the user another number at once.
    ChangePhone {
        /// Who the user is: a new identity is named by it.
        user: UserId,
        /// The number.
        phone: Phone,
        /// Whether it counts as confirmed.
        confirmed: Confirmed,
        /// The id of the `phone` identity, if there is none yet.
        new_identity: IdentityId,
    },
    /// Note a code and a link that are about to be sent. For a change of address or number this comes
    /// after the request for the change, which voids the codes of the request before.
    IssueOneTimeToken {
        /// What it is good for.
        purpose: TokenPurpose,
        /// Hash of the link's token.
        link: Option<TokenHash>,
        /// Keyed hash of the code.
        code: TokenHash,
        /// The flow that its link goes on with.
        flow: Option<FlowId>,
        /// The time of the decision.
        now: Time,
        /// From when on it is refused.
        expires_at: Time,
        /// How long after the last one of this purpose the next may be sent, in seconds.
        min_interval_seconds: u64,
    },
    /// Use a code or link. What confirms the address or number which the account has confirms it; what
    /// follows from the other purposes is a command of its own.
    ///
    /// A wrong code is no error, because the try must be kept: the answer is then
    /// [`UserEvent::OneTimeTokenMissed`](super::UserEvent::OneTimeTokenMissed) and nothing else, and the
    /// caller is refused only after that is committed.
    Redeem {
        /// The purposes for which the caller may use it.
        purposes: Vec<TokenPurpose>,
        /// What was presented.
        proof: Proof,
        /// What becomes of an unproven password, if the proof confirms a sign-up. Whoever is invited or asks
        /// for a recovery did not set it: it goes in any case.
        password: UnprovenPassword,
        /// The time of the decision.
        now: Time,
    },
    /// Give the user the address asked for, if everybody who was asked has agreed; nothing happens before.
    CompleteEmailChange {
        /// Who the user is: a new identity is named by it.
        user: UserId,
        /// The id of the `email` identity, if there is none yet.
        new_identity: IdentityId,
        /// Whether one of the two addresses is enough.
        agreement: Agreement,
        /// What becomes of the password that an anonymous user set before.
        password: UnprovenPassword,
    },
    /// Give the user the number asked for, if its owner has agreed; nothing happens before.
    CompletePhoneChange {
        /// Who the user is: a new identity is named by it.
        user: UserId,
        /// The id of the `phone` identity, if there is none yet.
        new_identity: IdentityId,
        /// What becomes of the password that an anonymous user set before.
        password: UnprovenPassword,
    },
    /// Give the user another password.
    ChangePassword {
        /// Its hash.
        password: PasswordHash,
    },
    /// Store the same password under today's hash function. Whoever gives it has just verified the
    /// password against this very state.
    RehashPassword {
        /// Its new hash.
        password: PasswordHash,
    },
    /// Drop the password: the user comes in by other ways.
    RemovePassword {
        /// What has to stay.
        leaving: WaysInLeft,
    },
    /// Drop a password that was set by somebody who had not shown that the address or number is theirs:
    /// somebody else asks to come in by it.
    RemoveUnprovenPassword,
    /// Let a withheld password open the account: whoever confirmed the address is who signed up.
    ProvePassword,
    /// Change the user's own data.
    ChangeMetadata {
        /// Merged at the top level; `null` removes a key.
        patch: Metadata,
    },
    /// Change the application's data on the user.
    ChangeAppMetadata {
        /// Merged at the top level; `null` removes a key.
        patch: Metadata,
    },
    /// Give the user another role.
    ChangeRole {
        /// The role.
        role: String,
    },
    /// Keep the user out.
    Ban {
        /// Until then; for ever without.
        until: Option<Time>,
        /// Why.
        reason: Option<String>,
    },
    /// Let the user in again.
    Unban,
    /// Add a way to sign in.
    LinkIdentity(IdentityData),
    /// Come in by a provider: by an identity that is linked, or by one that is linked now because the
    /// provider vouches for the user's address.
    Arrive(Box<Arrival>),
    /// Accept an invitation by coming from a provider that tells the invited address. What was set up
    /// before goes.
    AcceptInvitation {
        /// How the provider knows the user.
        identity: IdentityData,
        /// The time of the decision.
        now: Time,
    },
    /// Add a way to sign in, by the user's own wish.
    LinkByHand {
        /// How the provider knows the user.
        identity: IdentityData,
        /// The address that the provider tells, and whether it vouches for it; for an account without one.
        email: Option<(Email, Confirmed)>,
    },
    /// Remove a way to sign in. Where an address goes with it, another identity's takes its place.
    UnlinkIdentity {
        /// Which.
        identity: IdentityId,
        /// What has to stay.
        leaving: WaysInLeft,
        /// Addresses of the remaining identities that other users have.
        taken: Vec<Email>,
    },
    /// Keep what a provider handed out for calling it in the user's name, in place of what was kept before.
    KeepProviderTokens {
        /// By which identity it is known.
        identity: IdentityId,
        /// The tokens.
        tokens: SealedTokens,
    },
    /// Something about second factors.
    Factor(FactorCommand),
    /// Something about passkeys.
    Passkey(PasskeyCommand),
    /// Something about second steps of sign-ins.
    TwoFactor(TwoFactorCommand),
    /// Give the user other roles among those who administer users.
    ChangeAdminRoles {
        /// All of them.
        roles: Roles,
    },
    /// Give the user other names.
    ChangeUsername {
        /// To sign in by.
        username: Option<Username>,
        /// To be shown by.
        display_username: Option<String>,
    },
    /// Close the account and free its addresses; the row stays.
    Delete {
        /// A one-way value that stands where the address stood.
        email_digest: String,
        /// A one-way value that stands where the number stood.
        phone_digest: String,
        /// The same for what each identity's provider calls the user.
        identities: Vec<(IdentityId, String)>,
    },
    /// Forget the person.
    Erase,
}
