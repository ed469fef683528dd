//! Sessions.

use evident_domain::session::{RevocationReason, SessionEvent};

use super::{Names, list, moment, word};

pub(super) fn sentence(event: &SessionEvent, who: &str, names: &Names) -> String {
    match event {
        SessionEvent::Started { user, amr, impersonator, client, .. } => {
            let who = names.user(*user);
            let proofs = list(amr.iter().map(|proof| proof.method.as_str()));
            match (impersonator, client) {
                (Some(admin), _) => format!("{} began to act in the name of {who}", names.user(*admin)),
                (None, Some(client)) => format!("an OAuth client ({client}) got a session of {who}"),
                (None, None) if proofs.is_empty() => format!("{who} signed in"),
                (None, None) => format!("{who} signed in by {proofs}"),
            }
        }
        SessionEvent::Refreshed { .. } => format!("a session of {who} got its next tokens"),
        SessionEvent::RefreshRepeated { .. } => {
            format!("a session of {who} got its tokens once more, after a lost answer")
        }
        SessionEvent::SteppedUp { method, aal, .. } => {
            format!("a session of {who} became surer by {method} ({})", word(aal))
        }
        SessionEvent::SteppedDown { method, aal, .. } => {
            format!("a session of {who} became less sure, as {method} counts no more ({})", word(aal))
        }
        SessionEvent::Extended { not_after, .. } => {
            format!("a session of {who} lasts until {}", moment(*not_after))
        }
        SessionEvent::ActiveOrganizationChanged { organization: Some(id) } => {
            format!("{who} acts in {}", names.organization(*id))
        }
        SessionEvent::ActiveOrganizationChanged { organization: None } => {
            format!("{who} acts in no organization")
        }
        SessionEvent::ActiveTeamChanged { team: Some(team) } => format!("{who} acts in team {team}"),
        SessionEvent::ActiveTeamChanged { team: None } => format!("{who} acts in no team"),
        SessionEvent::FieldsChanged { fields } => match fields.known() {
            Some(fields) => format!(
                "the application keeps other fields with a session of {who}: {}",
                list(fields.0.keys().map(String::as_str))
            ),
            None => format!("the application keeps other fields with a session of {who}"),
        },
        SessionEvent::Revoked { reason } => format!("a session of {who} ended: {}", because(*reason)),
    }
}

const fn because(reason: RevocationReason) -> &'static str {
    match reason {
        RevocationReason::SignedOut => "signed out",
        RevocationReason::SignedOutElsewhere => "signed out from another device",
        RevocationReason::RefreshTokenReused => "a used refresh token was presented again",
        RevocationReason::PasswordChanged => "the password changed",
        RevocationReason::RevokedByAdmin => "an administrator ended it",
        RevocationReason::UserBanned => "the user was banned",
        RevocationReason::UserDeleted => "the account was closed or erased",
        RevocationReason::NoSecondFactor => "another session showed a second factor",
        RevocationReason::RejectedByHook => "a hook rejected a sign-in",
        RevocationReason::ConsentRevoked => "the consent to the client was taken back",
        RevocationReason::AuthorizationCodeReused => "its authorization code came a second time",
    }
}
