//! The catalogue as a page for people: `docs/events.md`.

use std::fmt::Write;

use super::{Entry, Field, entries, names, plain_types};
use crate::{Claim, ClaimChange, ClaimKind, StreamKind};

const HEAD: &str = "\
# The event catalogue

This page is printed from the code (`domain/src/catalogue`); `UPDATE_DOCS=1 cargo test -p evident-domain`
writes it anew.

Every change is one of these events, and the log holds nothing else. A released name and version never
changes its shape: a new shape gets a new version, and the old one is made new when it is read.

- The payload is a JSON object: `type`, and the fields below. A field that is *optional* may be `null`.
- A *personal* field is sealed in the log under a key of the event's subject: it stands there as
  `{\"$sealed\": \"…\"}`, who may read it sees `{\"$personal\": …}`, and once the key is destroyed it reads as
  `\"$erased\"`, for ever.
- Who did it, when, from where, by which door and in which request stands beside every payload, in the
  event's envelope.
- A *claim* is a value that one user or organization at most holds: an e-mail address, a phone number, an
  identity (`provider:id`), the slug of an organization. Who takes another address or number gives back the one before.
- Times are RFC 3339 in UTC, to the microsecond. Of tokens, codes and passwords there are hashes only.
";

/// The page `docs/events.md`.
pub fn markdown() -> String {
    let entries = entries();
    let mut page = HEAD.to_owned();
    for stream in StreamKind::ALL {
        let of_stream = || entries.iter().filter(|entry| entry.stream == stream);
        page.push_str(&heading(stream));
        page.push_str("\n| Event | Version | Meaning |\n|---|---|---|\n");
        for entry in of_stream() {
            let anchor = entry.name.replace('.', "");
            line(
                &mut page,
                format_args!(
                    "| [`{}`](#{anchor}) | {} | {} |",
                    entry.name,
                    entry.version,
                    first_sentence(entry.description.meaning)
                ),
            );
        }
        for entry in of_stream() {
            section(&mut page, entry);
        }
    }
    types(&mut page);
    page
}

fn heading(stream: StreamKind) -> String {
    let (title, about) = match stream {
        StreamKind::User => {
            ("User", "An account. Its stream is named by the user's id, and so is the key of its data.")
        }
        StreamKind::Session => (
            "Session",
            "A signed-in device. A stream of its own, so that signing in does not grow the user's.",
        ),
        StreamKind::Organization => (
            "Organization",
            "Members with their roles, invitations, teams. One stream an organization, so that two owners cannot \
             leave at once.",
        ),
        StreamKind::SsoProvider => {
            ("Identity provider", "The identity provider of an organization, as administrators describe it.")
        }
        StreamKind::Flow => (
            "Flow",
            "A sign-in that is under way, at another provider or in a mail; short-lived, and redeemed once.",
        ),
        StreamKind::Recipient => (
            "Recipient",
            "An address or number that messages are asked for, with an account behind it or none. Its stream is \
             named by a keyed hash.",
        ),
        StreamKind::Provider => (
            "Provider",
            "Another server that people sign in with, registered by an administrator while the server runs.",
        ),
        StreamKind::Client => (
            "Client",
            "An application that users let act with a part of what they may (OAuth). Nothing here is a person's.",
        ),
        StreamKind::Authorization => (
            "Authorization",
            "A client asks a user for access; short-lived, decided once, and its code redeemed once.",
        ),
        StreamKind::Consent => ("Consent", "What one user granted to one client. Its id follows from both."),
        StreamKind::Hold => (
            "Legal hold",
            "What must be kept, whatever retention says and whoever asks to be forgotten. There is one stream, the \
             register.",
        ),
        StreamKind::Audit => (
            "Reading",
            "That somebody read the log. One stream a reader and minute; its id follows from both under a key.",
        ),
        StreamKind::Log => (
            "Publication",
            "What the log shows of itself: from which entry on it is handed out, and by which keys it is signed. There \
             is one stream.",
        ),
        StreamKind::Attempt => (
            "Attempt",
            "What was tried and refused. One stream an attempt, so that nobody can make another's stream grow.",
        ),
    };
    format!("\n## {title}: `{}`\n\n{about}\n", stream.as_str())
}

fn section(page: &mut String, entry: &Entry) {
    line(
        page,
        format_args!("\n### {}\n\nVersion {}. {}", entry.name, entry.version, entry.description.meaning),
    );
    let claims: Vec<_> = entry.sample.claims().iter().map(claim_sentence).collect();
    if !claims.is_empty() {
        line(page, format_args!("\nClaims: {}.", claims.join("; ")));
    }
    if !entry.description.fields.is_empty() {
        page.push_str("\n| Field | Type | Meaning |\n|---|---|---|\n");
        for field in entry.description.fields {
            line(page, format_args!("| `{}` | {} | {} |", field.name, type_cell(field), cell(field.meaning)));
        }
    }
    let sample = entry.sample.to_json().and_then(|json| serde_json::to_string_pretty(&json));
    line(page, format_args!("\n```json\n{}\n```", sample.unwrap_or_default()));
}

fn types(page: &mut String) {
    page.push_str("\n## Types\n\n| Type | In the payload |\n|---|---|\n");
    for (name, form) in plain_types() {
        line(page, format_args!("| `{name}` | {} |", cell(form)));
    }
    for names in names() {
        line(page, format_args!("\n### {}\n\n| Name | Meaning |\n|---|---|", names.of));
        for (name, meaning) in &names.names {
            line(page, format_args!("| `{name}` | {} |", cell(meaning)));
        }
    }
}

fn type_cell(field: &Field) -> String {
    let mut cell = format!("`{}`", field.value_type());
    if field.is_optional() {
        cell.push_str(", optional");
    }
    if field.is_personal() {
        cell.push_str(", **personal**");
    }
    cell
}

fn claim_sentence(change: &ClaimChange) -> String {
    match change {
        ClaimChange::Take(Claim { kind, .. }) => format!("takes the {}", claimed(*kind)),
        ClaimChange::Release(Claim { kind, .. }) => format!("gives back the {}", claimed(*kind)),
        ClaimChange::ReleaseKind(kind) => format!("gives back every {}", claimed(*kind)),
        ClaimChange::ReleaseAll => "gives back everything".to_owned(),
    }
}

const fn claimed(kind: ClaimKind) -> &'static str {
    match kind {
        ClaimKind::Email => "e-mail address",
        ClaimKind::Phone => "phone number",
        ClaimKind::Identity => "identity",
        ClaimKind::Provider => "provider's identifier",
        ClaimKind::OrganizationSlug => "organization's slug",
        ClaimKind::Passkey => "passkey",
        ClaimKind::Username => "username",
        ClaimKind::SsoDomain => "provider's domain",
        ClaimKind::SsoEntity => "provider's entity id",
        ClaimKind::SsoResource => "provider's name",
    }
}

fn first_sentence(meaning: &str) -> String {
    let end = meaning.find(". ").map_or(meaning.len(), |dot| dot + 1);
    cell(&meaning[..end])
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{text}");
}
