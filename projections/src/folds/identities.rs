//! `identities`: the ways in which users are known to providers.

use std::collections::BTreeMap;

use evident_domain::user::UserEvent;
use evident_domain::{Event, IdentityId, Metadata, Recorded, Time, UserId};
use evident_eventstore::{DatabaseError, Row, Table};

use super::users::json_text;
use super::{int, json, stream_key, text, user_event};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `identities`.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityRow {
    /// Its id.
    pub identity_id: IdentityId,
    /// Whose.
    pub user_id: UserId,
    /// `email`, `phone`, `google` …
    pub provider: String,
    /// What the provider calls the user, or what stands in its place after a soft deletion.
    pub provider_id: String,
    /// What the provider tells of the user: the text of a JSON object.
    pub identity_data: String,
    /// The address in it, in lower case.
    pub email: Option<String>,
    /// When the user last came in by it, or it was linked.
    pub last_sign_in_at: Option<Time>,
    /// When it was linked.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// The event that linked it; a user's identities stand in this order.
    pub position: u64,
}

impl IdentityRow {
    /// What the provider tells of the user, as an object.
    pub fn data(&self) -> Metadata {
        serde_json::from_str(&self.identity_data).unwrap_or_default()
    }

    /// Reads a row of `identities`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Identities::TABLE, row);
        Ok(Self {
            identity_id: cells.id()?,
            user_id: cells.id()?,
            provider: cells.text()?,
            provider_id: cells.text()?,
            identity_data: cells.text()?,
            email: cells.maybe_text()?,
            last_sign_in_at: cells.maybe_time()?,
            created_at: cells.time()?,
            updated_at: cells.time()?,
            position: cells.number()?,
        })
    }

    fn to_row(&self) -> Row {
        vec![
            self.identity_id.to_string().into(),
            self.user_id.to_string().into(),
            cells::text(&self.provider),
            cells::text(&self.provider_id),
            cells::text(&self.identity_data),
            cells::maybe_text(self.email.as_deref()),
            cells::maybe_time(self.last_sign_in_at),
            cells::time(self.created_at),
            cells::time(self.updated_at),
            cells::number(self.position),
        ]
    }

    fn tell(&mut self, data: Option<&Metadata>) {
        self.identity_data = json_text(data);
        self.email =
            data.and_then(|data| data.text("email")).filter(|email| !email.is_empty()).map(str::to_lowercase);
    }
}

/// All identities of a user. They make one group, because an erasure names the user alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identities(pub BTreeMap<IdentityId, IdentityRow>);

impl Fold for Identities {
    const NAME: &'static str = "identities";
    const VERSION: u32 = 1;
    const TABLE: Table = Table::new(
        "identities",
        &[
            text("identity_id"),
            text("user_id"),
            text("provider"),
            text("provider_id"),
            json("identity_data"),
            text("email"),
            int("last_sign_in_at"),
            int("created_at"),
            int("updated_at"),
            int("position"),
        ],
    );
    const GROUP: &'static str = "user_id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::User(user_event) => match user_event {
                UserEvent::IdentityLinked { .. }
                | UserEvent::IdentityUpdated { .. }
                | UserEvent::IdentityUnlinked { .. }
                | UserEvent::Deleted { .. }
                | UserEvent::Erased {} => stream_key(event),
                UserEvent::SignedUp { .. }
                | UserEvent::EmailConfirmed {}
                | UserEvent::PhoneConfirmed {}
                | UserEvent::EmailChangeRequested { .. }
                | UserEvent::EmailChanged { .. }
                | UserEvent::PhoneChangeRequested { .. }
                | UserEvent::PhoneChanged { .. }
                | UserEvent::EmailAdopted { .. }
                | UserEvent::PhoneRemoved {}
                | UserEvent::Reclaimed {}
                | UserEvent::OneTimeTokenIssued { .. }
                | UserEvent::OneTimeTokenMissed { .. }
                | UserEvent::OneTimeTokenRedeemed { .. }
                | UserEvent::PasswordChanged { .. }
                | UserEvent::PasswordRehashed { .. }
                | UserEvent::PasswordRemoved {}
                | UserEvent::PasswordWithheld {}
                | UserEvent::PasswordProven {}
                | UserEvent::MetadataChanged { .. }
                | UserEvent::AppMetadataChanged { .. }
                | UserEvent::RoleChanged { .. }
                | UserEvent::Banned { .. }
                | UserEvent::Unbanned {}
                | UserEvent::FactorEnrolled { .. }
                | UserEvent::FactorChallenged { .. }
                | UserEvent::FactorChallengeMissed { .. }
                | UserEvent::FactorVerified { .. }
                | UserEvent::FactorRenamed { .. }
                | UserEvent::FactorPhoneChanged { .. }
                | UserEvent::FactorRemoved { .. }
                | UserEvent::PasskeyAdded { .. }
                | UserEvent::PasskeyUsed { .. }
                | UserEvent::PasskeyRenamed { .. }
                | UserEvent::PasskeyRemoved { .. }
                | UserEvent::AdminRolesChanged { .. }
                | UserEvent::UsernameChanged { .. }
                | UserEvent::MailFactorEnabled {}
                | UserEvent::TwoFactorDisabled {}
                | UserEvent::BackupCodesIssued { .. }
                | UserEvent::SecondStepBegun { .. }
                | UserEvent::SecondStepCodeSent { .. }
                | UserEvent::SecondStepMissed { .. }
                | UserEvent::SecondStepExhausted { .. }
                | UserEvent::SecondStepTaken { .. }
                | UserEvent::ProviderTokensKept { .. }
                | UserEvent::DeviceTrusted { .. } => Vec::new(),
            },
            Event::Session(_)
            | Event::Organization(_)
            | Event::SsoProvider(_)
            | Event::Flow(_)
            | Event::Recipient(_)
            | Event::Provider(_)
            | Event::Client(_)
            | Event::Authorization(_)
            | Event::Consent(_)
            | Event::Hold(_)
            | Event::Audit(_)
            | Event::Log(_)
            | Event::Attempt(_)
            | Event::Dropped(_) => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Some(user_event) = user_event(event) else { return group };
        let mut identities = group.unwrap_or_default();
        let at = event.occurred_at;
        match user_event {
            UserEvent::IdentityLinked { identity, provider, provider_id, data } => {
                let mut row = IdentityRow {
                    identity_id: *identity,
                    user_id: UserId(event.stream.id),
                    provider: provider.clone(),
                    provider_id: provider_id.known().cloned().unwrap_or_default(),
                    identity_data: String::new(),
                    email: None,
                    last_sign_in_at: Some(at),
                    created_at: at,
                    updated_at: at,
                    position: event.position.0,
                };
                row.tell(data.known());
                identities.0.insert(*identity, row);
            }
            UserEvent::IdentityUpdated { identity, data, signed_in } => {
                if let Some(row) = identities.0.get_mut(identity) {
                    row.tell(data.known());
                    row.updated_at = at;
                    if *signed_in {
                        row.last_sign_in_at = Some(at);
                    }
                }
            }
            UserEvent::IdentityUnlinked { identity, .. } => {
                identities.0.remove(identity);
            }
            UserEvent::Deleted { identities: digests, .. } => {
                for row in identities.0.values_mut() {
                    let digest = digests.iter().find(|(id, _)| *id == row.identity_id);
                    row.provider_id = digest.map(|(_, digest)| digest.clone()).unwrap_or_default();
                    row.tell(None);
                }
            }
            UserEvent::Erased {} => identities.0.clear(),
            UserEvent::SignedUp { .. }
            | UserEvent::EmailConfirmed {}
            | UserEvent::PhoneConfirmed {}
            | UserEvent::EmailChangeRequested { .. }
            | UserEvent::EmailChanged { .. }
            | UserEvent::PhoneChangeRequested { .. }
            | UserEvent::PhoneChanged { .. }
            | UserEvent::EmailAdopted { .. }
            | UserEvent::PhoneRemoved {}
            | UserEvent::Reclaimed {}
            | UserEvent::OneTimeTokenIssued { .. }
            | UserEvent::OneTimeTokenMissed { .. }
            | UserEvent::OneTimeTokenRedeemed { .. }
            | UserEvent::PasswordChanged { .. }
            | UserEvent::PasswordRehashed { .. }
            | UserEvent::PasswordRemoved {}
            | UserEvent::PasswordWithheld {}
            | UserEvent::PasswordProven {}
            | UserEvent::MetadataChanged { .. }
            | UserEvent::AppMetadataChanged { .. }
            | UserEvent::RoleChanged { .. }
            | UserEvent::Banned { .. }
            | UserEvent::Unbanned {}
            | UserEvent::FactorEnrolled { .. }
            | UserEvent::FactorChallenged { .. }
            | UserEvent::FactorChallengeMissed { .. }
            | UserEvent::FactorVerified { .. }
            | UserEvent::FactorRenamed { .. }
            | UserEvent::FactorPhoneChanged { .. }
            | UserEvent::FactorRemoved { .. }
            | UserEvent::PasskeyAdded { .. }
            | UserEvent::PasskeyUsed { .. }
            | UserEvent::PasskeyRenamed { .. }
            | UserEvent::PasskeyRemoved { .. }
            | UserEvent::AdminRolesChanged { .. }
            | UserEvent::UsernameChanged { .. }
            | UserEvent::MailFactorEnabled {}
            | UserEvent::TwoFactorDisabled {}
            | UserEvent::BackupCodesIssued { .. }
            | UserEvent::SecondStepBegun { .. }
            | UserEvent::SecondStepCodeSent { .. }
            | UserEvent::SecondStepMissed { .. }
            | UserEvent::SecondStepExhausted { .. }
            | UserEvent::SecondStepTaken { .. }
            | UserEvent::ProviderTokensKept { .. }
            | UserEvent::DeviceTrusted { .. } => {}
        }
        (!identities.0.is_empty()).then_some(identities)
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        self.0.values().map(IdentityRow::to_row).collect()
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        let rows: Result<BTreeMap<_, _>, DatabaseError> = rows
            .into_iter()
            .map(|row| IdentityRow::from_row(row).map(|identity| (identity.identity_id, identity)))
            .collect();
        Ok(Some(Self(rows?)).filter(|identities| !identities.0.is_empty()))
    }
}
