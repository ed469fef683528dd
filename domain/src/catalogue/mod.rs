//! The event catalogue: what every event means, field by field, with a sample of each.
//!
//! The sentences are the doc comments of the events themselves, so there is one place to write them and
//! no event without them. `docs/events.md` is [`markdown`], and a test keeps it so.

mod describe;
mod fields;
mod markdown;
mod samples;
mod types;

pub(crate) use describe::described;
pub use describe::{Description, Field, Names};
pub(crate) use fields::Read;
pub use markdown::markdown;
pub use samples::samples;
pub use types::{names, plain_types};

use crate::attempt::AttemptEvent;
use crate::authorization::AuthorizationEvent;
use crate::client::ClientEvent;
use crate::consent::ConsentEvent;
use crate::flow::FlowEvent;
use crate::hold::HoldEvent;
use crate::organization::OrganizationEvent;
use crate::provider::ProviderEvent;
use crate::publication::LogEvent;
use crate::reading::AuditEvent;
use crate::recipient::RecipientEvent;
use crate::session::SessionEvent;
use crate::sso_provider::SsoProviderEvent;
use crate::user::UserEvent;
use crate::{Event, StreamKind};

/// What is to be known of an event whose content was dropped.
static DROPPED: Description = Description {
    name: "dropped",
    meaning: "Its content was dropped after its time; position, type, time, actor, subject and digest stay.",
    fields: &[],
};

/// All that is to be known of one type of event.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name in the log.
    pub name: &'static str,
    /// The version in which it is written now.
    pub version: &'static str,
    /// The kind of stream it belongs to.
    pub stream: StreamKind,
    /// Its doc comment: the meaning, and what it holds.
    pub description: &'static Description,
    /// One of its kind, with every field filled.
    pub sample: Event,
}

/// The descriptions of a kind of stream, in the order of its events' variants.
pub const fn descriptions(stream: StreamKind) -> &'static [Description] {
    match stream {
        StreamKind::User => UserEvent::DESCRIPTIONS,
        StreamKind::Session => SessionEvent::DESCRIPTIONS,
        StreamKind::Organization => OrganizationEvent::DESCRIPTIONS,
        StreamKind::SsoProvider => SsoProviderEvent::DESCRIPTIONS,
        StreamKind::Flow => FlowEvent::DESCRIPTIONS,
        StreamKind::Recipient => RecipientEvent::DESCRIPTIONS,
        StreamKind::Provider => ProviderEvent::DESCRIPTIONS,
        StreamKind::Client => ClientEvent::DESCRIPTIONS,
        StreamKind::Authorization => AuthorizationEvent::DESCRIPTIONS,
        StreamKind::Consent => ConsentEvent::DESCRIPTIONS,
        StreamKind::Hold => HoldEvent::DESCRIPTIONS,
        StreamKind::Audit => AuditEvent::DESCRIPTIONS,
        StreamKind::Log => LogEvent::DESCRIPTIONS,
        StreamKind::Attempt => AttemptEvent::DESCRIPTIONS,
    }
}

/// The catalogue: one entry for each sample.
pub fn entries() -> Vec<Entry> {
    samples()
        .into_iter()
        .map(|sample| {
            let (name, version) = sample.kind();
            Entry { name, version, stream: sample.stream_kind(), description: sample.description(), sample }
        })
        .collect()
}

impl Event {
    /// What the catalogue says of it.
    pub const fn description(&self) -> &'static Description {
        match self {
            Self::User(event) => event.description(),
            Self::Session(event) => event.description(),
            Self::Organization(event) => event.description(),
            Self::SsoProvider(event) => event.description(),
            Self::Flow(event) => event.description(),
            Self::Recipient(event) => event.description(),
            Self::Provider(event) => event.description(),
            Self::Client(event) => event.description(),
            Self::Authorization(event) => event.description(),
            Self::Consent(event) => event.description(),
            Self::Hold(event) => event.description(),
            Self::Audit(event) => event.description(),
            Self::Log(event) => event.description(),
            Self::Attempt(event) => event.description(),
            Self::Dropped(_) => &DROPPED,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A new variant brings its description along; this sees to it that it brings a sample, too.
    #[test]
    fn every_event_has_exactly_one_sample() {
        let sampled: Vec<_> = entries().iter().map(|entry| entry.name).collect();
        let described: Vec<_> =
            StreamKind::ALL.into_iter().flat_map(descriptions).map(|described| described.name).collect();
        assert_eq!(sampled, described, "samples stand in the order of the variants, one each");
        assert_eq!(described.len(), described.iter().collect::<BTreeSet<_>>().len(), "no name twice");
    }

    #[test]
    fn a_description_tells_the_fields_as_they_are_stored() {
        for entry in entries() {
            let json = entry.sample.to_json().unwrap();
            let stored = json.as_object().unwrap();
            assert_eq!(entry.name, stored["type"], "the type in the payload is the name in the log");
            assert_eq!(entry.name, entry.description.name);
            let fields: BTreeSet<_> =
                stored.keys().map(String::as_str).filter(|key| *key != "type").collect();
            let described: BTreeSet<_> = entry.description.fields.iter().map(|field| field.name).collect();
            assert_eq!(fields, described, "{}", entry.name);
            for field in entry.description.fields {
                let value = &stored[field.name];
                assert!(!value.is_null(), "{}: the sample fills {}", entry.name, field.name);
                let sealed = value.get("$personal").is_some();
                assert_eq!(field.is_personal(), sealed, "{}: {}", entry.name, field.name);
                assert!(!field.meaning.trim().is_empty());
            }
        }
    }

    #[test]
    fn every_type_that_a_field_has_is_explained() {
        let used: BTreeSet<_> =
            entries().iter().flat_map(|entry| entry.description.fields).map(Field::value_type).collect();
        let plain = plain_types().iter().map(|(name, _)| *name);
        let explained: BTreeSet<_> = plain.chain(names().iter().map(|names| names.of)).collect();
        assert_eq!(used, explained, "what is used is explained, and nothing else");
    }

    #[test]
    fn every_name_has_a_stored_form_of_its_own() {
        for names in names() {
            let stored: BTreeSet<_> = names.names.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(stored.len(), names.names.len(), "{}", names.of);
            assert!(!stored.contains(""), "{}", names.of);
        }
    }

    #[test]
    fn names_start_with_the_kind_of_their_stream() {
        for entry in entries() {
            let (kind, _) = entry.name.split_once('.').unwrap();
            assert_eq!(kind, entry.stream.as_str());
        }
    }
}
