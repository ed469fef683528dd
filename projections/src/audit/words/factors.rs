//! Second factors, passkeys, second steps.

use evident_domain::user::UserEvent;
use evident_domain::user::factor::FactorKind;

use super::{moment, word};

pub(super) fn sentence(event: &UserEvent, who: &str) -> String {
    match event {
        UserEvent::FactorEnrolled { kind, .. } => format!("{who} began to set up {}", a(*kind)),
        UserEvent::FactorChallenged { .. } => format!("{who} was asked for a second factor"),
        UserEvent::FactorChallengeMissed { .. } => format!("a wrong second factor was shown for {who}"),
        UserEvent::FactorVerified { .. } => format!("{who} showed a second factor"),
        UserEvent::FactorRenamed { .. } => format!("a second factor of {who} has another name"),
        UserEvent::FactorPhoneChanged { .. } => format!("a second factor of {who} has another number"),
        UserEvent::FactorRemoved { kind, reason, .. } => {
            format!("{} of {who} is no second factor any more ({})", a(*kind), word(reason))
        }
        UserEvent::PasskeyAdded { .. } => format!("{who} added a passkey"),
        UserEvent::PasskeyUsed { .. } => format!("{who} signed in with a passkey"),
        UserEvent::PasskeyRenamed { .. } => format!("a passkey of {who} has another name"),
        UserEvent::PasskeyRemoved { .. } => format!("a passkey of {who} was removed"),
        UserEvent::MailFactorEnabled {} => format!("codes by mail became a second factor of {who}"),
        UserEvent::TwoFactorDisabled {} => format!("{who} needs no second factor any more"),
        UserEvent::BackupCodesIssued { codes } => format!("{who} got {} backup codes", codes.len()),
        UserEvent::SecondStepBegun { .. } => {
            format!("the password of {who} was right, and a second step is to follow")
        }
        UserEvent::SecondStepCodeSent { .. } => format!("a code for a second step was sent to {who}"),
        UserEvent::SecondStepMissed { method, .. } => {
            format!("a wrong answer was given to the second step of {who} ({})", word(method))
        }
        UserEvent::SecondStepExhausted { method, .. } => {
            format!("too many wrong answers were given to the second step of {who} ({})", word(method))
        }
        UserEvent::SecondStepTaken { method, .. } => {
            format!("{who} took the second step ({})", word(method))
        }
        UserEvent::DeviceTrusted { expires_at, .. } => {
            format!("a device of {who} needs no second step until {}", moment(*expires_at))
        }
        // Told with the account.
        _ => format!("something about the sign-in of {who} changed"),
    }
}

const fn a(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp => "an authenticator app",
        FactorKind::Phone => "a phone",
        FactorKind::Webauthn => "an authenticator",
    }
}
