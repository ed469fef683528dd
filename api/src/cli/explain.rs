//! `evident explain`: how something came to be as it is.

use std::io::{BufWriter, Write};

use clap::{Args, ValueEnum};
use evident_projections::{Cause, Entity, ExplainedRow, Until, explain};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::replay::until;
use super::{CliError, output};
use crate::bootstrap;
use crate::config::Settings;

/// Say how something came to be as it is: each field, and the event that set it.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// What it is
    #[arg(value_enum)]
    kind: Kind,
    /// Its id
    id: Uuid,
    /// As of then; now without
    #[arg(long, value_name = "TIME|POSITION", value_parser = until)]
    at: Option<Until>,
}

/// What can be explained.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// An account, its identities, and what it granted to clients
    User,
    /// A session
    Session,
    /// An organization, its members, invitations, teams and roles
    Organization,
}

impl Explain {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let store = bootstrap::open_store(settings).await?;
        let entity = match self.kind {
            Kind::User => Entity::User(self.id.into()),
            Kind::Session => Entity::Session(self.id.into()),
            Kind::Organization => Entity::Organization(self.id.into()),
        };
        let at = match self.at {
            Some(at) => at,
            None => Until::Position(store.head().await?.position),
        };
        let explanation = explain(&store, entity, at).await?;
        if explanation.rows.is_empty() {
            let (id, position) = (self.id, explanation.position);
            return Err(CliError::Failed(format!("up to position {position} nothing happened to {id}")));
        }
        let mut out = BufWriter::new(std::io::stdout().lock());
        if !json && !output::line(&mut out, &format!("as of position {}", explanation.position))? {
            return Ok(());
        }
        for row in &explanation.rows {
            let text = if json { as_json(row).to_string() } else { as_text(row) };
            if !output::line(&mut out, &text)? {
                return Ok(());
            }
        }
        match out.flush() {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn cause(cause: &Cause) -> Json {
    json!({
        "position": cause.position,
        "id": cause.id,
        "type": cause.kind,
        "at": output::time(cause.at),
        "actor": cause.actor,
    })
}

fn as_json(row: &ExplainedRow) -> Json {
    let fields = row.fields.iter().map(|(name, fact)| {
        let fact = json!({"value": fact.value, "before": fact.before, "since": cause(&fact.since)});
        (name.clone(), fact)
    });
    json!({
        "table": row.table,
        "key": row.key,
        "made": cause(&row.made),
        "gone": row.gone.as_ref().map(cause),
        "fields": fields.collect::<serde_json::Map<_, _>>(),
    })
}

fn as_text(row: &ExplainedRow) -> String {
    let told = |cause: &Cause| {
        format!("{:>8}  {:<34} {}  by {}", cause.position.0, cause.kind, output::time(cause.at), cause.actor)
    };
    let mut lines = vec![format!("\n{} {}", row.table, row.key)];
    let values: Vec<_> = row.fields.iter().map(|(name, fact)| (name, fact.value.to_string(), fact)).collect();
    let width =
        |of: &dyn Fn(&(&String, String, &_)) -> usize| values.iter().map(of).max().unwrap_or_default();
    let names = width(&|(name, _, _)| name.chars().count());
    let wide = width(&|(_, value, _)| value.chars().count()).min(40);
    for (name, value, fact) in &values {
        lines.push(format!("  {name:<names$}  {value:<wide$}  {}", told(&fact.since)));
    }
    if let Some(gone) = &row.gone {
        lines.push(format!("  gone since {}", told(gone).trim_start()));
    }
    lines.join("\n")
}
