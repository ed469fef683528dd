use evident_domain::catalogue;

use super::*;
use crate::export::tests::{entry, golden, sealed, style};
use crate::export::{Form, Opening};

fn documents(opening: Opening) -> Vec<(&'static str, Json)> {
    let samples = catalogue::entries().into_iter().zip(1..);
    samples
        .map(|(of, position)| {
            let entry = entry(of.sample, position);
            let entry = if opening == Opening::Sealed { sealed(entry) } else { entry };
            (of.name, document(&entry, &style(Form::Ocsf, opening)))
        })
        .collect()
}

#[test]
fn every_event_has_the_attributes_that_its_class_requires() {
    for (name, document) in documents(Opening::Opened) {
        let class = document["class_uid"].as_u64().unwrap();
        let activity = document["activity_id"].as_u64().unwrap();
        assert_eq!(document["category_uid"], 3, "{name}");
        assert_eq!(document["type_uid"], class * 100 + activity, "{name}");
        assert!(document["time"].as_i64().unwrap() > 1_600_000_000_000, "{name}: milliseconds");
        assert!(document["severity_id"].is_u64() && document["status_id"].is_u64(), "{name}");
        assert_eq!(document["metadata"]["version"], OCSF_VERSION, "{name}");
        assert!(document["metadata"]["product"]["vendor_name"].is_string(), "{name}");
        assert!(document["actor"]["user"].is_object(), "{name}");
        let source = &document["src_endpoint"];
        assert!(source["ip"].is_string() || source["name"].is_string(), "{name}");
        let required: &[&str] = match class {
            3001 => &["user"],
            3002 => &["user", "service"],
            3004 => &["entity"],
            3005 => &["user", "privileges"],
            3006 => &["group", "user"],
            other => panic!("{name} is of class {other}"),
        };
        for attribute in required {
            assert!(
                document[*attribute].is_object() || document[*attribute].is_array(),
                "{name}: {attribute}"
            );
        }
    }
}

#[test]
fn one_event_of_each_class_is_as_its_golden_file_says() {
    let style = style(Form::Ocsf, Opening::Opened);
    for name in [
        "user.signed_up",
        "session.started",
        "attempt.sign_in_failed",
        "organization.created",
        "user.role_changed",
        "organization.member_added",
    ] {
        let of = catalogue::entries().into_iter().find(|of| of.name == name).unwrap();
        // One position for all: what comes into the catalogue before them changes nothing here.
        golden(&format!("ocsf.{name}"), &document(&entry(of.sample, 7), &style));
    }
}

#[test]
fn what_is_sealed_names_nobody() {
    for (name, document) in documents(Opening::Sealed) {
        let text = document.to_string();
        for personal in ["ann@example", "Ann", "1555000", "192.0.2"] {
            assert!(!text.contains(personal), "{name}: {text}");
        }
    }
}

#[test]
fn what_was_dropped_keeps_its_class() {
    for of in catalogue::entries() {
        let whole = entry(of.sample, 1);
        let dropped = Entry { event: None, ..whole.clone() };
        let style = style(Form::Ocsf, Opening::Opened);
        let (whole, dropped) = (document(&whole, &style), document(&dropped, &style));
        assert_eq!(whole["type_uid"], dropped["type_uid"], "{}", of.name);
        assert_eq!(place(&whole), place(&dropped));
    }
}
