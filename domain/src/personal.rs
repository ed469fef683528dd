//! Personal data in events.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A personal field of an event.
///
/// Use cases write `Known`; the store seals it under a key of the event's subject before it is
/// written, and opens it when it is read. A reader without keys sees `Sealed`; once the subject's key
/// is destroyed the field reads as `Erased`, for ever.
///
/// The JSON keys are part of every stored event: never change them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Personal<T> {
    /// Readable, in memory only.
    #[serde(rename = "$personal")]
    Known(T),
    /// Ciphertext as it stands in the log (base64 of nonce and AES-256-GCM output).
    #[serde(rename = "$sealed")]
    Sealed(String),
    /// The subject's key is gone.
    #[serde(rename = "$erased")]
    Erased,
}

impl<T> Personal<T> {
    /// The value, where it can be read.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }

    /// The value, where it can be read.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Sealed(_) | Self::Erased => None,
        }
    }
}

impl<T> From<T> for Personal<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

/// Personal data stay out of logs, so `Debug` shows only the state.
impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(_) => "Personal(known)",
            Self::Sealed(_) => "Personal(sealed)",
            Self::Erased => "Personal(erased)",
        })
    }
}
