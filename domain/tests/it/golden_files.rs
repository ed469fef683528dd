//! Events are for ever: every shape that was ever released stands in `tests/golden` as it is stored,
//! and reads.
//!
//! `UPDATE_GOLDEN=1 cargo test -p evident-domain` writes the file of a new event. A file that is there
//! is never written again: a shape that must change gets a new version and an upcaster.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use cqrs_es::DomainEvent;
use cqrs_es::persist::SerializedEvent;
use evident_domain::catalogue::{descriptions, entries};
use evident_domain::upcast::upcasters;
use evident_domain::{Event, StreamKind};
use serde_json::Value;

/// The folder; the first look at it writes what is missing, if that is asked for.
#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, no setting of the server")]
fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        for entry in entries() {
            let path = folder.join(file_name(entry.name, entry.version));
            if std::env::var("UPDATE_GOLDEN").is_ok() && !path.exists() {
                std::fs::write(&path, format!("{:#}\n", entry.sample.to_json().unwrap())).unwrap();
            }
        }
        folder
    });
    &FOLDER
}

fn file_name(name: &str, version: &str) -> String {
    format!("{name}@{version}.json")
}

/// Every golden file: the type, the version, the payload.
fn golden_files() -> Vec<(String, String, Value)> {
    let read = |path: PathBuf| {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let (name, version) = stem.split_once('@').expect("a golden file is named <type>@<version>.json");
        let payload = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (name.to_owned(), version.to_owned(), payload)
    };
    std::fs::read_dir(folder()).unwrap().map(|entry| read(entry.unwrap().path())).collect()
}

/// What a payload of some version reads as today.
fn read(name: &str, version: &str, payload: Value) -> Event {
    let (kind, _) = name.split_once('.').unwrap();
    let kind = StreamKind::from_name(kind).unwrap();
    let mut stored = SerializedEvent::new(
        "an id".to_owned(),
        1,
        kind.as_str().to_owned(),
        name.to_owned(),
        version.to_owned(),
        payload,
        Value::Null,
    );
    for upcaster in upcasters() {
        if upcaster.can_upcast(&stored.event_type, &stored.event_version) {
            stored = upcaster.upcast(stored);
        }
    }
    Event::from_json(kind, stored.payload).unwrap()
}

#[test]
fn every_event_is_stored_as_its_golden_file_says() {
    for entry in entries() {
        let path = folder().join(file_name(entry.name, entry.version));
        let stored = entry.sample.to_json().unwrap();
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|_| panic!("{} {} has no golden file", entry.name, entry.version));
        let golden: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(stored, golden, "{} {} has another shape now", entry.name, entry.version);
    }
}

#[test]
fn every_type_of_event_has_a_golden_file() {
    let files: BTreeSet<_> = golden_files().into_iter().map(|(name, _, _)| name).collect();
    let types: BTreeSet<_> = StreamKind::ALL
        .into_iter()
        .flat_map(descriptions)
        .map(|description| description.name.to_owned())
        .collect();
    assert_eq!(files, types);
}

#[test]
fn every_golden_file_reads_and_what_it_reads_as_is_today_s_event() {
    for (name, version, payload) in golden_files() {
        let event = read(&name, &version, payload);
        let sample = entries().into_iter().find(|entry| entry.name == name).unwrap();
        assert_eq!(event.kind(), (sample.name, sample.version), "{name}@{version}");
        if version == sample.version {
            assert_eq!(event, sample.sample);
        }
    }
}

#[test]
fn a_ban_of_version_1_reads_with_its_note_as_the_reason_and_without_an_end() {
    let old = golden_files().into_iter().find(|(name, version, _)| name == "user.banned" && version == "1.0");
    let (name, version, payload) = old.unwrap();
    assert!(payload.get("until").is_none(), "the old shape had no end");
    let event = read(&name, &version, payload).to_json().unwrap();
    let expected = serde_json::json!({"type": "user.banned", "until": null, "reason": {"$personal": "spam"}});
    assert_eq!(event, expected);
}

#[test]
fn a_ban_of_version_1_may_lack_its_note_and_may_be_sealed_or_erased() {
    for (note, reason) in [
        (None, Value::Null),
        (Some(Value::Null), Value::Null),
        (Some(serde_json::json!({"$sealed": "AAAA"})), serde_json::json!({"$sealed": "AAAA"})),
        (Some(serde_json::json!("$erased")), serde_json::json!("$erased")),
    ] {
        let mut payload = serde_json::json!({"type": "user.banned"});
        if let Some(note) = note {
            payload["note"] = note;
        }
        assert_eq!(read("user.banned", "1.0", payload).to_json().unwrap()["reason"], reason);
    }
}

#[test]
fn what_is_current_is_not_upcast() {
    for entry in entries() {
        for upcaster in upcasters() {
            assert!(!upcaster.can_upcast(entry.name, entry.version), "{}", entry.name);
        }
    }
}

#[test]
fn name_and_version_are_the_same_for_cqrs_es() {
    for entry in entries() {
        let told = match &entry.sample {
            Event::User(event) => (event.event_type(), event.event_version()),
            Event::Session(event) => (event.event_type(), event.event_version()),
            Event::Provider(event) => (event.event_type(), event.event_version()),
            Event::Organization(event) => (event.event_type(), event.event_version()),
            Event::SsoProvider(event) => (event.event_type(), event.event_version()),
            Event::Flow(event) => (event.event_type(), event.event_version()),
            Event::Recipient(event) => (event.event_type(), event.event_version()),
            Event::Client(event) => (event.event_type(), event.event_version()),
            Event::Authorization(event) => (event.event_type(), event.event_version()),
            Event::Consent(event) => (event.event_type(), event.event_version()),
            Event::Hold(event) => (event.event_type(), event.event_version()),
            Event::Audit(event) => (event.event_type(), event.event_version()),
            Event::Log(event) => (event.event_type(), event.event_version()),
            Event::Attempt(event) => (event.event_type(), event.event_version()),
            Event::Dropped(_) => unreachable!("nobody writes one"),
        };
        assert_eq!(told, (entry.name.to_owned(), entry.version.to_owned()));
    }
}

#[test]
fn an_event_reads_the_same_whether_its_type_is_known_before_or_not() {
    for entry in entries() {
        let stored = entry.sample.to_json().unwrap();
        let read = |payload: &Value| {
            let text = payload.to_string();
            let of_text =
                Event::of_type(entry.stream, entry.name, &mut serde_json::Deserializer::from_str(&text));
            let of_value = Event::of_type(entry.stream, entry.name, payload.clone());
            let alone = Event::from_json(entry.stream, payload.clone());
            let known = [of_text.ok(), of_value.ok()];
            assert_eq!(known, [alone.as_ref().ok().cloned(), alone.ok()], "{payload}");
            known[0].is_some()
        };
        assert!(read(&stored), "{}", entry.name);
        // Of older shapes something may be missing, and of newer ones something is there that nobody knows.
        let fields = stored.as_object().unwrap();
        for field in fields.keys() {
            let mut less = fields.clone();
            less.remove(field);
            read(&less.into());
        }
        let mut more = fields.clone();
        more.insert("unheard_of".to_owned(), Value::from(1));
        assert!(read(&more.into()));

        for other in entries().iter().filter(|other| other.name != entry.name) {
            assert!(Event::of_type(other.stream, other.name, stored.clone()).is_err(), "{}", other.name);
        }
    }
}
