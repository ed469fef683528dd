//! `evident hold`: legal holds.

use clap::{Args, Subcommand};
use evident_commands::{Context, LiftHold, PlaceHold, standing_holds};
use evident_domain::hold::{HoldEvent, HoldScope};
use evident_domain::ports::Entropy;
use evident_domain::{Actor, Event, HoldId, OrganizationId, Provenance, StreamId, Surface, Time, UserId};
use serde_json::json;

use super::{CliError, chain, output};
use crate::bootstrap;
use crate::config::Settings;
use crate::ports::SystemEntropy;

/// What must be kept, whatever retention says and whoever asks to be forgotten.
#[derive(Debug, Subcommand)]
pub(super) enum Hold {
    /// Keep what is known of somebody, of an organization, or everything
    Place(Place),
    /// Keep it no longer
    Lift(Lift),
    /// Show the holds that count now
    List,
}

/// What to keep, and why.
#[derive(Debug, Args)]
pub(super) struct Place {
    #[command(flatten)]
    scope: Scope,
    /// Why: the case that it is kept for
    #[arg(long)]
    reason: String,
    /// Who ordered it
    #[arg(long)]
    by: String,
    /// It ends by itself at this time (2027-11-21T10:00:00Z)
    #[arg(long)]
    until: Option<Time>,
}

/// What to keep.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Scope {
    /// What is known of this person
    #[arg(long, value_name = "ID")]
    user: Option<UserId>,
    /// What is known of this organization and of those who belong to it
    #[arg(long, value_name = "ID")]
    organization: Option<OrganizationId>,
    /// All there is
    #[arg(long)]
    everything: bool,
}

/// Which hold ends.
#[derive(Debug, Args)]
pub(super) struct Lift {
    /// The hold
    hold: HoldId,
    /// Who says so
    #[arg(long)]
    by: String,
}

impl Hold {
    pub(super) async fn run(self, settings: &Settings, json: bool) -> Result<(), CliError> {
        let provenance = Provenance::internal(Actor::Operator, Surface::Cli, SystemEntropy.uuid());
        let context = Context::new(provenance);
        let failed = |error: evident_commands::HoldsError| CliError::Failed(chain(&error));
        match self {
            Self::Place(Place { scope, reason, by, until }) => {
                let scope = match scope {
                    Scope { user: Some(user), .. } => HoldScope::User(user),
                    Scope { organization: Some(id), .. } => HoldScope::Organization(id),
                    Scope { .. } => HoldScope::Everything,
                };
                let commands = bootstrap::open_commands(settings).await?;
                let place = PlaceHold { scope, reason, by, until };
                let hold = commands.execute(&context, &place).await.map_err(failed)?;
                let text = if json { json!({ "hold": hold }).to_string() } else { hold.to_string() };
                output::line(&mut std::io::stdout(), &text)?;
            }
            Self::Lift(Lift { hold, by }) => {
                let commands = bootstrap::open_commands(settings).await?;
                commands.execute(&context, &LiftHold { hold, by }).await.map_err(failed)?;
            }
            Self::List => list(settings, json).await?,
        }
        Ok(())
    }
}

async fn list(settings: &Settings, json: bool) -> Result<(), CliError> {
    let store = bootstrap::open_store(settings).await?;
    let standing = standing_holds(&store, store.clock().now()).await?;
    let mut out = std::io::stdout();
    for recorded in store.load(StreamId::holds()).await? {
        let Event::Hold(HoldEvent::Placed { hold, scope, reason, by, until }) = &recorded.event else {
            continue;
        };
        if standing.iter().all(|(id, _)| id != hold) {
            continue;
        }
        let (reason, by) = (reason.known(), by.known());
        let text = if json {
            json!({
                "hold": hold,
                "scope": scope.to_string(),
                "reason": reason,
                "by": by,
                "placed_at": output::time(recorded.occurred_at),
                "until": until.map(output::time),
            })
            .to_string()
        } else {
            let end = until.map_or_else(String::new, |until| format!(", until {}", output::time(until)));
            let shown = |text: Option<&String>| text.cloned().unwrap_or_else(|| "(erased)".to_owned());
            format!("{hold}  {scope}  {} ({}){end}", shown(reason), shown(by))
        };
        if !output::line(&mut out, &text)? {
            break;
        }
    }
    Ok(())
}
