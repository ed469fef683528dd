//! The log's proofs.

use super::{Setting, setting};
use crate::config::parse::{FilePath, Maybe, Positive, Text, WebAddress, Witnesses};

pub(super) const PROOFS: &[Setting] = &[
    setting!(
        "audit.origin",
        Maybe<Text>,
        settings.proofs.origin,
        [],
        "auth.example.com/audit",
        "The log's name in its checkpoints. It is kept at the first start; a later change has no effect.",
        "the host of `site.external_url` and `/audit`; where that is no public name, one made by chance",
    ),
    setting!(
        "audit.witnesses",
        Witnesses,
        settings.proofs.witnesses,
        [],
        "https://witness.example.com witness.example.com+bc5b89b9+BP+5ewBE1TR35p0XRvLw8L8pnetCdvCE3/7ew4N4qUju",
        "Witnesses that are asked to cosign checkpoints: address and verifier key, a space between.",
        "nobody is asked",
    ),
    setting!(
        "audit.witness_every",
        Positive,
        settings.proofs.witness_every,
        [],
        "10s",
        "How often the witnesses are asked, at most.",
    ),
    setting!(
        "audit.checkpoints_to_file",
        Maybe<FilePath>,
        settings.proofs.to_file,
        [],
        "/mnt/auditor/checkpoint-{size}",
        "The file that checkpoints are written to. `{size}` stands for the number of events, `{time}` for the time.",
        "none are written",
    ),
    setting!(
        "audit.checkpoints_to_url",
        Maybe<WebAddress>,
        settings.proofs.to_url,
        [],
        "https://auditor.example.com/checkpoints",
        "Where checkpoints are posted, as `text/plain`.",
        "none are posted",
    ),
    setting!(
        "audit.checkpoints_every",
        Positive,
        settings.proofs.to_every,
        [],
        "60s",
        "How often checkpoints are written out, at most.",
    ),
];
