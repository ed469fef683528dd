//! Every endpoint of the reference, called: `docs/conformance-gotrue.md` is what came of it.
//!
//! `tests/conformance/gotrue-endpoints.json` has the facts: method, path, who may call, status and fields
//! of a success, statuses of refusals. Here each row has a way that leads to the success (`accounts`,
//! `factors`, …). A row whose route is not served counts as "not there"; once it is, it has to work.

mod accounts;
mod admin;
mod discovery;
mod external;
mod factors;
mod oauth;
mod page;
mod refusals;
mod row;
mod world;

use std::panic::AssertUnwindSafe;
use std::path::Path;

use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::support::{Anonymous, Reply, say_aloud};
use page::{Line, Verdict};
use row::{How, Row};
use world::World;

const ROWS: &[&[Row]] =
    &[accounts::ROWS, factors::ROWS, external::ROWS, admin::ROWS, oauth::ROWS, discovery::ROWS];

/// A row of the reference's table.
#[derive(Debug, serde::Deserialize)]
struct Endpoint {
    method: String,
    path: String,
    auth: String,
    success: u16,
    /// Fields of the answer; `?` marks those that may be absent. None where the answer has several forms.
    answers: Option<Vec<String>>,
    #[serde(default)]
    body: bool,
    refusals: Vec<u16>,
    #[serde(default)]
    seed: bool,
}

impl Endpoint {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

fn endpoints() -> Vec<Endpoint> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/conformance/gotrue-endpoints.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

on_both_databases!(every_endpoint_of_the_reference_is_called, async |database| {
    let world = World::start(&database).await;
    let document = world.server.get(&Anonymous, "/openapi.json").await.ok();
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for endpoint in endpoints() {
        let name = endpoint.name();
        let row = ROWS.iter().copied().flatten().find(|row| row.name == name);
        let row = row.unwrap_or_else(|| panic!("{name} has no way to its success"));
        if !is_served(&world, &document, &endpoint).await {
            lines.push(Line { endpoint, verdict: Verdict::NotThere, refusals: Vec::new(), remark: "" });
            continue;
        }
        match call(&world, &endpoint, row).await {
            Ok((verdict, refusals)) => {
                let remark = if verdict == Verdict::NotThere { "" } else { row.remark };
                lines.push(Line { endpoint, verdict, refusals, remark });
            }
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    world.server.assert_log_is_whole();
    assert!(faults.is_empty(), "{} rows do not hold:\n{}", faults.len(), faults.join("\n"));
    let missing: Vec<String> = lines
        .iter()
        .filter(|line| line.endpoint.seed && line.verdict == Verdict::NotThere)
        .map(|line| line.endpoint.name())
        .collect();
    if !missing.is_empty() {
        say_aloud(&format!("endpoints of the seed documents that are not there yet: {}", missing.join(", ")));
    }
    page::hold_against(&page::written(&lines));
});

/// Every row stands in one of the tables, once.
#[test]
fn the_rows_are_those_of_the_reference() {
    let mut ours: Vec<&str> = ROWS.iter().copied().flatten().map(|row| row.name).collect();
    let mut theirs: Vec<String> = endpoints().iter().map(Endpoint::name).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs);
}

/// Whether there is a route; a grant is there when it is not refused as unknown.
async fn is_served(world: &World, document: &Value, endpoint: &Endpoint) -> bool {
    if endpoint.path.contains('?') {
        let reply = world.server.post(&Anonymous, &endpoint.path, json!({})).await;
        return reply.json()["msg"] != "unsupported_grant_type";
    }
    document["paths"][&endpoint.path][endpoint.method.to_lowercase()].is_object()
}

/// Everything is switched on: what says that it is off is not there at all.
fn is_switched_off(reply: &Reply) -> bool {
    reply.status == 404 && reply.header("x-sb-error-code").ends_with("_disabled")
}

type Outcome = Result<(Verdict, Vec<u16>), String>;

async fn call(world: &World, endpoint: &Endpoint, row: &Row) -> Outcome {
    let verdict = match row.how {
        How::Succeeds(scenario) => {
            let reply = quietly(scenario(world)).await?;
            if is_switched_off(&reply) {
                return Ok((Verdict::NotThere, Vec::new()));
            }
            expect(&reply, endpoint.success)?;
            check_fields(endpoint, &reply)?;
            if row.remark.is_empty() { Verdict::Works } else { Verdict::Differs }
        }
        How::Elsewhere(file) => Verdict::TestedIn(file),
        How::Answers(status, scenario) => {
            expect(&quietly(scenario(world)).await?, status)?;
            Verdict::Differs
        }
    };
    let refusals = quietly(refusals::provoke(world, endpoint)).await??;
    Ok((verdict, refusals))
}

/// What a scenario says when it cannot go on, as a text.
async fn quietly<T>(scenario: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(scenario).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

fn expect(reply: &Reply, status: u16) -> Result<(), String> {
    if reply.status == status {
        return Ok(());
    }
    Err(format!("{status} was expected, not {}: {}", reply.status, reply.text))
}

/// All fields that must be there are, and no others than may be.
fn check_fields(endpoint: &Endpoint, reply: &Reply) -> Result<(), String> {
    let Some(fields) = &endpoint.answers else { return Ok(()) };
    if fields.iter().any(|field| field == "Location") {
        return if reply.header("location").is_empty() { Err("no Location".to_owned()) } else { Ok(()) };
    }
    let body = if reply.text.is_empty() || reply.header("content-type").contains("xml") {
        json!({})
    } else {
        reply.json()
    };
    let documents = match (&body, fields.first().is_some_and(|field| field.starts_with("[]."))) {
        (Value::Array(items), true) => items.iter().collect(),
        (Value::Object(_), false) => vec![&body],
        _ => return Err(format!("a document of another kind: {body}")),
    };
    for document in documents {
        let names: Vec<&str> = fields.iter().map(|field| field.trim_start_matches("[].")).collect();
        for name in names.iter().filter(|name| !name.ends_with('?')) {
            if document.get(name).is_none() {
                return Err(format!("no {name} in {document}"));
            }
        }
        for key in document.as_object().into_iter().flat_map(|object| object.keys()) {
            if !names.iter().any(|name| name.trim_end_matches('?') == key) {
                return Err(format!("{key} is no field of the reference: {document}"));
            }
        }
    }
    Ok(())
}
