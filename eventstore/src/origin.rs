//! Where requests came from, for those who want to know of a few only: sealed until then.

use std::net::IpAddr;

use evident_domain::{EventId, Personal, Position, Recorded, Subject};

use crate::codec::CodecError;
use crate::seal::{SealBroken, SealingKey};
use crate::{EventStore, StoreError};

/// Origins whose keys are looked for at once.
const AT_ONCE: usize = 1_000;

/// Address and program of the client behind an event, as [`EventStore::walk`] tells them: sealed under the key of the
/// event's subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedOrigin {
    position: Position,
    event: EventId,
    /// Whose key seals it.
    subject: Subject,
    ip: Option<String>,
    user_agent: Option<String>,
}

/// The same, opened. What was never told or is erased is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
}

/// The parts of an origin, each by the name that it is sealed under.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Ip,
    UserAgent,
}

impl Part {
    /// Opens it.
    pub(crate) fn open(self, sealed: &str, key: &SealingKey, event: &str) -> Result<Vec<u8>, SealBroken> {
        let name = match self {
            Self::Ip => "ip",
            Self::UserAgent => "user_agent",
        };
        key.open_text(sealed, &[event, "#", name].concat())
    }
}

impl SealedOrigin {
    /// What an event has sealed; none where nothing is.
    pub fn of(event: &Recorded) -> Option<Self> {
        fn sealed<T>(part: Option<&Personal<T>>) -> Option<String> {
            match part? {
                Personal::Sealed(sealed) => Some(sealed.clone()),
                Personal::Known(_) | Personal::Erased => None,
            }
        }
        let ip = sealed(event.provenance.ip.as_ref());
        let user_agent = sealed(event.provenance.user_agent.as_ref());
        if ip.is_none() && user_agent.is_none() {
            return None;
        }
        let subject = event.subject.clone()?;
        Some(Self { position: event.position, event: event.id, subject, ip, user_agent })
    }

    fn open(&self, key: &SealingKey) -> Result<Origin, CodecError> {
        let (position, event) = (self.position, self.event.0.to_string());
        let open = |part: Part, sealed: &Option<String>| match sealed {
            None => Ok(None),
            Some(sealed) => {
                let plain =
                    part.open(sealed, key, &event).map_err(|cause| CodecError::Seal { position, cause })?;
                let damaged = CodecError::Column { position, column: "metadata" };
                Ok(Some(String::from_utf8(plain).map_err(|_| damaged)?))
            }
        };
        let ip = open(Part::Ip, &self.ip)?.map(|ip| ip.parse::<IpAddr>());
        let damaged = |_| CodecError::Column { position, column: "metadata" };
        Ok(Origin {
            ip: ip.transpose().map_err(damaged)?,
            user_agent: open(Part::UserAgent, &self.user_agent)?,
        })
    }
}

impl EventStore {
    /// Opens origins, in their order. Of those whose key is gone nothing is told.
    ///
    /// # Errors
    /// When the database fails or one does not open.
    pub async fn open_origins(&self, sealed: &[&SealedOrigin]) -> Result<Vec<Origin>, StoreError> {
        if sealed.is_empty() {
            return Ok(Vec::new());
        }
        // Who is forgotten by now is not shown.
        self.vault().catch_up().await.map_err(StoreError::vault)?;
        let mut opened = Vec::with_capacity(sealed.len());
        for some in sealed.chunks(AT_ONCE) {
            let subjects: Vec<&Subject> = some.iter().map(|origin| &origin.subject).collect();
            let keys = self.vault().find_keys(subjects).await.map_err(StoreError::vault)?;
            for origin in some {
                opened.push(match keys.get(&origin.subject) {
                    Some(key) => origin.open(key)?,
                    None => Origin { ip: None, user_agent: None },
                });
            }
        }
        Ok(opened)
    }
}
