use std::collections::BTreeSet;

use super::*;
use crate::audit::routes;
use crate::http::openapi::render::method_name;

fn described_operations() -> BTreeSet<(String, String)> {
    let all = GROUPS.iter().flat_map(|(_, operations)| operations.iter());
    all.map(|operation| (method_name(&operation.method).to_owned(), operation.path.to_owned())).collect()
}

fn routed_operations() -> BTreeSet<(String, String)> {
    let table = routes::table();
    let lines = table.table().iter().flat_map(|entry| {
        entry.methods.iter().map(|method| (method.as_str().to_owned(), entry.path.clone()))
    });
    lines.collect()
}

#[test]
fn every_route_is_described_and_nothing_else() {
    assert_eq!(routed_operations(), described_operations(), "each route has a line in a file of openapi/");
}

#[test]
fn references_lead_somewhere_and_names_are_used_once() {
    let ids: Vec<&str> =
        GROUPS.iter().flat_map(|(_, all)| all.iter().map(|operation| operation.id)).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len());
    let document = describe(routes::table().table()).to_json().unwrap();
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["servers"][0]["url"], "/audit");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}
