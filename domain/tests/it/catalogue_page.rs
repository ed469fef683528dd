//! `docs/events.md` is what the code says.

use std::path::Path;

use evident_domain::catalogue::markdown;

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, no setting of the server")]
fn the_page_of_events_is_printed_from_the_code() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events.md");
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&page, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        written == markdown(),
        "docs/events.md is not what the events say: UPDATE_DOCS=1 cargo test -p evident-domain writes it"
    );
}
