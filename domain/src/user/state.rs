//! What the rules need to know of a user, folded from the user's events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::factor::Factors;
use super::passkey::{self, Passkey};
use super::two_factor::TwoFactor;
use super::username::Username;
use super::{SignUpMethod, TokenPurpose, UserEvent};
use crate::access::Roles;
use crate::{
    Email, FlowId, IdentityId, Metadata, PasswordHash, Personal, Phone, SealedTokens, Time, TokenHash,
};

/// Wrong codes after which a one-time token is void.
pub const MAX_MISSES: u32 = 5;

/// Wrong codes for a purpose within a day, over all its tokens, after which none is taken any more until
/// the day is over. Links go on being good.
pub const MAX_MISSES_A_DAY: u32 = 50;

/// How long wrong codes are counted together.
const GUESSES_COUNT_FOR: chrono::TimeDelta = chrono::TimeDelta::days(1);

/// A user's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum User {
    /// No event yet: the only state in which signing up is possible.
    #[default]
    Absent,
    /// An account that can be used, unless it is banned.
    Active(Box<Account>),
    /// Closed: the row is there, nobody can come in, the addresses are free.
    Deleted,
    /// The personal data are gone, the id stays taken.
    Erased,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// The audience.
    pub aud: String,
    /// The role.
    pub role: String,
    /// Address.
    pub email: Option<Contact<Email>>,
    /// Number.
    pub phone: Option<Contact<Phone>>,
    /// The address that the user asked for.
    pub new_email: Option<Email>,
    /// Which of the two sides of an e-mail change have agreed, and whether the current one has to.
    pub email_change: EmailChangeState,
    /// The number that the user asked for, and whether its owner has agreed.
    pub new_phone: Option<Contact<Phone>>,
    /// Whether nobody is known behind it.
    pub anonymous: bool,
    /// The password's hash; none where the user has no password.
    pub password: Option<PasswordHash>,
    /// How often what ends the user's sessions has happened: another password, a ban. A code that was
    /// made before is void.
    pub credentials: u64,
    /// Whether the password was set by somebody who had not shown that the address or number is theirs.
    pub has_unproven_password: bool,
    /// A password that opens nothing: the address is confirmed, and whether by who set it is still to be
    /// shown.
    pub withheld_password: Option<PasswordHash>,
    /// The user's own data.
    pub user_metadata: Metadata,
    /// The application's data.
    pub app_metadata: Metadata,
    /// The last ban, over or not.
    pub ban: Option<Ban>,
    /// The ways to sign in, oldest first.
    pub identities: Vec<IdentityState>,
    /// The codes and links that are alive.
    pub tokens: BTreeMap<TokenPurpose, OneTimeToken>,
    /// Wrong codes of late, over all tokens of a purpose.
    pub guesses: BTreeMap<TokenPurpose, Guesses>,
    /// When a message of a purpose was last sent.
    pub last_sent: BTreeMap<TokenPurpose, Time>,
    /// The second factors.
    pub factors: Factors,
    /// The passkeys, oldest first.
    pub passkeys: Vec<Passkey>,
    /// What second steps of sign-ins need besides.
    pub two_factor: TwoFactor,
    /// The roles among those who administer users; none were given: the default ones.
    pub admin_roles: Option<Roles>,
    /// The name to sign in by.
    pub username: Option<Username>,
    /// The name to be shown by.
    pub display_username: Option<String>,
}

/// An address or number, and whether it is known to be the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact<T> {
    /// The address or number.
    pub value: T,
    /// Whether it is confirmed.
    pub confirmed: bool,
}

/// How far an e-mail change has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailChangeState {
    /// The current address was asked too.
    pub asks_current: bool,
    /// The new address has agreed.
    pub new_agreed: bool,
    /// The current address has agreed.
    pub current_agreed: bool,
}

/// A ban.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Until then; for ever without.
    pub until: Option<Time>,
}

/// A linked identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityState {
    /// Its id.
    pub id: IdentityId,
    /// Its provider.
    pub provider: String,
    /// What the provider calls the user.
    pub provider_id: String,
    /// What the provider tells of the user.
    pub data: Metadata,
    /// What the provider handed out for calling it, where that is kept.
    pub tokens: Option<SealedTokens>,
}

/// A code and a link that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeToken {
    /// Hash of the link's token.
    pub link: Option<TokenHash>,
    /// Keyed hash of the code.
    pub code: TokenHash,
    /// The flow that the link goes on with.
    pub flow: Option<FlowId>,
    /// From when on it is refused.
    pub expires_at: Time,
    /// Wrong codes tried so far.
    pub misses: u32,
}

/// Wrong codes that were tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guesses {
    /// How many.
    pub count: u32,
    /// When the token was sent at which the count began.
    pub since: Time,
}

impl Account {
    /// Whether codes of a purpose are taken: they are not while somebody guesses at them.
    pub(super) fn may_be_typed(&self, purpose: TokenPurpose) -> bool {
        self.guesses.get(&purpose).is_none_or(|guesses| guesses.count < MAX_MISSES_A_DAY)
    }

    /// Whether the user is kept out at a moment.
    pub fn is_banned(&self, now: Time) -> bool {
        self.ban.is_some_and(|ban| ban.until.is_none_or(|until| until > now))
    }
}

impl User {
    /// The account, where it can be used.
    pub fn account(&self) -> Option<&Account> {
        match self {
            Self::Active(account) => Some(account),
            Self::Absent | Self::Deleted | Self::Erased => None,
        }
    }

    /// Takes in what happened. Never fails: what was committed has happened. A field that is sealed
    /// or erased is taken as not there.
    pub fn fold(&mut self, event: &UserEvent) {
        match (&mut *self, event) {
            (_, UserEvent::Erased {}) => *self = Self::Erased,
            (_, UserEvent::Deleted { .. }) => *self = Self::Deleted,
            (
                _,
                UserEvent::SignedUp {
                    method,
                    aud,
                    role,
                    email,
                    phone,
                    password,
                    user_metadata,
                    app_metadata,
                    anonymous,
                },
            ) => {
                *self = Self::Active(Box::new(Account {
                    aud: aud.clone(),
                    role: role.clone(),
                    email: email.as_ref().and_then(contact),
                    phone: phone.as_ref().and_then(contact),
                    new_email: None,
                    email_change: EmailChangeState::default(),
                    new_phone: None,
                    anonymous: *anonymous,
                    password: password.as_ref().and_then(Personal::known).cloned(),
                    credentials: 0,
                    withheld_password: None,
                    has_unproven_password: *method == SignUpMethod::Password && password.is_some(),
                    user_metadata: user_metadata.known().cloned().unwrap_or_default(),
                    app_metadata: app_metadata.known().cloned().unwrap_or_default(),
                    ban: None,
                    identities: Vec::new(),
                    tokens: BTreeMap::new(),
                    guesses: BTreeMap::new(),
                    last_sent: BTreeMap::new(),
                    factors: Factors::default(),
                    passkeys: Vec::new(),
                    two_factor: TwoFactor::default(),
                    admin_roles: None,
                    username: None,
                    display_username: None,
                }));
            }
            (Self::Active(account), event) => account.fold(event),
            (Self::Absent | Self::Deleted | Self::Erased, _) => {}
        }
    }
}

fn contact<T: Clone>(value: &Personal<T>) -> Option<Contact<T>> {
    value.known().map(|value| Contact { value: value.clone(), confirmed: false })
}

impl Account {
    fn fold(&mut self, event: &UserEvent) {
        self.two_factor.fold(event);
        match event {
            UserEvent::EmailConfirmed {} => {
                if let Some(email) = &mut self.email {
                    email.confirmed = true;
                    self.anonymous = false;
                    self.has_unproven_password = false;
                }
                self.tokens.clear();
            }
            UserEvent::PhoneConfirmed {} => {
                if let Some(phone) = &mut self.phone {
                    phone.confirmed = true;
                    self.anonymous = false;
                    self.has_unproven_password = false;
                }
                self.tokens.clear();
            }
            UserEvent::EmailChangeRequested { new_email } => {
                self.new_email = new_email.known().cloned();
                self.email_change = EmailChangeState::default();
                // A code that went to another address must not confirm this one.
                self.tokens.remove(&TokenPurpose::EmailChangeNew);
                self.tokens.remove(&TokenPurpose::EmailChangeCurrent);
            }
            UserEvent::EmailChanged { email } => {
                let confirmed = self.email.as_ref().is_some_and(|e| e.confirmed);
                self.email = email.known().map(|value| Contact { value: value.clone(), confirmed });
                self.new_email = None;
                self.email_change = EmailChangeState::default();
                // Whoever reads the old address must not come in by it, nor confirm the new one.
                self.tokens.clear();
            }
            UserEvent::EmailAdopted { email, confirmed } => {
                let email = email.as_ref().and_then(Personal::known).cloned();
                self.anonymous &= !(email.is_some() && *confirmed);
                self.email = email.map(|value| Contact { value, confirmed: *confirmed });
                self.new_email = None;
                self.email_change = EmailChangeState::default();
                self.tokens.clear();
            }
            UserEvent::PhoneRemoved {} => {
                self.phone = None;
                self.new_phone = None;
                self.tokens.clear();
            }
            UserEvent::PhoneChangeRequested { new_phone } => {
                self.new_phone = contact(new_phone);
                self.tokens.remove(&TokenPurpose::PhoneChange);
            }
            UserEvent::PhoneChanged { phone } => {
                let confirmed = self.phone.as_ref().is_some_and(|p| p.confirmed);
                self.phone = phone.known().map(|value| Contact { value: value.clone(), confirmed });
                self.new_phone = None;
                self.tokens.clear();
            }
            UserEvent::OneTimeTokenIssued { purpose, link, code, flow, sent_at, expires_at } => {
                let token = OneTimeToken {
                    link: link.clone(),
                    code: code.clone(),
                    flow: *flow,
                    expires_at: *expires_at,
                    misses: 0,
                };
                self.tokens.insert(*purpose, token);
                if *purpose == TokenPurpose::Invitation {
                    // Whoever signed up by the address before may not be whom the invitation is for.
                    self.tokens.remove(&TokenPurpose::EmailConfirmation);
                }
                let fresh = Guesses { count: 0, since: *sent_at };
                let guesses = self.guesses.entry(*purpose).or_insert(fresh);
                if *sent_at - guesses.since >= GUESSES_COUNT_FOR {
                    *guesses = fresh;
                }
                self.email_change.asks_current |= *purpose == TokenPurpose::EmailChangeCurrent;
                self.last_sent.insert(*purpose, *sent_at);
            }
            UserEvent::OneTimeTokenMissed { purpose } => {
                if let Some(guesses) = self.guesses.get_mut(purpose) {
                    guesses.count = guesses.count.saturating_add(1);
                }
                if let Some(token) = self.tokens.get_mut(purpose) {
                    token.misses += 1;
                    if token.misses >= MAX_MISSES {
                        self.tokens.remove(purpose);
                    }
                }
            }
            UserEvent::OneTimeTokenRedeemed { purpose } => {
                self.guesses.remove(purpose);
                self.email_change.new_agreed |= *purpose == TokenPurpose::EmailChangeNew;
                self.email_change.current_agreed |= *purpose == TokenPurpose::EmailChangeCurrent;
                if let (TokenPurpose::PhoneChange, Some(phone)) = (purpose, &mut self.new_phone) {
                    phone.confirmed = true;
                }
                if purpose.is_one_step_of_several() {
                    self.tokens.remove(purpose);
                } else {
                    self.tokens.clear();
                }
            }
            UserEvent::PasswordChanged { password } => {
                self.password = password.known().cloned();
                // Nobody knows yet who an anonymous user is.
                self.has_unproven_password = self.anonymous;
                self.withheld_password = None;
                self.credentials = self.credentials.saturating_add(1);
                self.tokens.clear();
                self.last_sent.clear();
            }
            UserEvent::Reclaimed {} => {
                self.password = None;
                self.has_unproven_password = false;
                self.withheld_password = None;
                self.credentials = self.credentials.saturating_add(1);
                self.tokens.clear();
            }
            UserEvent::PasswordRehashed { password } => self.password = password.known().cloned(),
            UserEvent::PasswordRemoved {} => {
                self.password = None;
                self.has_unproven_password = false;
                self.withheld_password = None;
            }
            UserEvent::PasswordWithheld {} => {
                self.withheld_password = self.password.take();
                self.has_unproven_password = false;
            }
            UserEvent::PasswordProven {} => self.password = self.withheld_password.take(),
            UserEvent::MetadataChanged { patch } => {
                if let Some(patch) = patch.known() {
                    self.user_metadata = std::mem::take(&mut self.user_metadata).merged(patch);
                }
            }
            UserEvent::AppMetadataChanged { patch } => {
                if let Some(patch) = patch.known() {
                    self.app_metadata = std::mem::take(&mut self.app_metadata).merged(patch);
                }
            }
            UserEvent::RoleChanged { role } => self.role.clone_from(role),
            UserEvent::Banned { until, .. } => {
                self.ban = Some(Ban { until: *until });
                self.credentials = self.credentials.saturating_add(1);
            }
            UserEvent::Unbanned {} => self.ban = None,
            UserEvent::IdentityLinked { identity, provider, provider_id, data } => {
                self.identities.push(IdentityState {
                    id: *identity,
                    provider: provider.clone(),
                    provider_id: provider_id.known().cloned().unwrap_or_default(),
                    data: data.known().cloned().unwrap_or_default(),
                    tokens: None,
                });
            }
            UserEvent::IdentityUpdated { identity, data, .. } => {
                if let Some(known) = self.identities.iter_mut().find(|i| i.id == *identity) {
                    known.data = data.known().cloned().unwrap_or_default();
                }
            }
            UserEvent::ProviderTokensKept { identity, tokens } => {
                if let Some(known) = self.identities.iter_mut().find(|i| i.id == *identity) {
                    known.tokens = tokens.known().cloned();
                }
            }
            UserEvent::IdentityUnlinked { identity, .. } => self.identities.retain(|i| i.id != *identity),
            UserEvent::FactorEnrolled { .. }
            | UserEvent::FactorChallenged { .. }
            | UserEvent::FactorChallengeMissed { .. }
            | UserEvent::FactorVerified { .. }
            | UserEvent::FactorRenamed { .. }
            | UserEvent::FactorPhoneChanged { .. }
            | UserEvent::FactorRemoved { .. }
            | UserEvent::SecondStepMissed { .. }
            | UserEvent::SecondStepTaken { .. } => self.factors.fold(event),
            UserEvent::PasskeyAdded { .. }
            | UserEvent::PasskeyUsed { .. }
            | UserEvent::PasskeyRenamed { .. }
            | UserEvent::PasskeyRemoved { .. } => passkey::fold(&mut self.passkeys, event),
            UserEvent::AdminRolesChanged { roles } => self.admin_roles = Some(roles.clone()),
            UserEvent::UsernameChanged { username, display_username } => {
                self.username = username.as_ref().and_then(Personal::known).cloned();
                self.display_username = display_username.as_ref().and_then(Personal::known).cloned();
            }
            UserEvent::MailFactorEnabled {}
            | UserEvent::TwoFactorDisabled {}
            | UserEvent::BackupCodesIssued { .. }
            | UserEvent::SecondStepBegun { .. }
            | UserEvent::SecondStepCodeSent { .. }
            | UserEvent::SecondStepExhausted { .. }
            | UserEvent::DeviceTrusted { .. }
            | UserEvent::SignedUp { .. }
            | UserEvent::Deleted { .. }
            | UserEvent::Erased {} => {}
        }
    }

    /// The identity of a provider, where one is linked.
    pub fn identity(&self, provider: &str) -> Option<&IdentityState> {
        self.identities.iter().find(|identity| identity.provider == provider)
    }
}
