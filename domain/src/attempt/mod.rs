//! What was tried and refused. Each attempt has a stream of its own, so that an attacker cannot make
//! anybody's stream grow.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};

use crate::catalogue::described;
use crate::{Personal, SessionId, Time, TokenHash, UserId};

described! {
    /// Why a sign-in was refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SignInRefusal {
        /// Nobody has this address or number.
        UnknownAccount,
        /// The password is wrong, or the account has none.
        WrongPassword,
        /// The account is banned; the password was right.
        Banned,
        /// The address or number is not confirmed; the password was right.
        NotConfirmed,
        /// The code or link is wrong, used or too old.
        InvalidToken,
        /// A hook of the owner's refused; the password was right.
        RejectedByHook,
    }
}

described! {
    /// Why an administrator's call was refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum AdminRefusal {
        /// No bearer token.
        NoToken,
        /// The token is not good.
        BadToken,
        /// The token's role is no administrator's.
        NotAdmin,
    }
}

described! {
    /// An event of an attempt's stream.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum AttemptEvent {
        /// Somebody did not get in.
        #[serde(rename = "attempt.sign_in_failed")]
        SignInFailed {
            /// Keyed hash of the address or number that was given: the same for known and unknown ones.
            account: TokenHash,
            /// The address or number.
            identifier: Personal<String>,
            /// The user, where one is known.
            user: Option<UserId>,
            /// Why.
            reason: SignInRefusal,
            /// When.
            at: Time,
        },
        /// Somebody signed up with an address or number that is confirmed as somebody's.
        #[serde(rename = "attempt.sign_up_repeated")]
        SignUpRepeated {
            /// Whose address or number it is.
            user: UserId,
            /// `email` or `phone`.
            provider: String,
        },
        /// A call that only administrators may make was refused.
        #[serde(rename = "attempt.admin_denied")]
        AdminDenied {
            /// `POST /admin/users`
            operation: String,
            /// Why.
            reason: AdminRefusal,
        },
        /// A refresh token that had been used was presented again, too late for a lost answer.
        #[serde(rename = "attempt.refresh_token_reused")]
        RefreshTokenReused {
            /// Whose session.
            user: UserId,
            /// Which session.
            session: SessionId,
            /// The number of the token that came.
            presented: u64,
            /// The number of the token that was good.
            generation: u64,
        },
        /// The counter of an authenticator's key went back: somebody may have a copy of it. The answer was
        /// refused.
        #[serde(rename = "attempt.authenticator_suspected")]
        AuthenticatorSuspected {
            /// Whose key.
            user: UserId,
            /// The id that the authenticator gave the key.
            credential_id: Personal<String>,
            /// When.
            at: Time,
        },
    }
}

impl AttemptEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignInFailed { .. } => ("attempt.sign_in_failed", "1.0"),
            Self::SignUpRepeated { .. } => ("attempt.sign_up_repeated", "1.0"),
            Self::AdminDenied { .. } => ("attempt.admin_denied", "1.0"),
            Self::AuthenticatorSuspected { .. } => ("attempt.authenticator_suspected", "1.0"),
            Self::RefreshTokenReused { .. } => ("attempt.refresh_token_reused", "1.0"),
        }
    }
}

impl DomainEvent for AttemptEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}

/// An attempt: one event, no rules but that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Whether its event is there.
    pub recorded: bool,
}

/// An attempt is noted once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the attempt is noted already")]
pub struct AlreadyRecorded;

impl Aggregate for Attempt {
    const TYPE: &'static str = "attempt";
    type Command = AttemptEvent;
    type Event = AttemptEvent;
    type Error = AlreadyRecorded;
    type Services = ();

    async fn handle(
        &mut self,
        command: Self::Command,
        (): &Self::Services,
        sink: &EventSink<Self>,
    ) -> Result<(), Self::Error> {
        if self.recorded {
            return Err(AlreadyRecorded);
        }
        sink.write(command, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Self::Event) {
        self.recorded = true;
    }
}
