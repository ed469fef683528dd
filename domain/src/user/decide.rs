//! Every rule about a user. Sees only the user's own state and the command.

use super::command::{Agreement, Confirmed, SignUp, UnprovenPassword, UserCommand};
use super::state::{Account, EmailChangeState, IdentityState, User};
use super::{IdentityData, SignUpMethod, UserError, UserEvent, passkey};
use crate::{Email, IdentityId, Metadata, Phone, UserId};

impl User {
    /// What happens when a command is given; an empty list when there is nothing to do.
    ///
    /// # Errors
    /// The rule that says no.
    pub fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        match (self, command) {
            (Self::Absent, UserCommand::SignUp(sign_up)) => sign_up_events(*sign_up),
            (_, UserCommand::SignUp(_)) => Err(UserError::AlreadyExists),
            (Self::Active(account), command) => account.decide(command),
            (Self::Deleted, UserCommand::Erase) => Ok(vec![UserEvent::Erased {}]),
            (Self::Deleted, UserCommand::Delete { .. }) => Ok(Vec::new()),
            (Self::Absent | Self::Deleted | Self::Erased, _) => Err(UserError::NotFound),
        }
    }
}

impl IdentityState {
    pub(super) fn unlinked(&self) -> UserEvent {
        UserEvent::IdentityUnlinked {
            identity: self.id,
            provider: self.provider.clone(),
            provider_id: self.provider_id.clone().into(),
        }
    }

    /// Whether the other would be the same identity once more.
    fn clashes_with(&self, other: &IdentityData) -> bool {
        self.id == other.id || (self.provider == other.provider && self.provider_id == other.provider_id)
    }
}

fn sign_up_events(sign_up: SignUp) -> Result<Vec<UserEvent>, UserError> {
    let anonymous = sign_up.method == SignUpMethod::Anonymous;
    let by_admin = sign_up.method == SignUpMethod::Admin;
    // Some providers tell no address, or one that somebody else has.
    let needs_contact = !anonymous && sign_up.method != SignUpMethod::External;
    if needs_contact && sign_up.email.is_none() && sign_up.phone.is_none() {
        return Err(UserError::NoContact);
    }
    let confirms_email = matches!(sign_up.email, Some((_, Confirmed::Yes)));
    let confirms_phone = matches!(sign_up.phone, Some((_, Confirmed::Yes)));
    let signed_up = UserEvent::SignedUp {
        method: sign_up.method,
        aud: sign_up.aud,
        role: sign_up.role,
        email: sign_up.email.map(|(email, _)| email.into()),
        phone: sign_up.phone.map(|(phone, _)| phone.into()),
        password: sign_up.password.map(Into::into),
        user_metadata: sign_up.user_metadata.into(),
        app_metadata: sign_up.app_metadata.into(),
        anonymous,
    };
    let mut user = User::default();
    user.fold(&signed_up);
    let mut events = vec![signed_up];
    for identity in sign_up.identities {
        for event in user.decide(UserCommand::LinkIdentity(identity))? {
            user.fold(&event);
            events.push(event);
        }
    }
    if let User::Active(account) = &user {
        if confirms_email {
            let mut confirmation = account.email_confirmation();
            if by_admin {
                // An administrator vouches for the account; the identity shows only what was proven.
                confirmation.retain(|event| !matches!(event, UserEvent::IdentityUpdated { .. }));
            }
            events.extend(confirmation);
        }
        if confirms_phone {
            events.push(UserEvent::PhoneConfirmed {});
        }
    }
    Ok(events)
}

impl Account {
    fn decide(&self, command: UserCommand) -> Result<Vec<UserEvent>, UserError> {
        Ok(match command {
            UserCommand::SignUp(_) => return Err(UserError::AlreadyExists),
            UserCommand::ConfirmEmail => {
                self.email.as_ref().ok_or(UserError::NothingToConfirm)?;
                self.email_confirmation()
            }
            UserCommand::ConfirmPhone => {
                self.phone.as_ref().ok_or(UserError::NothingToConfirm)?;
                vec![UserEvent::PhoneConfirmed {}]
            }
            UserCommand::RequestEmailChange { new_email } => {
                if self.email.as_ref().is_some_and(|e| e.value == new_email) {
                    return Ok(Vec::new());
                }
                vec![UserEvent::EmailChangeRequested { new_email: new_email.into() }]
            }
            UserCommand::ChangeEmail { user, email, confirmed, new_identity } => {
                self.email_change(user, &email, confirmed, new_identity)?
            }
            UserCommand::RequestPhoneChange { new_phone } => {
                if self.phone.as_ref().is_some_and(|p| p.value == new_phone) {
                    return Ok(Vec::new());
                }
                vec![UserEvent::PhoneChangeRequested { new_phone: new_phone.into() }]
            }
            UserCommand::ChangePhone { user, phone, confirmed, new_identity } => {
                self.phone_change(user, &phone, confirmed, new_identity)?
            }
            UserCommand::IssueOneTimeToken {
                purpose,
                link,
                code,
                flow,
                now,
                expires_at,
                min_interval_seconds,
            } => {
                if let Some(seconds) = self.seconds_to_wait(purpose, now, min_interval_seconds) {
                    return Err(UserError::TooSoon { seconds });
                }
                vec![UserEvent::OneTimeTokenIssued { purpose, link, code, flow, sent_at: now, expires_at }]
            }
            UserCommand::Redeem { purposes, proof, password, now } => {
                self.redeem(&purposes, &proof, password, now)?
            }
            UserCommand::CompleteEmailChange { user, new_identity, agreement, password } => {
                self.complete_email_change(user, new_identity, agreement, password)?
            }
            UserCommand::CompletePhoneChange { user, new_identity, password } => match &self.new_phone {
                Some(phone) if phone.confirmed => {
                    let mut events = self.unproven_password(password);
                    events.extend(self.phone_change(user, &phone.value, Confirmed::Yes, new_identity)?);
                    if self.identity("phone").is_some() {
                        events.extend(self.provider_added("phone"));
                    }
                    events
                }
                Some(_) | None => Vec::new(),
            },
            UserCommand::ChangePassword { password } => {
                vec![UserEvent::PasswordChanged { password: password.into() }]
            }
            UserCommand::RehashPassword { password } => {
                if self.password.is_none() {
                    return Ok(Vec::new());
                }
                vec![UserEvent::PasswordRehashed { password: password.into() }]
            }
            UserCommand::RemovePassword { leaving } => self.without_password(leaving)?,
            UserCommand::RemoveUnprovenPassword => self.unproven_password(UnprovenPassword::Goes),
            UserCommand::ProvePassword => {
                if self.withheld_password.is_none() {
                    return Ok(Vec::new());
                }
                vec![UserEvent::PasswordProven {}]
            }
            UserCommand::ChangeMetadata { patch } => {
                if patch.is_empty() {
                    return Ok(Vec::new());
                }
                vec![UserEvent::MetadataChanged { patch: patch.into() }]
            }
            UserCommand::ChangeAppMetadata { patch } => {
                if patch.is_empty() {
                    return Ok(Vec::new());
                }
                vec![UserEvent::AppMetadataChanged { patch: patch.into() }]
            }
            UserCommand::ChangeRole { role } => {
                if self.role == role {
                    return Ok(Vec::new());
                }
                vec![UserEvent::RoleChanged { role }]
            }
            UserCommand::Ban { until, reason } => {
                if reason.is_none() && self.ban.is_some_and(|ban| ban.until == until) {
                    return Ok(Vec::new());
                }
                vec![UserEvent::Banned { until, reason: reason.map(Into::into) }]
            }
            UserCommand::Unban => {
                if self.ban.is_none() {
                    return Ok(Vec::new());
                }
                vec![UserEvent::Unbanned {}]
            }
            UserCommand::LinkIdentity(data) => {
                vec![self.link(data)?]
            }
            UserCommand::Arrive(arrival) => self.arrive(*arrival)?,
            UserCommand::AcceptInvitation { identity, now } => self.accept_invitation(identity, now)?,
            UserCommand::LinkByHand { identity, email } => self.link_by_hand(identity, email)?,
            UserCommand::UnlinkIdentity { identity, leaving, taken } => {
                self.unlink(identity, leaving, &taken)?
            }
            UserCommand::KeepProviderTokens { identity, tokens } => self.keep_tokens(identity, tokens)?,
            UserCommand::Factor(command) => self.factors.decide(command)?,
            UserCommand::Passkey(command) => {
                passkey::decide(&self.passkeys, self.factors.any_verified(), command)?
            }
            UserCommand::TwoFactor(command) => self.decide_two_factor(command)?,
            UserCommand::ChangeAdminRoles { roles } => {
                if self.admin_roles.as_ref() == Some(&roles) {
                    return Ok(Vec::new());
                }
                vec![UserEvent::AdminRolesChanged { roles }]
            }
            UserCommand::ChangeUsername { username, display_username } => {
                if self.username == username && self.display_username == display_username {
                    return Ok(Vec::new());
                }
                vec![UserEvent::UsernameChanged {
                    username: username.map(Into::into),
                    display_username: display_username.map(Into::into),
                }]
            }
            UserCommand::Delete { email_digest, phone_digest, identities } => {
                vec![UserEvent::Deleted { email_digest, phone_digest, identities }]
            }
            UserCommand::Erase => {
                let unlinked = self.identities.iter().map(IdentityState::unlinked);
                unlinked.chain([UserEvent::Erased {}]).collect()
            }
        })
    }

    /// The address is the user's: the identity and the user's data say so from now on.
    pub(super) fn email_confirmation(&self) -> Vec<UserEvent> {
        let mut events = vec![UserEvent::EmailConfirmed {}];
        if let Some(identity) = self.identity("email") {
            let data = identity.data.clone().with("email_verified", true);
            if data != identity.data {
                events.push(UserEvent::IdentityUpdated {
                    identity: identity.id,
                    data: data.into(),
                    signed_in: false,
                });
            }
        }
        if self.user_metadata.0.get("email_verified") != Some(&true.into()) {
            let patch = Metadata::default().with("email_verified", true);
            events.push(UserEvent::MetadataChanged { patch: patch.into() });
        }
        events
    }

    pub(super) fn link(&self, data: IdentityData) -> Result<UserEvent, UserError> {
        if self.identities.iter().any(|identity| identity.clashes_with(&data)) {
            return Err(UserError::IdentityAlreadyLinked);
        }
        Ok(UserEvent::linked(data))
    }

    fn email_change(
        &self,
        user: UserId,
        email: &Email,
        confirmed: Confirmed,
        new_identity: IdentityId,
    ) -> Result<Vec<UserEvent>, UserError> {
        let mut events = Vec::new();
        if self.email.as_ref().is_none_or(|e| e.value != *email) {
            events.push(UserEvent::EmailChanged { email: email.clone().into() });
            events.push(self.contact_identity(
                user,
                "email",
                email.as_str(),
                confirmed == Confirmed::Yes,
                new_identity,
            )?);
        }
        if events.iter().any(|event| matches!(event, UserEvent::IdentityLinked { .. })) {
            events.extend(self.provider_added("email"));
        }
        if confirmed == Confirmed::Yes {
            let mut after = self.clone();
            for event in &events {
                after.fold_event(event);
            }
            events.extend(after.email_confirmation());
        }
        Ok(events)
    }

    fn complete_email_change(
        &self,
        user: UserId,
        new_identity: IdentityId,
        agreement: Agreement,
        password: UnprovenPassword,
    ) -> Result<Vec<UserEvent>, UserError> {
        let EmailChangeState { asks_current, new_agreed, current_agreed } = self.email_change;
        let agreed = match agreement {
            Agreement::OfOne => new_agreed || current_agreed,
            Agreement::OfAll => new_agreed && (current_agreed || !asks_current),
        };
        let Some(email) = self.new_email.as_ref().filter(|_| agreed) else { return Ok(Vec::new()) };
        let mut events = self.unproven_password(password);
        events.push(UserEvent::EmailChanged { email: email.clone().into() });
        events.push(self.contact_identity(user, "email", email.as_str(), true, new_identity)?);
        if self.email.as_ref().is_none_or(|e| !e.confirmed) {
            events.push(UserEvent::EmailConfirmed {});
        }
        events.extend(self.provider_added("email"));
        Ok(events)
    }

    /// `app_metadata` names a provider that was added.
    fn provider_added(&self, provider: &str) -> Option<UserEvent> {
        let known = self.app_metadata.0.get("providers").and_then(serde_json::Value::as_array);
        let mut providers = known.cloned().unwrap_or_default();
        if providers.iter().any(|known| known == provider) {
            return None;
        }
        providers.push(provider.into());
        let patch = Metadata::default().with("providers", providers);
        let patch = match self.app_metadata.text("provider") {
            Some(_) => patch,
            None => patch.with("provider", provider),
        };
        Some(UserEvent::AppMetadataChanged { patch: patch.into() })
    }

    fn phone_change(
        &self,
        user: UserId,
        phone: &Phone,
        confirmed: Confirmed,
        new_identity: IdentityId,
    ) -> Result<Vec<UserEvent>, UserError> {
        let mut events = Vec::new();
        if self.phone.as_ref().is_none_or(|p| p.value != *phone) {
            events.push(UserEvent::PhoneChanged { phone: phone.clone().into() });
            events.push(self.contact_identity(
                user,
                "phone",
                phone.as_str(),
                confirmed == Confirmed::Yes,
                new_identity,
            )?);
        }
        if events.iter().any(|event| matches!(event, UserEvent::IdentityLinked { .. })) {
            events.extend(self.provider_added("phone"));
        }
        if confirmed == Confirmed::Yes {
            events.push(UserEvent::PhoneConfirmed {});
        }
        Ok(events)
    }

    /// The `email` or `phone` identity with a new address: updated in place, or linked.
    fn contact_identity(
        &self,
        user: UserId,
        provider: &str,
        value: &str,
        verified: bool,
        id: IdentityId,
    ) -> Result<UserEvent, UserError> {
        let flag = format!("{provider}_verified");
        match self.identity(provider) {
            Some(identity) => Ok(UserEvent::IdentityUpdated {
                identity: identity.id,
                data: identity.data.clone().with(provider, value).with(&flag, verified).into(),
                signed_in: false,
            }),
            None => self.link(IdentityData {
                id,
                provider: provider.to_owned(),
                provider_id: user.to_string(),
                data: Metadata::default()
                    .with("sub", user.to_string())
                    .with("email_verified", false)
                    .with("phone_verified", false)
                    .with(provider, value)
                    .with(&flag, verified),
            }),
        }
    }

    /// The account with one more event, to decide what follows from it.
    pub(super) fn fold_event(&mut self, event: &UserEvent) {
        let mut user = User::Active(Box::new(self.clone()));
        user.fold(event);
        if let User::Active(account) = user {
            *self = *account;
        }
    }
}
