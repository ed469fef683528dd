//! Roles, names, and second steps of sign-ins.

use uuid::Uuid;

use super::{hash, minute, session_id};
use crate::ChallengeId;
use crate::access::Roles;
use crate::user::UserEvent;
use crate::user::two_factor::SecondStepMethod;
use crate::user::username::Username;

pub(super) fn samples() -> [UserEvent; 11] {
    let step = ChallengeId(Uuid::from_u128(0x57e9_0000_0000_4000_8000_0000_0000_0007));
    [
        UserEvent::AdminRolesChanged { roles: Roles::one("admin") },
        UserEvent::UsernameChanged {
            username: Some(Username::known("ann_1").into()),
            display_username: Some("Ann_1".to_owned().into()),
        },
        UserEvent::MailFactorEnabled {},
        UserEvent::TwoFactorDisabled {},
        UserEvent::BackupCodesIssued { codes: vec![hash()] },
        UserEvent::SecondStepBegun { step, at: minute(90), expires_at: minute(100) },
        UserEvent::SecondStepCodeSent {
            step,
            of_sign_in: true,
            code: hash(),
            at: minute(90),
            expires_at: minute(93),
        },
        UserEvent::SecondStepMissed { step, method: SecondStepMethod::MailedCode, at: minute(91) },
        UserEvent::SecondStepExhausted { step, method: SecondStepMethod::Totp, at: minute(91) },
        UserEvent::SecondStepTaken {
            step,
            session: session_id(),
            method: SecondStepMethod::BackupCode,
            backup_code: Some(hash()),
            at: minute(92),
        },
        UserEvent::DeviceTrusted {
            device: hash(),
            instead_of: Some(hash()),
            at: minute(92),
            expires_at: minute(43_292),
        },
    ]
}
