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
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident, $letter:literal;)*) => {
        /// What was done, in the words of Supabase Auth. Names and letters are stored.
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

            /// What stands for it where there is one for each position of the log.
            pub const fn letter(self) -> char {
                match self { $(Self::$variant => $letter,)* }
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
    Login = "login", Account, 'a';
    /// A session was ended by its user.
    Logout = "logout", Account, 'b';
    /// A sign-in was refused. (Supabase Auth has no entry for it.)
    LoginFailed = "login_failed", Account, 'c';
    /// An account is there, and somebody stands behind it.
    UserSignedup = "user_signedup", Team, 'd';
    /// An invitation is on its way.
    UserInvited = "user_invited", Team, 'e';
    /// An account was closed or erased.
    UserDeleted = "user_deleted", Team, 'f';
    /// A call for administrators was refused. (Supabase Auth has no entry for it.)
    AdminDenied = "admin_denied", Team, 'g';
    /// A provider of the administrators' own was registered. (Supabase Auth has no entry for it.)
    CustomProviderCreated = "custom_provider_created", Team, 'h';
    /// Such a provider was changed. (Supabase Auth has no entry for it.)
    CustomProviderUpdated = "custom_provider_updated", Team, 'i';
    /// Such a provider was removed. (Supabase Auth has no entry for it.)
    CustomProviderDeleted = "custom_provider_deleted", Team, 'j';
    /// An organization's identity provider was registered. (Supabase Auth has no entry for it.)
    SsoProviderCreated = "sso_provider_created", Team, 'k';
    /// Something about such a provider is another now. (Supabase Auth has no entry for it.)
    SsoProviderUpdated = "sso_provider_updated", Team, 'l';
    /// Such a provider was removed. (Supabase Auth has no entry for it.)
    SsoProviderDeleted = "sso_provider_deleted", Team, 'm';
    /// An OAuth client was registered. (Supabase Auth has no entry for it.)
    OauthClientCreated = "oauth_client_created", Team, 'n';
    /// Something about an OAuth client is another now. (Supabase Auth has no entry for it.)
    OauthClientUpdated = "oauth_client_updated", Team, 'o';
    /// An OAuth client was removed. (Supabase Auth has no entry for it.)
    OauthClientDeleted = "oauth_client_deleted", Team, 'p';
    /// Something about an account is another now, or was asked to be.
    UserModified = "user_modified", User, 'q';
    /// A mail to get in again is on its way.
    UserRecoveryRequested = "user_recovery_requested", User, 'r';
    /// A code to show again who one is, is on its way.
    UserReauthenticateRequested = "user_reauthenticate_requested", User, 's';
    /// A code or link to confirm an address or number is on its way.
    UserConfirmationRequested = "user_confirmation_requested", User, 't';
    /// Somebody signed up with the address or number of another.
    UserRepeatedSignup = "user_repeated_signup", User, 'u';
    /// A user took another password.
    UserUpdatedPassword = "user_updated_password", User, 'v';
    /// A way to sign in was added.
    IdentityLinked = "identity_linked", User, 'w';
    /// A way to sign in was removed.
    IdentityUnlinked = "identity_unlinked", User, 'x';
    /// A session was ended, but not by its user's wish.
    TokenRevoked = "token_revoked", Token, 'y';
    /// A session got its next tokens.
    TokenRefreshed = "token_refreshed", Token, 'z';
    /// A used refresh token was presented again. (Supabase Auth has no entry for it.)
    TokenReuseDetected = "token_reuse_detected", Token, 'A';
    /// A user began to set a second factor up.
    FactorInProgress = "factor_in_progress", Factor, 'B';
    /// A second factor was asked to show itself.
    ChallengeCreated = "challenge_created", Factor, 'C';
    /// A user gave a second factor up.
    FactorUnenrolled = "factor_unenrolled", Factor, 'D';
    /// An administrator changed a second factor.
    FactorUpdated = "factor_updated", Factor, 'E';
    /// An administrator removed a second factor.
    FactorDeleted = "factor_deleted", Factor, 'F';
    /// A passkey was added.
    PasskeyCreated = "passkey_created", User, 'G';
    /// A passkey has another name.
    PasskeyUpdated = "passkey_updated", User, 'H';
    /// A passkey was removed.
    PasskeyDeleted = "passkey_deleted", User, 'I';
    /// An authenticator's counter went back: it may be a copy. (Supabase Auth has no entry for it.)
    AuthenticatorSuspected = "authenticator_suspected", Factor, 'J';
    /// A second factor was shown.
    VerificationAttempted = "verification_attempted", Factor, 'K';
}

impl AuditAction {
    /// Reads a name from the table.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_name_and_a_letter_of_its_own() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::from_name(action.as_str()), Some(*action));
            assert!(action.letter().is_ascii_alphabetic());
        }
        let letters: BTreeSet<char> = AuditAction::ALL.iter().map(|action| action.letter()).collect();
        assert_eq!(letters.len(), AuditAction::ALL.len());
        assert_eq!(AuditAction::from_name("dance"), None);
    }
}
