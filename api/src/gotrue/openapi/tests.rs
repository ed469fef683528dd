use std::collections::BTreeSet;

use super::*;
use crate::gotrue::routes;

/// Method and path of everything that the groups describe.
fn described_operations() -> BTreeSet<(String, String)> {
    let all = GROUPS.iter().flat_map(|(_, operations)| operations.iter());
    all.flat_map(|operation| {
        let method = crate::http::openapi::render::method_name(&operation.method).to_owned();
        let paths = [Some(operation.path.to_owned()), first_spelling(operation)];
        paths.into_iter().flatten().map(move |path| (method.clone(), path))
    })
    .collect()
}

/// The routes, without the second spellings that end in a slash.
fn routed_operations() -> BTreeSet<(String, String)> {
    let table = routes::table();
    let lines = table.table().iter().flat_map(|entry| {
        entry.methods.iter().map(|method| (method.as_str().to_owned(), entry.path.clone()))
    });
    lines.filter(|(_, path)| !path.ends_with('/')).collect()
}

fn written() -> serde_json::Value {
    serde_json::from_str(&describe(routes::table().table()).to_json().unwrap()).unwrap()
}

#[test]
fn every_route_is_described() {
    let missing: Vec<_> = routed_operations().difference(&described_operations()).cloned().collect();
    assert_eq!(missing, [], "each of these needs a line in a file of openapi/");
}

#[test]
fn the_document_holds_what_has_a_route_and_nothing_else() {
    let document = written();
    let paths = document["paths"].as_object().unwrap();
    let found: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    assert_eq!(found, routed_operations());
}

#[test]
fn a_slash_at_the_end_changes_no_method() {
    let table = routes::table();
    for entry in table.table().iter().filter(|entry| entry.path.ends_with('/') && !entry.methods.is_empty()) {
        let bare = entry.path.trim_end_matches('/');
        let twin = table.table().iter().find(|other| other.path == bare);
        assert_eq!(twin.map(|twin| &twin.methods), Some(&entry.methods), "{}", entry.path);
    }
}

#[test]
fn names_of_operations_and_documents_are_used_once_and_references_lead_somewhere() {
    let ids: Vec<&str> =
        GROUPS.iter().flat_map(|(_, all)| all.iter().map(|operation| operation.id)).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
    let document = written();
    assert_eq!(document["openapi"], "3.1.0");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn the_table_of_the_reference_is_described_whole() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/conformance/gotrue-endpoints.json");
    let table: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let described = described_operations();
    for row in table.as_array().unwrap() {
        let (method, path) = (row["method"].as_str().unwrap(), row["path"].as_str().unwrap());
        let bare = path.split('?').next().unwrap();
        assert!(described.contains(&(method.to_owned(), bare.to_owned())), "{method} {path}");
    }
}
