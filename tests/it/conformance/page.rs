//! The page `docs/conformance-gotrue.md`.

use std::fmt::Write as _;
use std::path::Path;

use super::Endpoint;

/// What is said of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Works,
    /// Works; its success is tested in this file.
    TestedIn(&'static str),
    Differs,
    NotThere,
}

/// A row of the page.
pub(super) struct Line {
    pub(super) endpoint: Endpoint,
    pub(super) verdict: Verdict,
    /// Refusals that were provoked.
    pub(super) refusals: Vec<u16>,
    pub(super) remark: &'static str,
}

const HEAD: &str = "\
# Conformance with Supabase Auth

Every endpoint of Supabase Auth (GoTrue) as of August 2026, and whether it is here. A test starts the server, calls
each one, compares status and fields of the answer with the reference, and writes this page:
`UPDATE_DOCS=1 cargo test -p evident-api --test it conformance`.

- *works*: the success and the refusals that are listed were seen, with the reference's fields and in its form.
- *differs on purpose*: the wire form is the reference's, the behaviour is safer as the remark says; more of that
  stands in [differences.md](differences.md).
- *not there*: there is no such route yet.

Endpoints marked with ¹ stand in the documents that the project started from.
";

pub(super) fn written(lines: &[Line]) -> String {
    let mut page = HEAD.to_owned();
    let count = |verdicts: fn(Verdict) -> bool| lines.iter().filter(|line| verdicts(line.verdict)).count();
    // Writing to a string cannot fail.
    let _ = writeln!(
        page,
        "\nOf {} endpoints {} work, {} of these differ on purpose, and {} are not there.\n",
        lines.len(),
        count(|verdict| verdict != Verdict::NotThere),
        count(|verdict| verdict == Verdict::Differs),
        count(|verdict| verdict == Verdict::NotThere),
    );
    page.push_str("| Endpoint | | Success | Refusals seen | Remark |\n|---|---|---|---|---|\n");
    for line in lines {
        let (endpoint, verdict) = (&line.endpoint, line.verdict);
        let there = verdict != Verdict::NotThere;
        let _ = writeln!(
            page,
            "| `{}`{} | {} | {} | {} | {} |",
            endpoint.name(),
            if endpoint.seed { " ¹" } else { "" },
            match verdict {
                Verdict::Works | Verdict::TestedIn(_) if line.remark.is_empty() => "works",
                Verdict::NotThere => "**not there**",
                Verdict::Works | Verdict::TestedIn(_) | Verdict::Differs => "differs on purpose",
            },
            if there { endpoint.success.to_string() } else { String::new() },
            line.refusals.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
            match verdict {
                Verdict::TestedIn(file) => format!("{} (success: `{file}`)", line.remark).trim().to_owned(),
                Verdict::Works | Verdict::Differs | Verdict::NotThere => line.remark.to_owned(),
            },
        );
    }
    page
}

/// The page is what was seen; with `UPDATE_DOCS` it is written anew.
pub(super) fn hold_against(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance-gotrue.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page).unwrap();
        return;
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    let differs = there.lines().zip(page.lines()).find(|(there, seen)| there != seen);
    assert!(
        there == page,
        "the page says otherwise ({differs:?}); `UPDATE_DOCS=1 cargo test -p evident-api --test it conformance` \
         writes it anew"
    );
}
