//! The names of actions.

/// The kind of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogType {
    /// Somebody comes and goes.
    Account,
    /// Who belongs to the application.
    Team,
    /// Tokens of sessions.
    Token,
    /// A person's account changes.
    User,
    /// Second factors.
    Factor,
}

impl LogType {
    /// The name in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Team => "team",
            Self::Token => "token",
            Self::User => "user",
            Self::Factor => "factor",
        }
    }
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident;)*) => {
        /// What was done, in the words of Supabase Auth. The names are stored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum AuditAction {
            $($(#[$doc])* $variant,)*
        }

        impl AuditAction {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in entries and in the table.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Its kind.
            pub const fn log_type(self) -> LogType {
                match self { $(Self::$variant => LogType::$kind,)* }
            }
        }
    };
}

actions! {
    /// A session began.
    Login = "login", Account;
    /// A session was ended by its user.
    Logout = "logout", Account;
    /// A sign-in was refused. (Supabase Auth has no entry for it.)
    LoginFailed = "login_failed", Account;
    /// An account is there, and somebody stands behind it.
    UserSignedup = "user_signedup", Team;
    /// An invitation is on its way.
    UserInvited = "user_invited", Team;
    /// An account was closed or erased.
    UserDeleted = "user_deleted", Team;
    /// A call for administrators was refused. (Supabase Auth has no entry for it.)
    AdminDenied = "admin_denied", Team;
    /// A provider of the administrators' own was registered. (Supabase Auth has no entry for it.)
    CustomProviderCreated = "custom_provider_created", Team;
    /// Such a provider was changed. (Supabase Auth has no entry for it.)
    CustomProviderUpdated = "custom_provider_updated", Team;
    /// Such a provider was removed. (Supabase Auth has no entry for it.)
    CustomProviderDeleted = "custom_provider_deleted", Team;
    /// An organization's identity provider was registered. (Supabase Auth has no entry for it.)
    SsoProviderCreated = "sso_provider_created", Team;
    /// Something about such a provider is another now. (Supabase Auth has no entry for it.)
    SsoProviderUpdated = "sso_provider_updated", Team;
    /// Such a provider was removed. (Supabase Auth has no entry for it.)
    SsoProviderDeleted = "sso_provider_deleted", Team;
    /// An OAuth client was registered. (Supabase Auth has no entry for it.)
    OauthClientCreated = "oauth_client_created", Team;
    /// Something about an OAuth client is another now. (Supabase Auth has no entry for it.)
    OauthClientUpdated = "oauth_client_updated", Team;
    /// An OAuth client was removed. (Supabase Auth has no entry for it.)
    OauthClientDeleted = "oauth_client_deleted", Team;
    /// Something about an account is another now, or was asked to be.
    UserModified = "user_modified", User;
    /// A mail to get in again is on its way.
    UserRecoveryRequested = "user_recovery_requested", User;
    /// A code to show again who one is, is on its way.
    UserReauthenticateRequested = "user_reauthenticate_requested", User;
    /// A code or link to confirm an address or number is on its way.
    UserConfirmationRequested = "user_confirmation_requested", User;
    /// Somebody signed up with the address or number of another.
    UserRepeatedSignup = "user_repeated_signup", User;
    /// A user took another password.
    UserUpdatedPassword = "user_updated_password", User;
    /// A way to sign in was added.
    IdentityLinked = "identity_linked", User;
    /// A way to sign in was removed.
    IdentityUnlinked = "identity_unlinked", User;
    /// A session was ended, but not by its user's wish.
    TokenRevoked = "token_revoked", Token;
    /// A session got its next tokens.
    TokenRefreshed = "token_refreshed", Token;
    /// A used refresh token was presented again. (Supabase Auth has no entry for it.)
    TokenReuseDetected = "token_reuse_detected", Token;
    /// A user began to set a second factor up.
    FactorInProgress = "factor_in_progress", Factor;
    /// A second factor was asked to show itself.
    ChallengeCreated = "challenge_created", Factor;
    /// A user gave a second factor up.
    FactorUnenrolled = "factor_unenrolled", Factor;
    /// An administrator changed a second factor.
    FactorUpdated = "factor_updated", Factor;
    /// An administrator removed a second factor.
    FactorDeleted = "factor_deleted", Factor;
    /// A passkey was added.
    PasskeyCreated = "passkey_created", User;
    /// A passkey has another name.
    PasskeyUpdated = "passkey_updated", User;
    /// A passkey was removed.
    PasskeyDeleted = "passkey_deleted", User;
    /// An authenticator's counter went back: it may be a copy. (Supabase Auth has no entry for it.)
    AuthenticatorSuspected = "authenticator_suspected", Factor;
    /// A second factor was shown.
    VerificationAttempted = "verification_attempted", Factor;
}

impl AuditAction {
    /// Reads a name from the table.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_name(action.as_str()), Some(*action));
        }
        assert_eq!(AuditAction::from_name("dance"), None);
    }
}
