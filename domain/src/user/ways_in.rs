//! The rules of signing in by other providers: linking, taking over, unlinking.

use super::command::{Arrival, Confirmed, WaysInLeft};
use super::state::{Account, IdentityState};
use super::{IdentityData, TokenPurpose, UserError, UserEvent};
use crate::{Email, IdentityId, Metadata, SealedTokens, Time};

impl Account {
    /// Somebody came by a provider: an identity that is linked already, or one that the caller found to be
    /// this user's because of its verified address.
    ///
    /// Until an address or number is confirmed, whoever made the account may not be its owner. The first
    /// to bring a proof is, and what was set up before goes: password, identities, metadata.
    pub(super) fn arrive(&self, arrival: Arrival) -> Result<Vec<UserEvent>, UserError> {
        let Arrival { identity, email, free } = arrival;
        let (provider, data) = (identity.provider.clone(), identity.data.clone());
        let known = self.identities.iter().find(|known| known.is_same_as(&identity));
        let (id, came) = match known {
            Some(known) => {
                let data = data.clone().into();
                (known.id, UserEvent::IdentityUpdated { identity: known.id, data, signed_in: true })
            }
            None => (identity.id, self.link(identity)?),
        };
        let proven = match email {
            Some((email, Confirmed::Yes)) => Some(email),
            Some((_, Confirmed::No)) | None => None,
        };
        let mut events = vec![came];
        let takes_over = !self.is_confirmed() && proven.is_some();
        if takes_over {
            events.extend(self.cleared(id));
        }
        if let Some(email) = proven {
            events.extend(self.proven(email, free));
        }
        let patch = if takes_over { self.metadata_replaced_by(&data) } else { self.metadata_news(&data) };
        if !patch.is_empty() {
            events.push(UserEvent::MetadataChanged { patch: patch.into() });
        }
        events.extend(self.providers_told(&events, takes_over.then_some(provider.as_str())));
        Ok(events)
    }

    /// Somebody who holds an invitation comes by a provider instead of opening its link.
    pub(super) fn accept_invitation(
        &self,
        identity: IdentityData,
        now: Time,
    ) -> Result<Vec<UserEvent>, UserError> {
        let purpose = TokenPurpose::Invitation;
        let invitation = self.tokens.get(&purpose).filter(|token| token.expires_at > now);
        let email = match (&self.email, invitation) {
            (Some(email), Some(_)) if !email.confirmed => email.value.clone(),
            _ => return Err(UserError::TokenInvalid),
        };
        let arrival = Arrival { identity, email: Some((email, Confirmed::Yes)), free: true };
        let mut events = vec![UserEvent::OneTimeTokenRedeemed { purpose }];
        events.extend(self.arrive(arrival)?);
        Ok(events)
    }

    /// The user links another way to sign in. An account without address takes that of the identity.
    pub(super) fn link_by_hand(
        &self,
        identity: IdentityData,
        email: Option<(Email, Confirmed)>,
    ) -> Result<Vec<UserEvent>, UserError> {
        let mut events = vec![self.link(identity)?];
        if let (None, Some((email, confirmed))) = (&self.email, email) {
            let confirmed = confirmed == Confirmed::Yes;
            events.push(UserEvent::EmailAdopted { email: Some(email.into()), confirmed });
        }
        events.extend(self.providers_told(&events, None));
        Ok(events)
    }

    /// Removes a way to sign in, and what came with it. `taken` are addresses that other users have.
    pub(super) fn unlink(
        &self,
        identity: IdentityId,
        leaving: WaysInLeft,
        taken: &[Email],
    ) -> Result<Vec<UserEvent>, UserError> {
        self.may_lose_one(leaving)?;
        let going =
            self.identities.iter().find(|known| known.id == identity).ok_or(UserError::IdentityNotFound)?;
        let mut events = vec![going.unlinked()];
        if going.provider == "phone" {
            events.extend(self.phone.is_some().then_some(UserEvent::PhoneRemoved {}));
        } else if leaving == WaysInLeft::AnIdentity {
            events.extend(self.address_after(identity, taken)?);
        }
        events.extend(self.providers_told(&events, None));
        Ok(events)
    }

    /// Keeps what a provider handed out; the same again is nothing new.
    pub(super) fn keep_tokens(
        &self,
        identity: IdentityId,
        tokens: SealedTokens,
    ) -> Result<Vec<UserEvent>, UserError> {
        let known =
            self.identities.iter().find(|known| known.id == identity).ok_or(UserError::IdentityNotFound)?;
        if known.tokens.as_ref() == Some(&tokens) {
            return Ok(Vec::new());
        }
        Ok(vec![UserEvent::ProviderTokensKept { identity, tokens: tokens.into() }])
    }

    /// Removes the password.
    pub(super) fn without_password(&self, leaving: WaysInLeft) -> Result<Vec<UserEvent>, UserError> {
        self.may_lose_one(leaving)?;
        Ok(self.password.iter().map(|_| UserEvent::PasswordRemoved {}).collect())
    }

    /// The one rule about the last way in. It is asked before which one is to go, so that it is also what
    /// callers hear first who name one that is not there.
    fn may_lose_one(&self, leaving: WaysInLeft) -> Result<(), UserError> {
        let ways = match leaving {
            WaysInLeft::Nothing => return Ok(()),
            WaysInLeft::AnIdentity => self.identities.len(),
            WaysInLeft::OneToSignInBy => {
                // Identities of the account's own address and number are no ways in beside the password.
                let others = self.identities.iter().filter(|known| !known.is_own_contact());
                others.count() + usize::from(self.password.is_some())
            }
        };
        if ways < 2 { Err(UserError::LastIdentity) } else { Ok(()) }
    }

    /// Whether an address or number is known to be the user's.
    fn is_confirmed(&self) -> bool {
        self.email.as_ref().is_some_and(|email| email.confirmed)
            || self.phone.as_ref().is_some_and(|phone| phone.confirmed)
    }

    /// What a stranger may have set up goes, except the identity that brought the proof.
    fn cleared(&self, except: IdentityId) -> impl Iterator<Item = UserEvent> {
        let others = self.identities.iter().filter(move |known| known.id != except);
        std::iter::once(UserEvent::Reclaimed {}).chain(others.map(IdentityState::unlinked))
    }

    /// The provider vouches for an address.
    fn proven(&self, email: Email, free: bool) -> Vec<UserEvent> {
        match &self.email {
            Some(own) if own.value == email && own.confirmed => Vec::new(),
            Some(own) if own.value == email => vec![UserEvent::EmailConfirmed {}],
            Some(own) if own.confirmed => Vec::new(),
            Some(_) | None if !free => Vec::new(),
            // An anonymous user becomes a known one only by their own wish.
            None if self.anonymous => Vec::new(),
            Some(_) | None => vec![UserEvent::EmailAdopted { email: Some(email.into()), confirmed: true }],
        }
    }

    /// What the address is once an identity is gone: it stays if another identity has it, too.
    fn address_after(&self, leaving: IdentityId, taken: &[Email]) -> Result<Option<UserEvent>, UserError> {
        let Some(own) = &self.email else { return Ok(None) };
        let staying: Vec<_> = self
            .identities
            .iter()
            .filter(|known| known.id != leaving)
            .map(|known| (known.email(), known.is_verified()))
            .collect();
        if staying.iter().any(|(email, _)| email.as_ref() == Some(&own.value)) {
            return Ok(None);
        }
        let free = |email: &Email| !taken.contains(email);
        let with_address = |wanted: bool| {
            staying.iter().find_map(|(email, verified)| {
                email.as_ref().filter(|email| *verified == wanted && free(email)).cloned()
            })
        };
        let adopted = match (with_address(true), with_address(false)) {
            (Some(email), _) => (Some(email), true),
            (None, Some(email)) => (Some(email), false),
            (None, None) if staying.iter().any(|(email, _)| email.is_none()) => (None, false),
            (None, None) => return Err(UserError::EmailConflict),
        };
        let (email, confirmed) = adopted;
        Ok(Some(UserEvent::EmailAdopted { email: email.map(Into::into), confirmed }))
    }

    /// A patch after which there is nothing but the data.
    fn metadata_replaced_by(&self, data: &Metadata) -> Metadata {
        let mut patch = data.clone();
        for key in self.user_metadata.0.keys() {
            patch.0.entry(key.clone()).or_insert(serde_json::Value::Null);
        }
        patch
    }

    /// The keys of the data that are new or have another value.
    fn metadata_news(&self, data: &Metadata) -> Metadata {
        let news = data.0.iter().filter(|(key, value)| self.user_metadata.0.get(*key) != Some(value));
        Metadata(news.map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// `app_metadata` names the providers as they are after the events. `provider` stays while it is one
    /// of them; `first` puts another in its place.
    fn providers_told(&self, events: &[UserEvent], first: Option<&str>) -> Option<UserEvent> {
        let mut after = self.clone();
        for event in events {
            after.fold_event(event);
        }
        let mut providers: Vec<&str> = Vec::new();
        for identity in &after.identities {
            if !providers.contains(&identity.provider.as_str()) {
                providers.push(&identity.provider);
            }
        }
        if providers.is_empty() && after.password.is_some() {
            providers.push("email");
        }
        let told = after.app_metadata.text("provider").filter(|told| providers.contains(told));
        let provider = first.or(told).or_else(|| providers.first().copied())?;
        let wanted = Metadata::default().with("provider", provider).with("providers", providers);
        let news = wanted.0.into_iter().filter(|(key, value)| self.app_metadata.0.get(key) != Some(value));
        let patch = Metadata(news.collect());
        (!patch.is_empty()).then(|| UserEvent::AppMetadataChanged { patch: patch.into() })
    }
}

impl IdentityState {
    fn is_same_as(&self, other: &IdentityData) -> bool {
        self.is(&other.provider, &other.provider_id)
    }

    /// Whether it is what a provider calls so.
    pub fn is(&self, provider: &str, provider_id: &str) -> bool {
        self.provider == provider && self.provider_id == provider_id
    }

    /// Whether it only says that an address or number is the account's.
    pub fn is_own_contact(&self) -> bool {
        matches!(self.provider.as_str(), "email" | "phone")
    }

    /// The address in what the provider tells; one that does not read is none.
    pub fn email(&self) -> Option<Email> {
        self.data.text("email").and_then(|text| Email::parse(text).ok())
    }

    /// Whether the provider vouches for the address.
    pub fn is_verified(&self) -> bool {
        self.data.0.get("email_verified") == Some(&true.into())
    }
}
