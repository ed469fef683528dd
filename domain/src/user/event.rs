//! What can have happened to a user.

use std::net::IpAddr;

use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use super::factor::{Authenticator, FactorKind, FactorRemoval};
use super::two_factor::SecondStepMethod;
use super::username::Username;
use super::{IdentityData, SignUpMethod, TokenPurpose};
use crate::access::Roles;
use crate::catalogue::described;
use crate::{
    ChallengeId, Claim, ClaimChange, ClaimKind, Email, FactorId, FlowId, IdentityId, Metadata, PasskeyId,
    PasswordHash, Personal, Phone, SealedTokens, SessionId, Time, TokenHash, TotpSecret,
};

described! {
    /// An event of a user's stream. The `rename`s are the types in the log: a released one never changes
    /// its meaning; a new shape gets a new version in [`UserEvent::kind`] and an upcaster.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type")]
    pub enum UserEvent {
        /// An account came to be.
        #[serde(rename = "user.signed_up")]
        SignedUp {
            /// By whom and how.
            method: SignUpMethod,
            /// The audience it belongs to; may be empty.
            aud: String,
            /// The role that its access tokens carry; may be empty.
            role: String,
            /// Its address, not yet confirmed.
            email: Option<Personal<Email>>,
            /// Its number, not yet confirmed.
            phone: Option<Personal<Phone>>,
            /// Its password, where it has one.
            password: Option<Personal<PasswordHash>>,
            /// What the user may change.
            user_metadata: Personal<Metadata>,
            /// What only the application may change.
            app_metadata: Personal<Metadata>,
            /// Whether nobody is known behind it yet.
            anonymous: bool,
        },
        /// The address was shown to be the user's (or an administrator, or autoconfirm, said so); one-time
        /// tokens are void.
        #[serde(rename = "user.email_confirmed")]
        EmailConfirmed {},
        /// The number was shown to be the user's (or an administrator, or autoconfirm, said so); one-time
        /// tokens are void.
        #[serde(rename = "user.phone_confirmed")]
        PhoneConfirmed {},
        /// The user asked for another address; nothing changes until it is confirmed. One-time tokens for an
        /// earlier request are void.
        #[serde(rename = "user.email_change_requested")]
        EmailChangeRequested {
            /// The address asked for.
            new_email: Personal<Email>,
        },
        /// The address is another now, as confirmed as the one before; one-time tokens are void.
        #[serde(rename = "user.email_changed")]
        EmailChanged {
            /// The new address.
            email: Personal<Email>,
        },
        /// The address went with the identity that it came from, or came with a new one: it is that of an
        /// identity now, or none; one-time tokens are void.
        #[serde(rename = "user.email_adopted")]
        EmailAdopted {
            /// The address from now on.
            email: Option<Personal<Email>>,
            /// Whether the identity's provider vouches for it.
            confirmed: bool,
        },
        /// The user asked for another number; nothing changes until it is confirmed. One-time tokens for an
        /// earlier request are void.
        #[serde(rename = "user.phone_change_requested")]
        PhoneChangeRequested {
            /// The number asked for.
            new_phone: Personal<Phone>,
        },
        /// The number is another now, as confirmed as the one before; one-time tokens are void.
        #[serde(rename = "user.phone_changed")]
        PhoneChanged {
            /// The new number.
            phone: Personal<Phone>,
        },
        /// The user has no number any more; one-time tokens are void.
        #[serde(rename = "user.phone_removed")]
        PhoneRemoved {},
        /// A code and a link were made and are on their way.
        #[serde(rename = "user.one_time_token_issued")]
        OneTimeTokenIssued {
            /// What it is good for; the one before for the same purpose is void.
            purpose: TokenPurpose,
            /// Hash of the link's token; none where only a code was sent.
            link: Option<TokenHash>,
            /// Keyed hash of the code.
            code: TokenHash,
            /// The flow that its link goes on with: whoever began it fetches what comes of it with a code.
            flow: Option<FlowId>,
            /// When it was sent.
            sent_at: Time,
            /// From when on it is refused.
            expires_at: Time,
        },
        /// Somebody tried a wrong code; at the fifth the token is void, and after too many within a day no
        /// code for this purpose is taken.
        #[serde(rename = "user.one_time_token_missed")]
        OneTimeTokenMissed {
            /// Of the token for this purpose.
            purpose: TokenPurpose,
        },
        /// The code or link was used. Every one-time token of the user is void, except where it was one of
        /// the two for a change of address, or for a reauthentication: then only itself.
        #[serde(rename = "user.one_time_token_redeemed")]
        OneTimeTokenRedeemed {
            /// What it was good for.
            purpose: TokenPurpose,
        },
        /// The user has another password, or has one for the first time; one-time tokens are void.
        #[serde(rename = "user.password_changed")]
        PasswordChanged {
            /// The new password.
            password: Personal<PasswordHash>,
        },
        /// The same password, stored under today's hash function.
        #[serde(rename = "user.password_rehashed")]
        PasswordRehashed {
            /// The new hash.
            password: Personal<PasswordHash>,
        },
        /// The password is gone: it was set by somebody who had not shown that the address or number is
        /// theirs, and somebody else came or asked to come in by it.
        #[serde(rename = "user.password_removed")]
        PasswordRemoved {},
        /// The password opens nothing until whoever set it shows that it was they who confirmed the address.
        #[serde(rename = "user.password_withheld")]
        PasswordWithheld {},
        /// Whoever set the password has shown that the address is theirs: it opens the account again.
        #[serde(rename = "user.password_proven")]
        PasswordProven {},
        /// The owner of the address came, by a provider that vouches for it, before anybody had shown that it
        /// is theirs. What somebody else may have set up is gone: the password, one-time tokens, codes of
        /// sign-ins under way; identities are unlinked one by one.
        #[serde(rename = "user.reclaimed")]
        Reclaimed {},
        /// The user's own data changed.
        #[serde(rename = "user.metadata_changed")]
        MetadataChanged {
            /// Merged at the top level; `null` removes a key.
            patch: Personal<Metadata>,
        },
        /// The application's data on the user changed.
        #[serde(rename = "user.app_metadata_changed")]
        AppMetadataChanged {
            /// Merged at the top level; `null` removes a key.
            patch: Personal<Metadata>,
        },
        /// The user has another role.
        #[serde(rename = "user.role_changed")]
        RoleChanged {
            /// The new role.
            role: String,
        },
        /// The user is kept out.
        #[serde(rename = "user.banned")]
        Banned {
            /// Until then; for ever without.
            until: Option<Time>,
            /// Why, in the words of who did it.
            reason: Option<Personal<String>>,
        },
        /// The user may come in again.
        #[serde(rename = "user.unbanned")]
        Unbanned {},
        /// A way to sign in was added.
        #[serde(rename = "user.identity_linked")]
        IdentityLinked {
            /// The identity's id.
            identity: IdentityId,
            /// `email`, `phone`, `google` …
            provider: String,
            /// What the provider calls the user.
            provider_id: Personal<String>,
            /// What the provider tells of the user.
            data: Personal<Metadata>,
        },
        /// What the provider tells of the user changed.
        #[serde(rename = "user.identity_updated")]
        IdentityUpdated {
            /// The identity's id.
            identity: IdentityId,
            /// Replaces what was there.
            data: Personal<Metadata>,
            /// Whether the user came in by it just now.
            signed_in: bool,
        },
        /// A way to sign in was removed.
        #[serde(rename = "user.identity_unlinked")]
        IdentityUnlinked {
            /// The identity's id.
            identity: IdentityId,
            /// Its provider.
            provider: String,
            /// What the provider called the user.
            provider_id: Personal<String>,
        },
        /// What a provider handed out for calling it in the user's name is kept with the identity; what was
        /// kept before is void. It goes with the identity.
        #[serde(rename = "user.provider_tokens_kept")]
        ProviderTokensKept {
            /// The identity's id.
            identity: IdentityId,
            /// The tokens.
            tokens: Personal<SealedTokens>,
        },
        /// A second factor was added; it counts once it is verified.
        #[serde(rename = "user.factor_enrolled")]
        FactorEnrolled {
            /// The factor's id.
            factor: FactorId,
            /// What it is.
            kind: FactorKind,
            /// What the user calls it; may be empty.
            name: Personal<String>,
            /// The secret of an app.
            secret: Option<Personal<TotpSecret>>,
            /// The number of a phone.
            phone: Option<Personal<Phone>>,
            /// When.
            at: Time,
        },
        /// A second factor was asked to show itself.
        #[serde(rename = "user.factor_challenged")]
        FactorChallenged {
            /// The factor's id.
            factor: FactorId,
            /// The challenge's id.
            challenge: ChallengeId,
            /// The session that asked; only there is the answer taken.
            session: SessionId,
            /// The address that asked; only from there is the answer taken.
            ip: Option<Personal<IpAddr>>,
            /// Keyed hash of the code that was sent to a phone.
            code: Option<TokenHash>,
            /// When.
            at: Time,
            /// From when on no answer is taken.
            expires_at: Time,
        },
        /// The answer to a challenge was wrong; the challenge stays open. After five in a row answers have to
        /// wait, longer each time.
        #[serde(rename = "user.factor_challenge_missed")]
        FactorChallengeMissed {
            /// The factor's id.
            factor: FactorId,
            /// The challenge's id.
            challenge: ChallengeId,
            /// When.
            at: Time,
        },
        /// A second factor has shown itself; the challenge is closed.
        #[serde(rename = "user.factor_verified")]
        FactorVerified {
            /// The factor's id.
            factor: FactorId,
            /// The challenge's id.
            challenge: ChallengeId,
            /// The session that is surer now.
            session: SessionId,
            /// The time step of an app's code: neither it nor an older one is taken again.
            step: Option<u64>,
            /// The key of an authenticator, with its counter as it is now.
            authenticator: Option<Personal<Authenticator>>,
            /// When.
            at: Time,
        },
        /// A second factor is called something else.
        #[serde(rename = "user.factor_renamed")]
        FactorRenamed {
            /// The factor's id.
            factor: FactorId,
            /// The name; may be empty.
            name: Personal<String>,
        },
        /// A phone that is a second factor has another number; codes that are on their way are void.
        #[serde(rename = "user.factor_phone_changed")]
        FactorPhoneChanged {
            /// The factor's id.
            factor: FactorId,
            /// The number.
            phone: Personal<Phone>,
        },
        /// A second factor is gone.
        #[serde(rename = "user.factor_removed")]
        FactorRemoved {
            /// The factor's id.
            factor: FactorId,
            /// What it was.
            kind: FactorKind,
            /// Why.
            reason: FactorRemoval,
        },
        /// An authenticator may sign in without a password.
        #[serde(rename = "user.passkey_added")]
        PasskeyAdded {
            /// The passkey's id.
            passkey: PasskeyId,
            /// What it is called.
            name: Personal<String>,
            /// Its key.
            authenticator: Personal<Authenticator>,
        },
        /// A passkey signed in.
        #[serde(rename = "user.passkey_used")]
        PasskeyUsed {
            /// The passkey's id.
            passkey: PasskeyId,
            /// Its key, with its counter as it is now.
            authenticator: Personal<Authenticator>,
            /// When.
            at: Time,
        },
        /// A passkey is called something else.
        #[serde(rename = "user.passkey_renamed")]
        PasskeyRenamed {
            /// The passkey's id.
            passkey: PasskeyId,
            /// The name.
            name: Personal<String>,
        },
        /// A passkey signs in no more.
        #[serde(rename = "user.passkey_removed")]
        PasskeyRemoved {
            /// The passkey's id.
            passkey: PasskeyId,
            /// The id that the authenticator gave the key.
            credential_id: Personal<String>,
        },
        /// The user has other roles among those who administer users.
        #[serde(rename = "user.admin_roles_changed")]
        AdminRolesChanged {
            /// All of them from now on.
            roles: Roles,
        },
        /// The user has another name to sign in by, or to be shown by, or none any more.
        #[serde(rename = "user.username_changed")]
        UsernameChanged {
            /// To sign in by.
            username: Option<Personal<Username>>,
            /// To be shown by.
            display_username: Option<Personal<String>>,
        },
        /// Codes by mail are a second factor of the account.
        #[serde(rename = "user.mail_factor_enabled")]
        MailFactorEnabled {},
        /// Nothing but the password is asked for any more: backup codes, trusted devices and sign-ins that
        /// waited are void. Factors are removed one by one.
        #[serde(rename = "user.two_factor_disabled")]
        TwoFactorDisabled {},
        /// Codes to write down were made; those before are void.
        #[serde(rename = "user.backup_codes_issued")]
        BackupCodesIssued {
            /// Their keyed hashes.
            codes: Vec<TokenHash>,
        },
        /// The password was right, and a second step is to follow.
        #[serde(rename = "user.second_step_begun")]
        SecondStepBegun {
            /// The id of the sign-in.
            step: ChallengeId,
            /// When.
            at: Time,
            /// From when on it counts for nothing.
            expires_at: Time,
        },
        /// A code for a second step was made and is on its way; the one before for the same step is void.
        #[serde(rename = "user.second_step_code_sent")]
        SecondStepCodeSent {
            /// The id of the sign-in, or of the session.
            step: ChallengeId,
            /// Whether a sign-in waits for it; else somebody is signed in.
            of_sign_in: bool,
            /// Its keyed hash.
            code: TokenHash,
            /// When.
            at: Time,
            /// From when on it is refused.
            expires_at: Time,
        },
        /// The answer to a second step was wrong.
        #[serde(rename = "user.second_step_missed")]
        SecondStepMissed {
            /// The id of the sign-in, or of the session.
            step: ChallengeId,
            /// What was tried.
            method: SecondStepMethod,
            /// When.
            at: Time,
        },
        /// After too many wrong answers one more came: the mailed code is void, or the sign-in is over.
        #[serde(rename = "user.second_step_exhausted")]
        SecondStepExhausted {
            /// The id of the sign-in, or of the session.
            step: ChallengeId,
            /// What was tried.
            method: SecondStepMethod,
            /// When.
            at: Time,
        },
        /// The second step was taken; it is closed, and a backup code is used up.
        #[serde(rename = "user.second_step_taken")]
        SecondStepTaken {
            /// The id of the sign-in, or of the session.
            step: ChallengeId,
            /// The session that begins or that asked.
            session: SessionId,
            /// How.
            method: SecondStepMethod,
            /// The keyed hash of the backup code.
            backup_code: Option<TokenHash>,
            /// When.
            at: Time,
        },
        /// From a device the password is enough from now on.
        #[serde(rename = "user.device_trusted")]
        DeviceTrusted {
            /// The hash of what the device shows.
            device: TokenHash,
            /// The hash of what it showed so far, which is void.
            instead_of: Option<TokenHash>,
            /// When.
            at: Time,
            /// From when on it is trusted no more.
            expires_at: Time,
        },
        /// The account is closed and its addresses are free again; the row stays, without them.
        #[serde(rename = "user.deleted")]
        Deleted {
            /// A one-way value that stands where the address stood.
            email_digest: String,
            /// A one-way value that stands where the number stood.
            phone_digest: String,
            /// The same for what each identity's provider calls the user.
            identities: Vec<(IdentityId, String)>,
        },
        /// The person is forgotten: rows are gone, and their key is destroyed.
        #[serde(rename = "user.erased")]
        Erased {},
    }
}

impl UserEvent {
    /// Name and version in the log. A released pair never changes.
    pub const fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::SignedUp { .. } => ("user.signed_up", "1.0"),
            Self::EmailConfirmed {} => ("user.email_confirmed", "1.0"),
            Self::PhoneConfirmed {} => ("user.phone_confirmed", "1.0"),
            Self::EmailChangeRequested { .. } => ("user.email_change_requested", "1.0"),
            Self::EmailChanged { .. } => ("user.email_changed", "1.0"),
            Self::EmailAdopted { .. } => ("user.email_adopted", "1.0"),
            Self::PhoneRemoved {} => ("user.phone_removed", "1.0"),
            Self::Reclaimed {} => ("user.reclaimed", "1.0"),
            Self::PhoneChangeRequested { .. } => ("user.phone_change_requested", "1.0"),
            Self::PhoneChanged { .. } => ("user.phone_changed", "1.0"),
            Self::OneTimeTokenIssued { .. } => ("user.one_time_token_issued", "1.0"),
            Self::OneTimeTokenMissed { .. } => ("user.one_time_token_missed", "1.0"),
            Self::OneTimeTokenRedeemed { .. } => ("user.one_time_token_redeemed", "1.0"),
            Self::PasswordChanged { .. } => ("user.password_changed", "1.0"),
            Self::PasswordRehashed { .. } => ("user.password_rehashed", "1.0"),
            Self::PasswordRemoved {} => ("user.password_removed", "1.0"),
            Self::PasswordWithheld {} => ("user.password_withheld", "1.0"),
            Self::PasswordProven {} => ("user.password_proven", "1.0"),
            Self::MetadataChanged { .. } => ("user.metadata_changed", "1.0"),
            Self::AppMetadataChanged { .. } => ("user.app_metadata_changed", "1.0"),
            Self::RoleChanged { .. } => ("user.role_changed", "1.0"),
            Self::Banned { .. } => ("user.banned", "2.0"),
            Self::Unbanned {} => ("user.unbanned", "1.0"),
            Self::IdentityLinked { .. } => ("user.identity_linked", "1.0"),
            Self::IdentityUpdated { .. } => ("user.identity_updated", "1.0"),
            Self::IdentityUnlinked { .. } => ("user.identity_unlinked", "1.0"),
            Self::ProviderTokensKept { .. } => ("user.provider_tokens_kept", "1.0"),
            Self::FactorEnrolled { .. } => ("user.factor_enrolled", "1.0"),
            Self::FactorChallenged { .. } => ("user.factor_challenged", "1.0"),
            Self::FactorChallengeMissed { .. } => ("user.factor_challenge_missed", "1.0"),
            Self::FactorVerified { .. } => ("user.factor_verified", "1.0"),
            Self::FactorRenamed { .. } => ("user.factor_renamed", "1.0"),
            Self::FactorPhoneChanged { .. } => ("user.factor_phone_changed", "1.0"),
            Self::FactorRemoved { .. } => ("user.factor_removed", "1.0"),
            Self::PasskeyAdded { .. } => ("user.passkey_added", "1.0"),
            Self::PasskeyUsed { .. } => ("user.passkey_used", "1.0"),
            Self::PasskeyRenamed { .. } => ("user.passkey_renamed", "1.0"),
            Self::PasskeyRemoved { .. } => ("user.passkey_removed", "1.0"),
            Self::AdminRolesChanged { .. } => ("user.admin_roles_changed", "1.0"),
            Self::UsernameChanged { .. } => ("user.username_changed", "1.0"),
            Self::MailFactorEnabled {} => ("user.mail_factor_enabled", "1.0"),
            Self::TwoFactorDisabled {} => ("user.two_factor_disabled", "1.0"),
            Self::BackupCodesIssued { .. } => ("user.backup_codes_issued", "1.0"),
            Self::SecondStepBegun { .. } => ("user.second_step_begun", "1.0"),
            Self::SecondStepCodeSent { .. } => ("user.second_step_code_sent", "1.0"),
            Self::SecondStepMissed { .. } => ("user.second_step_missed", "1.0"),
            Self::SecondStepExhausted { .. } => ("user.second_step_exhausted", "1.0"),
            Self::SecondStepTaken { .. } => ("user.second_step_taken", "1.0"),
            Self::DeviceTrusted { .. } => ("user.device_trusted", "1.0"),
            Self::Deleted { .. } => ("user.deleted", "1.0"),
            Self::Erased {} => ("user.erased", "1.0"),
        }
    }

    /// What it does to the user's unique claims. A field that is erased claims nothing: who lost it
    /// gave everything back with the erasure.
    pub fn claims(&self) -> Vec<ClaimChange> {
        let email = |e: &Personal<Email>| {
            e.known().map(|e| ClaimChange::Take(Claim { kind: ClaimKind::Email, value: e.to_string() }))
        };
        let phone = |p: &Personal<Phone>| {
            p.known().map(|p| ClaimChange::Take(Claim { kind: ClaimKind::Phone, value: p.to_string() }))
        };
        match self {
            Self::SignedUp { email: e, phone: p, .. } => {
                e.as_ref().and_then(email).into_iter().chain(p.as_ref().and_then(phone)).collect()
            }
            Self::EmailChanged { email: e } | Self::EmailAdopted { email: Some(e), .. } => {
                email(e).into_iter().collect()
            }
            Self::PhoneChanged { phone: p } => phone(p).into_iter().collect(),
            Self::EmailAdopted { email: None, .. } => vec![ClaimChange::ReleaseKind(ClaimKind::Email)],
            Self::PhoneRemoved {} => vec![ClaimChange::ReleaseKind(ClaimKind::Phone)],
            Self::IdentityLinked { provider, provider_id, .. } => {
                identity_claim(provider, provider_id).map(ClaimChange::Take).into_iter().collect()
            }
            Self::IdentityUnlinked { provider, provider_id, .. } => {
                identity_claim(provider, provider_id).map(ClaimChange::Release).into_iter().collect()
            }
            Self::PasskeyAdded { authenticator, .. } => {
                let id = authenticator.known().map(|authenticator| &authenticator.credential_id);
                id.map(|id| ClaimChange::Take(passkey_claim(id))).into_iter().collect()
            }
            Self::PasskeyRemoved { credential_id, .. } => {
                let id = credential_id.known();
                id.map(|id| ClaimChange::Release(passkey_claim(id))).into_iter().collect()
            }
            Self::UsernameChanged { username: Some(name), .. } => {
                let name = name.known();
                name.map(|name| ClaimChange::Take(username_claim(name))).into_iter().collect()
            }
            Self::UsernameChanged { username: None, .. } => {
                vec![ClaimChange::ReleaseKind(ClaimKind::Username)]
            }
            Self::Deleted { .. } | Self::Erased {} => vec![ClaimChange::ReleaseAll],
            Self::EmailConfirmed {}
            | Self::PhoneConfirmed {}
            | Self::EmailChangeRequested { .. }
            | Self::PhoneChangeRequested { .. }
            | Self::OneTimeTokenIssued { .. }
            | Self::OneTimeTokenMissed { .. }
            | Self::OneTimeTokenRedeemed { .. }
            | Self::PasswordChanged { .. }
            | Self::PasswordRehashed { .. }
            | Self::PasswordRemoved {}
            | Self::PasswordWithheld {}
            | Self::PasswordProven {}
            | Self::Reclaimed {}
            | Self::MetadataChanged { .. }
            | Self::AppMetadataChanged { .. }
            | Self::RoleChanged { .. }
            | Self::Banned { .. }
            | Self::Unbanned {}
            | Self::IdentityUpdated { .. }
            | Self::ProviderTokensKept { .. }
            | Self::FactorEnrolled { .. }
            | Self::FactorChallenged { .. }
            | Self::FactorChallengeMissed { .. }
            | Self::FactorVerified { .. }
            | Self::FactorRenamed { .. }
            | Self::FactorPhoneChanged { .. }
            | Self::FactorRemoved { .. }
            | Self::PasskeyUsed { .. }
            | Self::PasskeyRenamed { .. }
            | Self::AdminRolesChanged { .. }
            | Self::MailFactorEnabled {}
            | Self::TwoFactorDisabled {}
            | Self::BackupCodesIssued { .. }
            | Self::SecondStepBegun { .. }
            | Self::SecondStepCodeSent { .. }
            | Self::SecondStepMissed { .. }
            | Self::SecondStepExhausted { .. }
            | Self::SecondStepTaken { .. }
            | Self::DeviceTrusted { .. } => Vec::new(),
        }
    }

    /// The event that links an identity.
    pub(super) fn linked(data: IdentityData) -> Self {
        Self::IdentityLinked {
            identity: data.id,
            provider: data.provider,
            provider_id: data.provider_id.into(),
            data: data.data.into(),
        }
    }
}

fn identity_claim(provider: &str, provider_id: &Personal<String>) -> Option<Claim> {
    let id = provider_id.known()?;
    Some(Claim { kind: ClaimKind::Identity, value: format!("{provider}:{id}") })
}

/// The claim on a name to sign in by.
pub fn username_claim(name: &Username) -> Claim {
    Claim { kind: ClaimKind::Username, value: name.as_str().to_owned() }
}

/// The claim on a passkey, by the id that its authenticator gave it: no two accounts share one.
pub fn passkey_claim(credential_id: &str) -> Claim {
    Claim { kind: ClaimKind::Passkey, value: credential_id.to_owned() }
}

impl DomainEvent for UserEvent {
    fn event_type(&self) -> String {
        self.kind().0.to_owned()
    }

    fn event_version(&self) -> String {
        self.kind().1.to_owned()
    }
}
