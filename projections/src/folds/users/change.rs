//! What each event does to the row.

use chrono::DateTime;
use evident_domain::user::{SignUpMethod, TokenPurpose, UserEvent};
use evident_domain::{Actor, Metadata, Personal, Recorded, Time, UserId};

use super::factors;
use super::row::{UserRow, searchable};

/// The end of a ban without end: the last second of the year 9999, as far as RFC 3339 goes.
const FOR_EVER: i64 = 253_402_300_799_000_000;

impl UserRow {
    /// A row for an event that begins an account.
    pub(super) fn new(event: &Recorded, signed_up: &UserEvent) -> Option<Self> {
        let UserEvent::SignedUp {
            method,
            aud,
            role,
            email,
            phone,
            password,
            user_metadata,
            app_metadata,
            anonymous,
        } = signed_up
        else {
            return None;
        };
        let at = event.occurred_at;
        let mut row = Self {
            id: UserId(event.stream.id),
            aud: aud.clone(),
            role: role.clone(),
            email: email.as_ref().and_then(Personal::known).map(ToString::to_string),
            email_confirmed_at: None,
            invited_at: (*method == SignUpMethod::Invited).then_some(at),
            phone: phone.as_ref().and_then(Personal::known).map(ToString::to_string),
            phone_confirmed_at: None,
            confirmation_sent_at: None,
            recovery_sent_at: None,
            new_email: None,
            email_change_sent_at: None,
            new_phone: None,
            phone_change_sent_at: None,
            reauthentication_sent_at: None,
            last_sign_in_at: None,
            app_metadata: json_text(app_metadata.known()),
            user_metadata: json_text(user_metadata.known()),
            created_at: at,
            updated_at: at,
            banned_until: None,
            ban_reason: None,
            deleted_at: None,
            is_anonymous: *anonymous,
            has_password: password.is_some(),
            search: String::new(),
            factors: Vec::new(),
            passkeys: Vec::new(),
            admin_roles: None,
            username: None,
            display_username: None,
            name: String::new(),
            mail_factor: false,
            two_factor: false,
        };
        row.index();
        Some(row)
    }

    /// Renews what lists search in.
    fn index(&mut self) {
        let email = searchable(self.email.as_deref().unwrap_or_default());
        let metadata = self.user_metadata();
        let name = searchable(metadata.text("full_name").unwrap_or_default());
        self.search = format!("{email}\n{name}");
        self.name = searchable(metadata.text("name").unwrap_or_default());
    }

    /// Takes in an event of the user's own stream that follows the first.
    pub(super) fn follow(&mut self, event: &UserEvent, at: Time, actor: &Actor) {
        match event {
            UserEvent::EmailConfirmed {} => {
                // An administrator confirms anew; whoever proves a changed address stays confirmed.
                let anew = match actor {
                    Actor::Admin { .. } | Actor::Operator => true,
                    Actor::User { .. } | Actor::Impersonator { .. } | Actor::Visitor | Actor::System => false,
                };
                if anew || self.email_confirmed_at.is_none() {
                    self.email_confirmed_at = Some(at);
                }
                self.is_anonymous &= self.email.is_none();
            }
            UserEvent::PhoneConfirmed {} => {
                self.phone_confirmed_at = Some(at);
                self.is_anonymous &= self.phone.is_none();
            }
            UserEvent::EmailChangeRequested { new_email } => {
                self.new_email = new_email.known().map(ToString::to_string);
            }
            UserEvent::EmailChanged { email } => {
                self.email = email.known().map(ToString::to_string);
                self.new_email = None;
                self.index();
            }
            UserEvent::PhoneChangeRequested { new_phone } => {
                self.new_phone = new_phone.known().map(ToString::to_string);
            }
            UserEvent::PhoneChanged { phone } => {
                self.phone = phone.known().map(ToString::to_string);
                self.new_phone = None;
            }
            UserEvent::EmailAdopted { email, confirmed } => {
                self.email = email.as_ref().and_then(Personal::known).map(ToString::to_string);
                self.new_email = None;
                let confirmed = *confirmed && self.email.is_some();
                self.email_confirmed_at = confirmed.then(|| self.email_confirmed_at.unwrap_or(at));
                self.is_anonymous &= !confirmed;
                self.index();
            }
            UserEvent::PhoneRemoved {} => {
                self.phone = None;
                self.new_phone = None;
                self.phone_confirmed_at = None;
            }
            UserEvent::OneTimeTokenIssued { purpose, sent_at, .. } => self.sent(*purpose, *sent_at),
            UserEvent::PasswordChanged { .. } => {
                self.has_password = true;
                self.confirmation_sent_at = None;
                self.recovery_sent_at = None;
                self.email_change_sent_at = None;
                self.phone_change_sent_at = None;
                self.reauthentication_sent_at = None;
            }
            UserEvent::PasswordRehashed { .. } | UserEvent::PasswordProven {} => self.has_password = true,
            UserEvent::PasswordRemoved {} | UserEvent::PasswordWithheld {} | UserEvent::Reclaimed {} => {
                self.has_password = false;
            }
            UserEvent::MetadataChanged { patch } => {
                self.user_metadata = patched(&self.user_metadata, patch.known());
                self.index();
            }
            UserEvent::AppMetadataChanged { patch } => {
                self.app_metadata = patched(&self.app_metadata, patch.known());
            }
            UserEvent::RoleChanged { role } => self.role.clone_from(role),
            UserEvent::Banned { until, reason } => {
                self.banned_until = until.or_else(|| DateTime::from_timestamp_micros(FOR_EVER));
                self.ban_reason = reason.as_ref().and_then(Personal::known).cloned();
            }
            UserEvent::Unbanned {} => {
                self.banned_until = None;
                self.ban_reason = None;
            }
            UserEvent::Deleted { email_digest, phone_digest, .. } => {
                // When things were confirmed and sent, the role and the last sign-in stay.
                let filled = |digest: &String| (!digest.is_empty()).then(|| digest.clone());
                self.email = filled(email_digest);
                self.phone = filled(phone_digest);
                self.new_email = None;
                self.new_phone = None;
                self.ban_reason = None;
                self.has_password = false;
                self.app_metadata = json_text(None);
                self.user_metadata = json_text(None);
                self.factors.clear();
                self.passkeys.clear();
                self.username = None;
                self.display_username = None;
                self.mail_factor = false;
                self.secure();
                self.deleted_at = Some(at);
                self.index();
            }
            // Their tokens are no column.
            UserEvent::OneTimeTokenRedeemed { .. } => {}
            UserEvent::FactorVerified { .. } => {
                factors::follow(&mut self.factors, event, at);
                self.secure();
            }
            UserEvent::FactorEnrolled { .. }
            | UserEvent::FactorChallenged { .. }
            | UserEvent::FactorRenamed { .. }
            | UserEvent::FactorPhoneChanged { .. }
            | UserEvent::FactorRemoved { .. } => {
                factors::follow(&mut self.factors, event, at);
                return self.secure();
            }
            UserEvent::MailFactorEnabled {} => {
                self.mail_factor = true;
                self.secure();
            }
            UserEvent::TwoFactorDisabled {} => {
                self.mail_factor = false;
                self.secure();
            }
            UserEvent::AdminRolesChanged { roles } => self.admin_roles = Some(roles.to_string()),
            UserEvent::UsernameChanged { username, display_username } => {
                let name = username.as_ref().and_then(Personal::known);
                self.username = name.map(|name| name.as_str().to_owned());
                self.display_username = display_username.as_ref().and_then(Personal::known).cloned();
            }
            UserEvent::PasskeyAdded { .. }
            | UserEvent::PasskeyUsed { .. }
            | UserEvent::PasskeyRenamed { .. }
            | UserEvent::PasskeyRemoved { .. } => {
                return factors::follow_passkeys(&mut self.passkeys, event, at);
            }
            // These two end or begin a row, and the rest touches no user.
            UserEvent::SignedUp { .. }
            | UserEvent::Erased {}
            | UserEvent::OneTimeTokenMissed { .. }
            | UserEvent::FactorChallengeMissed { .. }
            | UserEvent::BackupCodesIssued { .. }
            | UserEvent::SecondStepBegun { .. }
            | UserEvent::SecondStepCodeSent { .. }
            | UserEvent::SecondStepMissed { .. }
            | UserEvent::SecondStepExhausted { .. }
            | UserEvent::SecondStepTaken { .. }
            | UserEvent::ProviderTokensKept { .. }
            | UserEvent::DeviceTrusted { .. }
            | UserEvent::IdentityLinked { .. }
            | UserEvent::IdentityUpdated { .. }
            | UserEvent::IdentityUnlinked { .. } => return,
        }
        self.updated_at = at;
    }

    /// Renews whether a second factor protects the account.
    fn secure(&mut self) {
        self.two_factor = self.mail_factor || self.factors.iter().any(|factor| factor.verified);
    }

    fn sent(&mut self, purpose: TokenPurpose, at: Time) {
        match purpose {
            TokenPurpose::EmailConfirmation | TokenPurpose::PhoneConfirmation => {
                self.confirmation_sent_at = Some(at);
            }
            TokenPurpose::Invitation => {
                self.invited_at = Some(at);
                self.confirmation_sent_at = Some(at);
            }
            TokenPurpose::Recovery => self.recovery_sent_at = Some(at),
            TokenPurpose::EmailChangeNew | TokenPurpose::EmailChangeCurrent => {
                self.email_change_sent_at = Some(at);
            }
            TokenPurpose::PhoneChange => self.phone_change_sent_at = Some(at),
            TokenPurpose::Reauthentication => self.reauthentication_sent_at = Some(at),
            TokenPurpose::AccountDeletion => {}
        }
    }
}

/// The text of a JSON object; `{}` where there is none or it cannot be read.
pub(in crate::folds) fn json_text(metadata: Option<&Metadata>) -> String {
    metadata.and_then(|metadata| serde_json::to_string(metadata).ok()).unwrap_or_else(|| "{}".to_owned())
}

fn patched(text: &str, patch: Option<&Metadata>) -> String {
    let Some(patch) = patch else { return text.to_owned() };
    let metadata: Metadata = serde_json::from_str(text).unwrap_or_default();
    json_text(Some(&metadata.merged(patch)))
}
