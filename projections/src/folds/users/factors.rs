//! Second factors and passkeys of a user: two lists in the user's row, as a document shows them. No
//! secret and no key.

use evident_domain::user::UserEvent;
use evident_domain::user::factor::FactorKind;
use evident_domain::{FactorId, PasskeyId, Personal, Time};
use evident_eventstore::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A second factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FactorRow {
    /// Its id.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// Whether the user has shown once that they have it.
    pub verified: bool,
    /// What the user calls it; may be empty.
    pub name: String,
    /// The number of a phone.
    pub phone: Option<String>,
    /// The model of an authenticator; nil where it does not tell.
    pub aaguid: Option<Uuid>,
    /// When it was enrolled.
    pub created_at: Time,
    /// When it last changed or was asked.
    pub updated_at: Time,
    /// When it was last asked.
    pub last_challenged_at: Option<Time>,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PasskeyRow {
    /// Its id.
    pub id: PasskeyId,
    /// What it is called.
    pub name: String,
    /// When it was added.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it last signed in.
    pub last_used_at: Option<Time>,
}

/// Reads a list from a row.
pub(super) fn list<T: DeserializeOwned>(text: &str) -> Option<Vec<T>> {
    // Most users have none.
    if text == "[]" { Some(Vec::new()) } else { serde_json::from_str(text).ok() }
}

/// A list as it stands in a row.
pub(super) fn list_text<T: Serialize>(list: &[T]) -> Value {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned()).into()
}

/// What an event leaves of the second factors.
pub(super) fn follow(factors: &mut Vec<FactorRow>, event: &UserEvent, at: Time) {
    match event {
        UserEvent::FactorEnrolled { factor, kind, name, phone, .. } => factors.push(FactorRow {
            id: *factor,
            kind: *kind,
            verified: false,
            name: name.known().cloned().unwrap_or_default(),
            phone: phone.as_ref().and_then(Personal::known).map(ToString::to_string),
            aaguid: None,
            created_at: at,
            updated_at: at,
            last_challenged_at: None,
        }),
        UserEvent::FactorChallenged { factor, at: asked_at, .. } => {
            change(factors, *factor, at, |row| row.last_challenged_at = Some(*asked_at));
        }
        UserEvent::FactorVerified { factor, authenticator, .. } => {
            let authenticator = authenticator.as_ref().and_then(Personal::known);
            change(factors, *factor, at, |row| {
                row.verified = true;
                row.aaguid = authenticator.map(|key| key.aaguid).or(row.aaguid);
            });
        }
        UserEvent::FactorRenamed { factor, name } => {
            change(factors, *factor, at, |row| row.name = name.known().cloned().unwrap_or_default());
        }
        UserEvent::FactorPhoneChanged { factor, phone } => {
            change(factors, *factor, at, |row| row.phone = phone.known().map(ToString::to_string));
        }
        UserEvent::FactorRemoved { factor, .. } => factors.retain(|row| row.id != *factor),
        _ => {}
    }
}

fn change(factors: &mut [FactorRow], id: FactorId, at: Time, change: impl FnOnce(&mut FactorRow)) {
    if let Some(row) = factors.iter_mut().find(|row| row.id == id) {
        change(row);
        row.updated_at = at;
    }
}

/// What an event leaves of the passkeys.
pub(super) fn follow_passkeys(passkeys: &mut Vec<PasskeyRow>, event: &UserEvent, at: Time) {
    let id = match event {
        UserEvent::PasskeyAdded { passkey, name, .. } => {
            passkeys.push(PasskeyRow {
                id: *passkey,
                name: name.known().cloned().unwrap_or_default(),
                created_at: at,
                updated_at: at,
                last_used_at: None,
            });
            return;
        }
        UserEvent::PasskeyRemoved { passkey, .. } => return passkeys.retain(|row| row.id != *passkey),
        UserEvent::PasskeyUsed { passkey, .. } | UserEvent::PasskeyRenamed { passkey, .. } => *passkey,
        _ => return,
    };
    let Some(row) = passkeys.iter_mut().find(|row| row.id == id) else { return };
    match event {
        UserEvent::PasskeyUsed { at: used_at, .. } => row.last_used_at = Some(*used_at),
        UserEvent::PasskeyRenamed { name, .. } => row.name = name.known().cloned().unwrap_or_default(),
        _ => {}
    }
    row.updated_at = at;
}
