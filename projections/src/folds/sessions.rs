//! `sessions`: the sessions that live.

use evident_domain::session::{AssuranceLevel, AuthenticationMethod, ClientBinding, SessionEvent};
use evident_domain::{Event, Metadata, OrganizationId, Recorded, Scopes, SessionId, TeamId, Time, UserId};
use evident_eventstore::{DatabaseError, Origin, Row, SealedOrigin, Table};

use super::users::json_text;
use super::{flag, int, json, origin, stream_key, text};
use crate::cells::{self, Cells};
use crate::fold::Fold;

/// A row of `sessions`.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRow {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// When it began.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When it was last refreshed, a repeated answer included.
    pub refreshed_at: Option<Time>,
    /// How sure it is who sits there.
    pub aal: AssuranceLevel,
    /// What was proven and when, newest first.
    pub amr: Vec<AuthenticationMethod>,
    /// The number of the refresh token that is good now.
    pub generation: u64,
    /// The `User-Agent` that it was last used with.
    pub user_agent: Option<String>,
    /// The address that it was last used from.
    pub ip: Option<String>,
    /// From when on it counts for nothing, where that is fixed.
    pub not_after: Option<Time>,
    /// The OAuth client that has it, and what that one may; none: the user has it.
    pub client: Option<ClientBinding>,
    /// Whether its end moves on while it is used.
    pub slides: bool,
    /// The administrator who acts in the user's name.
    pub impersonator: Option<UserId>,
    /// The organization that the user acts in.
    pub organization: Option<OrganizationId>,
    /// The team that the user acts in.
    pub team: Option<TeamId>,
    /// What the application keeps with it, as JSON text.
    pub fields: String,
    /// What [`Self::user_agent`] and [`Self::ip`] will be once it is opened.
    sealed: Option<Box<SealedOrigin>>,
}

impl SessionRow {
    /// Reads a row of `sessions`.
    ///
    /// # Errors
    /// When a column holds what no fold writes.
    pub fn from_row(row: Row) -> Result<Self, DatabaseError> {
        let mut cells = Cells::new(&Self::TABLE, row);
        Ok(Self {
            id: cells.id()?,
            user_id: cells.id()?,
            created_at: cells.time()?,
            updated_at: cells.time()?,
            refreshed_at: cells.maybe_time()?,
            aal: cells.parsed(|name| {
                [AssuranceLevel::Aal1, AssuranceLevel::Aal2].into_iter().find(|aal| aal.as_str() == name)
            })?,
            amr: cells.parsed(|json| serde_json::from_str(json).ok())?,
            generation: cells.number()?,
            user_agent: cells.maybe_text()?,
            ip: cells.maybe_text()?,
            not_after: cells.maybe_time()?,
            client: bound(&mut cells)?,
            slides: cells.flag()?,
            impersonator: cells.maybe_parsed(|id| id.parse().ok())?,
            organization: cells.maybe_parsed(|id| id.parse().ok())?,
            team: cells.maybe_parsed(|id| id.parse().ok())?,
            fields: cells.text()?,
            sealed: None,
        })
    }

    /// From when on it counts as last used: the moment that inactivity is measured from.
    pub fn last_used_at(&self) -> Time {
        self.refreshed_at.unwrap_or(self.created_at)
    }

    /// What the application keeps with it.
    pub fn fields(&self) -> Metadata {
        serde_json::from_str(&self.fields).unwrap_or_default()
    }

    fn used(&mut self, event: &Recorded, at: Time) {
        self.refreshed_at = Some(at);
        self.came_from(event);
    }

    fn came_from(&mut self, event: &Recorded) {
        (self.user_agent, self.ip) = origin(event);
        self.sealed = SealedOrigin::of(event).map(Box::new);
    }
}

/// The columns `client_id` and `scopes`.
fn bound(cells: &mut Cells) -> Result<Option<ClientBinding>, DatabaseError> {
    let client = cells.maybe_parsed(|id| id.parse().ok())?;
    let scopes = cells.maybe_parsed(|scopes| Scopes::parse(scopes).ok())?;
    Ok(client.map(|client| ClientBinding { client, scopes: scopes.unwrap_or_default() }))
}

impl Fold for SessionRow {
    const NAME: &'static str = "sessions";
    const VERSION: u32 = 2;
    const TABLE: Table = Table::new(
        "sessions",
        &[
            text("id"),
            text("user_id").fixed(),
            int("created_at").fixed(),
            int("updated_at"),
            int("refreshed_at"),
            text("aal"),
            json("amr"),
            int("generation"),
            text("user_agent"),
            text("ip"),
            int("not_after"),
            text("client_id"),
            text("scopes"),
            flag("slides"),
            text("impersonator"),
            text("organization_id"),
            text("team_id"),
            json("fields"),
        ],
    );
    const GROUP: &'static str = "id";

    fn keys(event: &Recorded) -> Vec<String> {
        match &event.event {
            Event::Session(
                SessionEvent::Started { .. }
                | SessionEvent::Refreshed { .. }
                | SessionEvent::RefreshRepeated { .. }
                | SessionEvent::SteppedUp { .. }
                | SessionEvent::SteppedDown { .. }
                | SessionEvent::Extended { .. }
                | SessionEvent::ActiveOrganizationChanged { .. }
                | SessionEvent::ActiveTeamChanged { .. }
                | SessionEvent::FieldsChanged { .. }
                | SessionEvent::Revoked { .. },
            ) => stream_key(event),
            Event::User(_)
            | Event::Organization(_)
            | Event::SsoProvider(_)
            | Event::Flow(_)
            | Event::Recipient(_)
            | Event::Provider(_)
            | Event::Client(_)
            | Event::Authorization(_)
            | Event::Consent(_)
            | Event::Hold(_)
            | Event::Audit(_)
            | Event::Log(_)
            | Event::Attempt(_)
            | Event::Dropped(_) => Vec::new(),
        }
    }

    fn apply(group: Option<Self>, event: &Recorded, _: &str) -> Option<Self> {
        let Event::Session(session_event) = &event.event else { return group };
        match session_event {
            SessionEvent::Started {
                user,
                amr,
                aal,
                not_after,
                started_at,
                client,
                scopes,
                slides,
                impersonator,
            } => {
                let mut row = Self {
                    id: SessionId(event.stream.id),
                    user_id: *user,
                    created_at: *started_at,
                    updated_at: event.occurred_at,
                    refreshed_at: None,
                    aal: *aal,
                    amr: amr.clone(),
                    generation: 0,
                    user_agent: None,
                    ip: None,
                    not_after: *not_after,
                    client: client
                        .map(|client| ClientBinding { client, scopes: scopes.clone().unwrap_or_default() }),
                    slides: *slides,
                    impersonator: *impersonator,
                    organization: None,
                    team: None,
                    fields: json_text(None),
                    sealed: None,
                };
                row.came_from(event);
                Some(row)
            }
            SessionEvent::Refreshed { generation, at } => {
                let mut row = group?;
                row.generation = *generation;
                row.used(event, *at);
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::RefreshRepeated { at, .. } => {
                let mut row = group?;
                row.used(event, *at);
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::SteppedUp { method, at, aal, factor: _ } => {
                let mut row = group?;
                row.amr.retain(|entry| entry.method != *method);
                row.amr.insert(0, AuthenticationMethod { method: method.clone(), at: *at });
                row.aal = *aal;
                // Tokens from before the step-up are void.
                row.generation += 1;
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::SteppedDown { method, aal, .. } => {
                let mut row = group?;
                row.amr.retain(|entry| entry.method != *method);
                row.aal = *aal;
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::Extended { not_after, at } => {
                let mut row = group?;
                row.not_after = Some(*not_after);
                row.used(event, *at);
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::ActiveOrganizationChanged { organization } => {
                let mut row = group?;
                row.organization = *organization;
                row.team = None;
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::ActiveTeamChanged { team } => {
                let mut row = group?;
                row.team = *team;
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::FieldsChanged { fields } => {
                let mut row = group?;
                if let Some(fields) = fields.known() {
                    row.fields = json_text(Some(&row.fields().overlaid(fields)));
                }
                row.updated_at = event.occurred_at;
                Some(row)
            }
            SessionEvent::Revoked { .. } => None,
        }
    }

    fn rows(&self, _: &str) -> Vec<Row> {
        let client = self.client.as_ref();
        let amr = serde_json::to_string(&self.amr).unwrap_or_else(|_| "[]".to_owned());
        vec![vec![
            self.id.to_string().into(),
            self.user_id.to_string().into(),
            cells::time(self.created_at),
            cells::time(self.updated_at),
            cells::maybe_time(self.refreshed_at),
            self.aal.as_str().into(),
            amr.into(),
            cells::number(self.generation),
            cells::maybe_text(self.user_agent.as_deref()),
            cells::maybe_text(self.ip.as_deref()),
            cells::maybe_time(self.not_after),
            cells::maybe_text(client.map(|bound| bound.client.to_string()).as_deref()),
            cells::maybe_text(client.map(|bound| bound.scopes.to_string()).as_deref()),
            self.slides.into(),
            cells::maybe_text(self.impersonator.map(|id| id.to_string()).as_deref()),
            cells::maybe_text(self.organization.map(|id| id.to_string()).as_deref()),
            cells::maybe_text(self.team.map(|id| id.to_string()).as_deref()),
            cells::text(&self.fields),
        ]]
    }

    fn sealed(&self) -> Option<&SealedOrigin> {
        self.sealed.as_deref()
    }

    fn opened(&mut self, origin: Origin) {
        self.sealed = None;
        (self.user_agent, self.ip) = (origin.user_agent, origin.ip.map(|ip| ip.to_string()));
    }

    fn from_rows(rows: Vec<Row>) -> Result<Option<Self>, DatabaseError> {
        rows.into_iter().next().map(Self::from_row).transpose()
    }
}
