//! `OpenAPI` 3.1 documents, made of tables: [`table`] has the words, [`render`] makes the document.

pub mod render;
pub mod table;

use crate::http::routes::Entry;
use table::Operation;

/// Whether there is a route for an operation at a path.
pub fn has_route(routes: &[Entry], operation: &Operation, path: &str) -> bool {
    let method = render::method_name(&operation.method);
    let mut entries = routes.iter().filter(|entry| entry.path == path);
    entries.any(|entry| entry.methods.iter().any(|found| found.as_str() == method))
}
