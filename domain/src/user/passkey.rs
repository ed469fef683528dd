//! Passkeys: authenticators that sign in without a password.

use serde::{Deserialize, Serialize};

use super::UserEvent;
use super::factor::{Authenticator, FactorError};
use crate::session::AssuranceLevel;
use crate::{PasskeyId, Time};

/// A passkey of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Passkey {
    /// Its id.
    pub id: PasskeyId,
    /// What the user calls it.
    pub name: String,
    /// The key.
    pub authenticator: Authenticator,
}

/// A command on a user's passkeys. Where the account has a second factor, its user needs a session that
/// has shown one; a command without a session's level is not the user's.
#[derive(Debug, Clone)]
pub enum PasskeyCommand {
    /// Add one.
    Add {
        /// Its id.
        passkey: PasskeyId,
        /// What it is called.
        name: String,
        /// Its key.
        authenticator: Authenticator,
        /// How sure the asking session is.
        aal: AssuranceLevel,
        /// How many there may be.
        limit: usize,
    },
    /// Note that it signed in.
    Use {
        /// Which.
        passkey: PasskeyId,
        /// Its key with the counter as it is now.
        authenticator: Authenticator,
        /// The time of the decision.
        now: Time,
    },
    /// Call one something else.
    Rename {
        /// Which.
        passkey: PasskeyId,
        /// The name.
        name: String,
        /// How sure the asking session is.
        aal: AssuranceLevel,
    },
    /// Remove one.
    Remove {
        /// Which.
        passkey: PasskeyId,
        /// How sure the user's session is; none: it is not the user who asks.
        aal: Option<AssuranceLevel>,
    },
}

/// The passkey of an id.
fn find(passkeys: &[Passkey], id: PasskeyId) -> Result<&Passkey, FactorError> {
    passkeys.iter().find(|passkey| passkey.id == id).ok_or(FactorError::PasskeyNotFound)
}

/// Whether a session may manage passkeys of an account with or without second factors.
///
/// # Errors
/// When it has shown no second factor and the account has one.
pub fn may_manage(aal: AssuranceLevel, has_factor: bool) -> Result<(), FactorError> {
    if has_factor && aal < AssuranceLevel::Aal2 { Err(FactorError::InsufficientAal) } else { Ok(()) }
}

/// Whether one more may be added.
///
/// # Errors
/// When there are as many as there may be.
pub fn may_add(passkeys: &[Passkey], limit: usize) -> Result<(), FactorError> {
    if passkeys.len() >= limit { Err(FactorError::TooManyPasskeys) } else { Ok(()) }
}

pub(super) fn decide(
    passkeys: &[Passkey],
    has_factor: bool,
    command: PasskeyCommand,
) -> Result<Vec<UserEvent>, FactorError> {
    Ok(match command {
        PasskeyCommand::Add { passkey, name, authenticator, aal, limit } => {
            may_manage(aal, has_factor)?;
            may_add(passkeys, limit)?;
            let same = |known: &Passkey| {
                known.id == passkey || known.authenticator.credential_id == authenticator.credential_id
            };
            if passkeys.iter().any(same) {
                return Err(FactorError::PasskeyExists);
            }
            vec![UserEvent::PasskeyAdded { passkey, name: name.into(), authenticator: authenticator.into() }]
        }
        PasskeyCommand::Use { passkey, authenticator, now } => {
            find(passkeys, passkey)?;
            vec![UserEvent::PasskeyUsed { passkey, authenticator: authenticator.into(), at: now }]
        }
        PasskeyCommand::Rename { passkey, name, aal } => {
            let known = find(passkeys, passkey)?;
            may_manage(aal, has_factor)?;
            if known.name == name {
                return Ok(Vec::new());
            }
            vec![UserEvent::PasskeyRenamed { passkey, name: name.into() }]
        }
        PasskeyCommand::Remove { passkey, aal } => {
            let known = find(passkeys, passkey)?;
            if let Some(aal) = aal {
                may_manage(aal, has_factor)?;
            }
            let credential_id = known.authenticator.credential_id.clone().into();
            vec![UserEvent::PasskeyRemoved { passkey, credential_id }]
        }
    })
}

pub(super) fn fold(passkeys: &mut Vec<Passkey>, event: &UserEvent) {
    match event {
        UserEvent::PasskeyAdded { passkey, name, authenticator } => {
            if let Some(authenticator) = authenticator.known() {
                passkeys.push(Passkey {
                    id: *passkey,
                    name: name.known().cloned().unwrap_or_default(),
                    authenticator: authenticator.clone(),
                });
            }
        }
        UserEvent::PasskeyUsed { passkey, authenticator, .. } => {
            let known = passkeys.iter_mut().find(|known| known.id == *passkey);
            if let (Some(known), Some(authenticator)) = (known, authenticator.known()) {
                known.authenticator = authenticator.clone();
            }
        }
        UserEvent::PasskeyRenamed { passkey, name } => {
            if let Some(known) = passkeys.iter_mut().find(|known| known.id == *passkey) {
                known.name = name.known().cloned().unwrap_or_default();
            }
        }
        UserEvent::PasskeyRemoved { passkey, .. } => passkeys.retain(|known| known.id != *passkey),
        _ => {}
    }
}
