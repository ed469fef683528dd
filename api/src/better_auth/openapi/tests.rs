use std::collections::BTreeSet;

use super::*;
use crate::better_auth::routes;
use crate::http::openapi::render::method_name;

/// The document itself is no operation of the protocol.
const OWN: &str = "/open-api/generate-schema";

fn described_operations() -> BTreeSet<(String, String)> {
    let all = GROUPS.iter().flat_map(|(_, operations)| operations.iter());
    all.map(|operation| (method_name(&operation.method).to_owned(), operation.path.to_owned())).collect()
}

fn routed_operations() -> BTreeSet<(String, String)> {
    let entries = routes::entries();
    let lines = entries.iter().flat_map(|entry| {
        entry.methods.iter().map(|method| (method.as_str().to_owned(), entry.path.clone()))
    });
    lines.filter(|(_, path)| path != OWN).collect()
}

#[test]
fn every_route_is_described() {
    let missing: Vec<_> = routed_operations().difference(&described_operations()).cloned().collect();
    assert_eq!(missing, [], "each of these needs a line in a file of openapi/");
}

#[test]
fn the_document_holds_what_has_a_route_and_its_references_lead_somewhere() {
    let document = describe(&routes::entries(), "/api/auth", "better-auth.session_token");
    let document: serde_json::Value = serde_json::from_str(&document.to_json().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let found: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    assert_eq!(found, routed_operations());
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn the_table_of_the_reference_is_described_whole() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/conformance/better-auth-endpoints.json");
    let table: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let described = described_operations();
    for row in table.as_array().unwrap() {
        let (method, path) = (row["method"].as_str().unwrap(), row["path"].as_str().unwrap());
        assert!(described.contains(&(method.to_owned(), path.to_owned())), "{method} {path}");
    }
}
