//! The certificate of an erasure: made from the log, whenever it is asked for, and kept nowhere.

use evident_domain::organization::{InvitationEnd, OrganizationEvent};
use evident_domain::user::UserEvent;
use evident_domain::{Event, Position, Recorded, StreamId, Subject, UserId};
use evident_eventstore::tlog::{CheckpointError, Checkpoints, InclusionProof, SignError, TreeError};
use evident_eventstore::{EventStore, Filter, StoreError};
use evident_projections::views;
use serde::{Deserialize, Serialize};

/// What certificates are called in the note that they are.
const KIND: &str = "erasure certificate";
/// Events of the erasing command that are looked at in one go.
const PAGE: u32 = 500;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErasureCertificate {
    /// Who was forgotten, by the pseudonym that stays in the log.
    pub subject: String,
    /// When the erasing event was committed.
    pub erased_at: String,
    /// Its place in the log.
    pub position: Position,
    /// Its id.
    pub event: String,
    /// What the tree says of it, word for word: these bytes are the leaf.
    pub leaf: String,
    /// The keys that were destroyed, by whose data they sealed. Looked at when the certificate was made: none
    /// of them is there.
    pub keys_destroyed: Vec<String>,
    /// The tables that were looked at when the certificate was made: none has a row about the person.
    pub tables_cleared: Vec<String>,
    /// When the certificate was made.
    pub issued_at: String,
    /// That the leaf is in the log's tree, and the checkpoint that says so (C2SP tlog-proof).
    pub inclusion_proof: String,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Nobody of this id was erased.
    #[error("nobody of this id was erased")]
    NotErased,
    /// Something is still there: the erasure is going on, or was interrupted and is made good at the next start.
    #[error("the erasure is not complete: {0} is still there")]
    Incomplete(String),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No checkpoint can be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The certificate cannot be signed.
    #[error(transparent)]
    Note(#[from] CheckpointError),
    /// The certificate cannot be written.
    #[error("the certificate cannot be written")]
    Encode(#[from] serde_json::Error),
}

/// The certificate of an erasure as a signed note (C2SP): its kind, a line of JSON ([`ErasureCertificate`]), the
/// signature of the log's key.
///
/// # Errors
/// When nobody was erased, something is still there, or the log cannot be read or signed.
pub async fn erasure_certificate(
    checkpoints: &Checkpoints,
    user: UserId,
) -> Result<String, CertificateError> {
    let store = checkpoints.store();
    let (erased, subjects) = erasure(store, user).await?.ok_or(CertificateError::NotErased)?;
    store.vault().catch_up().await.map_err(StoreError::from)?;
    let left = store.vault().find_keys(&subjects).await.map_err(StoreError::from)?;
    if let Some(subject) = left.keys().next() {
        return Err(CertificateError::Incomplete(format!("the key of {subject}")));
    }
    let mut tables = Vec::new();
    for found in views::rows_of_person(store.database(), user).await.map_err(StoreError::from)? {
        if !found.rows.is_empty() {
            return Err(CertificateError::Incomplete(format!("a row of {}", found.table)));
        }
        tables.push(found.table);
    }
    if !store.messages_of(&Subject::User(user)).await?.is_empty() {
        return Err(CertificateError::Incomplete("a row of outbox".to_owned()));
    }
    tables.push("outbox".to_owned());

    let before = Position(erased.position.0.saturating_sub(1));
    let rows = store.sealed_page(before, 1, &Filter::default()).await?;
    let row = rows.into_iter().next().ok_or(CertificateError::NotErased)?;
    let leaf = row.event.leaf.to_bytes()?;
    let checkpoint = checkpoints.sign().await?;
    let hashes = checkpoints.tree().inclusion(before.0, checkpoint.size).await?;
    let time = |time: evident_domain::Time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let certificate = ErasureCertificate {
        subject: Subject::User(user).to_string(),
        erased_at: time(erased.occurred_at),
        position: erased.position,
        event: erased.id.to_string(),
        leaf: String::from_utf8_lossy(&leaf).into_owned(),
        keys_destroyed: subjects.iter().map(ToString::to_string).collect(),
        tables_cleared: tables,
        issued_at: time(store.clock().now()),
        inclusion_proof: InclusionProof::new(before.0, hashes, &checkpoint).to_text(),
    };
    Ok(checkpoints.key().sign_statement(KIND, &serde_json::to_string(&certificate)?)?)
}

/// The erasing event of a person, and whose keys went with it: their own, and those of invitations that the
/// same command took back.
async fn erasure(store: &EventStore, user: UserId) -> Result<Option<(Recorded, Vec<Subject>)>, StoreError> {
    let events = store.load(StreamId::user(user)).await?;
    let erased = |event: &Recorded| matches!(event.event, Event::User(UserEvent::Erased { .. }));
    let Some(event) = events.into_iter().find(erased) else { return Ok(None) };
    let (mut subjects, mut after) = (vec![Subject::User(user)], event.position);
    // The events of one command stand together, the user's first.
    'pages: loop {
        let page = store.page(after, PAGE, &Filter::default()).await?;
        for recorded in &page {
            if recorded.provenance.request_id != event.provenance.request_id {
                break 'pages;
            }
            if let Event::Organization(OrganizationEvent::InvitationCanceled {
                invitation,
                end: InvitationEnd::RecipientErased,
            }) = &recorded.event
            {
                subjects.push(Subject::Invitation(*invitation));
            }
        }
        match page.last() {
            Some(last) => after = last.position,
            None => break,
        }
    }
    Ok(Some((event, subjects)))
}

/// What a certificate says, if a log's key has signed it and its proof holds. Nothing but the verifier key is
/// needed.
///
/// # Errors
/// What does not hold.
pub fn open_certificate(note: &str, vkey: &str) -> Result<ErasureCertificate, BadCertificate> {
    let statement = evident_eventstore::tlog::open_statement(note, KIND, vkey)?;
    let certificate: ErasureCertificate = serde_json::from_str(&statement)?;
    let proof = InclusionProof::parse(&certificate.inclusion_proof).map_err(|_| BadCertificate::Proof)?;
    let leaf = evident_eventstore::merkle::leaf_hash(certificate.leaf.as_bytes());
    proof.verify(vkey, evident_eventstore::tlog::Hash(leaf)).map_err(|_| BadCertificate::Proof)?;
    let told: serde_json::Value = serde_json::from_str(&certificate.leaf)?;
    let fits = told["stream"].as_str() == Some(&certificate.subject)
        && told["type"].as_str() == Some("user.erased")
        && told["position"].as_u64() == Some(certificate.position.0)
        && told["id"].as_str() == Some(&certificate.event);
    if fits { Ok(certificate) } else { Err(BadCertificate::Leaf) }
}

/// What does not hold of a certificate.
#[derive(Debug, thiserror::Error)]
pub enum BadCertificate {
    /// The signature, or the form of the note.
    #[error("it is no certificate that this key has signed")]
    Note(#[from] CheckpointError),
    /// The statement does not read.
    #[error("what it says does not read")]
    Malformed(#[from] serde_json::Error),
    /// The leaf is not in the tree.
    #[error("its proof does not hold")]
    Proof,
    /// The leaf tells something else.
    #[error("its leaf is not the erasure of this subject")]
    Leaf,
}
