//! What entries tell beside who did what.

use evident_domain::attempt::{AdminRefusal, AttemptEvent, SignInRefusal};
use evident_domain::consent::ConsentEvent;
use evident_domain::session::SessionEvent;
use evident_domain::user::{SignUpMethod, TokenPurpose, UserEvent};
use evident_domain::{Actor, Event, Metadata, Personal, Recorded, UserId};

/// A value among the traits of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditTrait {
    /// A text.
    Text(String),
    /// A user's address at the time.
    EmailOf(UserId),
    /// A user's number at the time.
    PhoneOf(UserId),
    /// Which of the two a user has: `email` or `phone`.
    ContactOf(UserId),
    /// A personal text whose key is destroyed.
    Erased,
}

type Traits = Vec<(&'static str, AuditTrait)>;

fn text(name: &'static str, value: impl Into<String>) -> (&'static str, AuditTrait) {
    (name, AuditTrait::Text(value.into()))
}

fn personal(name: &'static str, value: &Personal<String>) -> (&'static str, AuditTrait) {
    let value = value.known().map_or(AuditTrait::Erased, |value| AuditTrait::Text(value.clone()));
    (name, value)
}

/// What the entry of an event tells beside who did what; may be nothing.
pub fn traits(event: &Recorded) -> Traits {
    match &event.event {
        Event::User(user_event) => {
            let mut traits = of_user(user_event);
            let by_admin = matches!(event.provenance.actor, Actor::Admin { .. } | Actor::Operator);
            let user = UserId(event.stream.id);
            // For who did it to oneself, these stand in the entry already.
            if by_admin {
                traits.push(text("user_id", user.to_string()));
                traits.push(("user_email", AuditTrait::EmailOf(user)));
                traits.push(("user_phone", AuditTrait::PhoneOf(user)));
            }
            traits
        }
        Event::Session(session_event) => of_session(session_event),
        Event::SsoProvider(_) => vec![text("sso_provider_id", event.stream.id.to_string())],
        Event::Provider(_) => vec![text("custom_provider_id", event.stream.id.to_string())],
        Event::Client(_) => vec![text("oauth_client_id", event.stream.id.to_string())],
        Event::Consent(ConsentEvent::Revoked { client, .. }) => {
            vec![text("oauth_client_id", client.to_string()), text("action", "revoke_oauth_grant")]
        }
        Event::Flow(_)
        | Event::Recipient(_)
        | Event::Organization(_)
        | Event::Authorization(_)
        | Event::Hold(_)
        | Event::Audit(_)
        | Event::Log(_)
        | Event::Dropped(_)
        | Event::Consent(ConsentEvent::Given { .. }) => Vec::new(),
        Event::Attempt(attempt) => of_attempt(attempt),
    }
}

fn of_user(event: &UserEvent) -> Traits {
    match event {
        UserEvent::SignedUp { method, app_metadata, email, .. } => {
            let provider = match method {
                SignUpMethod::External => app_metadata.known().and_then(named_provider),
                _ if email.is_some() => Some("email"),
                _ => Some("phone"),
            };
            provider.map(|provider| text("provider", provider)).into_iter().collect()
        }
        UserEvent::EmailConfirmed {} => vec![text("provider", "email")],
        UserEvent::PhoneConfirmed {} => vec![text("provider", "phone")],
        UserEvent::OneTimeTokenIssued { purpose, .. } => match purpose {
            TokenPurpose::EmailConfirmation => vec![text("provider", "email")],
            TokenPurpose::PhoneConfirmation => vec![text("provider", "phone"), text("channel", "sms")],
            TokenPurpose::Invitation
            | TokenPurpose::Recovery
            | TokenPurpose::EmailChangeNew
            | TokenPurpose::EmailChangeCurrent
            | TokenPurpose::PhoneChange
            | TokenPurpose::Reauthentication
            | TokenPurpose::AccountDeletion => Vec::new(),
        },
        UserEvent::IdentityLinked { identity, provider, provider_id, .. }
        | UserEvent::IdentityUnlinked { identity, provider, provider_id } => vec![
            text("identity_id", identity.to_string()),
            text("provider", provider),
            personal("provider_id", provider_id),
        ],
        UserEvent::FactorEnrolled { factor, kind, .. } => {
            vec![text("factor_id", factor.to_string()), text("factor_type", kind.as_str())]
        }
        UserEvent::FactorChallenged { factor, challenge, .. } => {
            vec![text("factor_id", factor.to_string()), text("challenge_id", challenge.to_string())]
        }
        UserEvent::FactorRemoved { factor, .. }
        | UserEvent::FactorRenamed { factor, .. }
        | UserEvent::FactorPhoneChanged { factor, .. } => vec![text("factor_id", factor.to_string())],
        UserEvent::PasskeyAdded { passkey, .. }
        | UserEvent::PasskeyRenamed { passkey, .. }
        | UserEvent::PasskeyRemoved { passkey, .. } => vec![text("passkey_id", passkey.to_string())],
        // Who did what is all.
        _ => Vec::new(),
    }
}

fn named_provider(app_metadata: &Metadata) -> Option<&str> {
    app_metadata.text("provider")
}

fn of_session(event: &SessionEvent) -> Traits {
    match event {
        SessionEvent::Started { user, amr, .. } => match amr.first().map(|proof| proof.method.as_str()) {
            Some("password") => vec![("provider", AuditTrait::ContactOf(*user))],
            Some("web3") => vec![text("provider", "web3")],
            Some(_) | None => Vec::new(),
        },
        SessionEvent::SteppedUp { method, factor, .. } => {
            let kind = text("factor_type", method.strip_prefix("mfa/").unwrap_or(method));
            factor.map(|factor| text("factor_id", factor.to_string())).into_iter().chain([kind]).collect()
        }
        SessionEvent::Refreshed { .. }
        | SessionEvent::SteppedDown { .. }
        | SessionEvent::RefreshRepeated { .. }
        | SessionEvent::Extended { .. }
        | SessionEvent::ActiveOrganizationChanged { .. }
        | SessionEvent::ActiveTeamChanged { .. }
        | SessionEvent::FieldsChanged { .. }
        | SessionEvent::Revoked { .. } => Vec::new(),
    }
}

fn of_attempt(attempt: &AttemptEvent) -> Traits {
    match attempt {
        AttemptEvent::SignInFailed { identifier, reason, .. } => {
            vec![personal("identifier", identifier), text("reason", sign_in_refusal(*reason))]
        }
        AttemptEvent::SignUpRepeated { provider, .. } => vec![text("provider", provider)],
        AttemptEvent::AdminDenied { operation, reason } => {
            vec![text("operation", operation), text("reason", admin_refusal(*reason))]
        }
        AttemptEvent::AuthenticatorSuspected { user, .. } => vec![text("user_id", user.to_string())],
        AttemptEvent::RefreshTokenReused { session, .. } => vec![text("session_id", session.to_string())],
    }
}

const fn sign_in_refusal(reason: SignInRefusal) -> &'static str {
    match reason {
        SignInRefusal::UnknownAccount => "unknown_account",
        SignInRefusal::WrongPassword => "wrong_password",
        SignInRefusal::Banned => "banned",
        SignInRefusal::NotConfirmed => "not_confirmed",
        SignInRefusal::InvalidToken => "invalid_token",
        SignInRefusal::RejectedByHook => "rejected_by_hook",
    }
}

const fn admin_refusal(reason: AdminRefusal) -> &'static str {
    match reason {
        AdminRefusal::NoToken => "no_token",
        AdminRefusal::BadToken => "bad_token",
        AdminRefusal::NotAdmin => "not_admin",
    }
}
