use std::path::Path;

use evident_domain::{
    Actor, Event, EventId, Personal, Position, Provenance, Recorded, StreamId, Subject, Surface, Time,
    UserId, catalogue,
};
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Entry, Form, Opening, Style};
use crate::archive::{SealedContent, SealedEvent};
use crate::merkle::Leaf;
use crate::seal::{SealingKey, seal_payload};

struct Zeros;

impl std::fmt::Debug for Zeros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zeros")
    }
}

impl evident_domain::ports::Entropy for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

pub(super) fn style(form: Form, opening: Opening) -> Style {
    Style { form, source: "https://auth.example.com".to_owned(), opening }
}

/// A sample at a position; with its personal fields sealed where the style says so.
pub(super) fn entry(sample: Event, position: u64) -> Entry {
    let (kind, version) = sample.kind();
    let user = UserId(Uuid::from_u128(0x0a11_a11a_0000_4000_8000_0000_0000_0001));
    let id = EventId(Uuid::from_u128(0x0e4e_0000_0000_4000_8000_0000_0000_0000 + u128::from(position)));
    let stream = StreamId { kind: sample.stream_kind(), id: Uuid::from_u128(u128::from(position)) };
    let time = Time::from_timestamp_micros(1_795_226_118_540_517).unwrap();
    let leaf = Leaf {
        actor: format!("user:{user}").into(),
        content: "00".repeat(32),
        id,
        position: Position(position),
        sequence: 1,
        stream: stream.to_string(),
        subject: Some(Subject::User(user).to_string().into()),
        time: time.timestamp_micros(),
        kind: kind.into(),
        version: version.into(),
    };
    let provenance = Provenance {
        ip: Some(Personal::Known([192, 0, 2, 7].into())),
        user_agent: Some("Firefox/140.0".to_owned().into()),
        client: Some("supabase-js/2.0".to_owned()),
        ..Provenance::internal(Actor::User { id: user }, Surface::Gotrue, Uuid::from_u128(4))
    };
    let event = Recorded {
        position: Position(position),
        id,
        stream,
        sequence: 1,
        occurred_at: time,
        subject: Some(Subject::User(user)),
        provenance,
        event: sample,
    };
    let content = SealedContent { salt: vec![1], payload: "null".to_owned(), metadata: "{}".to_owned() };
    Entry { sealed: SealedEvent { leaf, content: Some(content) }, event: Some(event) }
}

/// The same with everything personal sealed.
pub(super) fn sealed(mut entry: Entry) -> Entry {
    if let Some(event) = &mut entry.event {
        let mut payload = event.event.to_json().unwrap();
        seal_payload(&mut payload, &SealingKey::new(&[7; 32]), "event", &Zeros).unwrap();
        event.event = Event::from_json(event.stream.kind, payload).unwrap();
        event.provenance.ip = Some(Personal::Sealed("x".to_owned()));
        event.provenance.user_agent = Some(Personal::Sealed("x".to_owned()));
    }
    entry
}

/// Holds a document against its golden file; `UPDATE_GOLDEN=1` writes it.
pub(super) fn golden(name: &str, document: &Json) {
    let mut document = document.clone();
    if let Some(version) = document.pointer_mut("/metadata/product/version") {
        *version = "(ours)".into();
    }
    let document = &document;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(document).unwrap() + "\n";
        std::fs::write(&file, text).unwrap();
    }
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert_eq!(*document, serde_json::from_str::<Json>(&text).unwrap(), "{name} has another shape now");
}

#[test]
fn an_event_as_cloud_event_is_as_its_golden_file_says() {
    let signed_up = catalogue::samples().remove(0);
    for (name, opening) in [("sealed", Opening::Sealed), ("opened", Opening::Opened)] {
        let entry = entry(signed_up.clone(), 1);
        let entry = if opening == Opening::Sealed { sealed(entry) } else { entry };
        let written = style(Form::CloudEvents, opening).write(&entry);
        golden(&format!("cloudevents.user.signed_up.{name}"), &serde_json::from_str(&written).unwrap());
    }
}

/// `CloudEvents` 1.0, "Required attributes" and "Attribute naming convention".
#[test]
fn every_event_is_a_cloud_event() {
    for (of, position) in catalogue::entries().into_iter().zip(1..) {
        let entry = entry(of.sample, position);
        let written = style(Form::CloudEvents, Opening::Opened).write(&entry);
        let document: Json = serde_json::from_str(&written).unwrap();
        assert_eq!(document["specversion"], "1.0");
        for (name, value) in document.as_object().unwrap() {
            assert!(name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
            assert!(name == "data" || value.is_string(), "{name}");
        }
        for name in ["id", "source", "type"] {
            assert!(!document[name].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn every_form_tells_which_event_a_line_is_of() {
    for form in [Form::CloudEvents, Form::Ocsf, Form::Csv] {
        for opening in [Opening::Sealed, Opening::Opened] {
            let style = style(form, opening);
            for (of, position) in catalogue::entries().into_iter().zip(1..) {
                let entry = entry(of.sample, position);
                let written = style.write(&entry);
                let place = Some((Position(position), entry.sealed.leaf.id));
                assert_eq!(style.place(&written), place, "{form:?} {}", of.name);
                let dropped = Entry { event: None, ..entry };
                assert_eq!(style.place(&style.write(&dropped)), place, "{form:?} {}", of.name);
            }
            assert_eq!(style.place(&style.head().unwrap_or_default()), None);
            assert_eq!(style.place("{}"), None);
        }
    }
}

#[test]
fn a_formula_in_a_spreadsheet_stays_text() {
    let mut entry = entry(catalogue::samples().remove(0), 1);
    if let Some(event) = &mut entry.event {
        event.provenance.user_agent = Some("=HYPERLINK(\"http://evil.example\")".to_owned().into());
        event.provenance.client = Some("@SUM(1)".to_owned());
    }
    let written = style(Form::Csv, Opening::Opened).write(&entry);
    assert!(
        written.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\",") && written.contains("\"'@SUM(1)\"")
    );
}
