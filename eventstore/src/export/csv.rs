//! CSV (RFC 4180): every cell quoted, lines end with CR LF. A cell that a spreadsheet would take for a
//! formula gets an apostrophe in front, which spreadsheets take for "this is text".

use evident_domain::{EventId, Position};

use super::Entry;
use super::plain::{self, moment_of};

/// The columns.
pub const CSV_HEAD: [&str; 16] = [
    "position",
    "id",
    "type",
    "version",
    "stream",
    "sequence",
    "occurred_at",
    "actor",
    "subject",
    "request_id",
    "causation",
    "surface",
    "client",
    "ip",
    "user_agent",
    "data",
];

pub(super) fn head() -> String {
    line(CSV_HEAD)
}

pub(super) fn record(entry: &Entry) -> String {
    let leaf = &entry.sealed.leaf;
    let event = entry.event.as_ref();
    let provenance = event.map(|event| &event.provenance);
    let text = |text: Option<String>| text.unwrap_or_default();
    line([
        leaf.position.to_string(),
        leaf.id.to_string(),
        leaf.kind.to_string(),
        leaf.version.to_string(),
        leaf.stream.clone(),
        leaf.sequence.to_string(),
        moment_of(leaf.time),
        leaf.actor.to_string(),
        text(leaf.subject.as_deref().map(str::to_owned)),
        text(provenance.map(|provenance| provenance.request_id.to_string())),
        text(provenance.and_then(|provenance| provenance.causation).map(|id| id.to_string())),
        text(provenance.map(|provenance| provenance.surface.as_str().to_owned())),
        text(provenance.and_then(|provenance| provenance.client.clone())),
        text(event.and_then(plain::ip)),
        text(event.and_then(plain::agent).map(str::to_owned)),
        text(event.map(|event| plain::data(&event.event).to_string())),
    ])
}

fn line<T: AsRef<str>>(cells: impl IntoIterator<Item = T>) -> String {
    let mut line = String::new();
    for cell in cells {
        let cell = cell.as_ref();
        if !line.is_empty() {
            line.push(',');
        }
        line.push('"');
        if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
            line.push('\'');
        }
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    }
    line.push_str("\r\n");
    line
}

pub(super) fn place(record: &str) -> Option<(Position, EventId)> {
    let mut cells = record.trim_start_matches(['\r', '\n']).split(',');
    let mut cell = || cells.next()?.strip_prefix('"')?.strip_suffix('"');
    Some((Position(cell()?.parse().ok()?), cell()?.parse().ok()?))
}

/// Finds in bytes that continue a CSV file where the last whole record ends. `quoted` says whether the
/// bytes begin inside quotes, and tells it for what comes behind them.
pub fn record_end(bytes: &[u8], quoted: &mut bool) -> Option<usize> {
    let mut end = None;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' => *quoted = !*quoted,
            b'\n' if !*quoted => end = Some(at + 1),
            _ => {}
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 4180 by the book, written apart from what writes.
    fn read(text: &str) -> Vec<Vec<String>> {
        let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
        let (mut chars, mut quoted) = (text.chars().peekable(), false);
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    chars.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => record.push(std::mem::take(&mut cell)),
                '\r' if !quoted => {}
                '\n' if !quoted => {
                    record.push(std::mem::take(&mut cell));
                    records.push(std::mem::take(&mut record));
                }
                other => cell.push(other),
            }
        }
        assert!(!quoted && record.is_empty() && cell.is_empty(), "half a record is left: {text:?}");
        records
    }

    proptest! {
        #[test]
        fn whatever_stands_in_cells_reads_back_and_begins_no_formula(
            records in prop::collection::vec(
                prop::collection::vec("[=+@\"',;\\-\t\r\na-z0-9é\u{1f511}]{0,12}", 1..6), 1..6)
        ) {
            let text: String = records.iter().map(line).collect();
            let back = read(&text);
            prop_assert_eq!(back.len(), records.len());
            for (cell, written) in back.iter().flatten().zip(records.iter().flatten()) {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", cell);
                prop_assert!(cell == written || cell.strip_prefix('\'') == Some(written));
            }
        }

        #[test]
        fn the_last_whole_record_is_found_wherever_a_file_was_cut(
            records in prop::collection::vec(prop::collection::vec("[\"\r\na-z]{0,6}", 1..4), 1..5),
            cut in 0_usize..200, part in 1_usize..9,
        ) {
            let lines: Vec<String> = records.iter().map(line).collect();
            let text = lines.concat();
            let cut = cut.min(text.len());
            let (mut quoted, mut end) = (false, 0);
            for (n, bytes) in text.as_bytes()[..cut].chunks(part).enumerate() {
                if let Some(found) = record_end(bytes, &mut quoted) {
                    end = n * part + found;
                }
            }
            let mut whole = 0;
            for line in &lines {
                if whole + line.len() <= cut {
                    whole += line.len();
                }  else {
                    break;
                }
            }
            prop_assert_eq!(end, whole);
        }
    }
}
