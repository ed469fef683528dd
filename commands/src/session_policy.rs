//! When a session counts for nothing any more, though nobody ended it.

use evident_domain::session::{AssuranceLevel, LiveSession};
use evident_domain::{ClientId, SessionId, Time};
use evident_projections::views;

use crate::Commands;
use crate::execute::Failure;
use crate::refresh_session::SessionOwner;
use crate::unit::Unit;
use crate::views::{SessionRow, UserRow};

/// By which rule a session has expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// Its end was fixed, or it is older than sessions may become.
    TimeBox,
    /// It was not used for too long.
    Inactivity,
    /// Its user has a second factor, which it has not shown for too long.
    LowAal,
    /// Another session of the user was refreshed later, and only one goes on.
    NewerSession,
}

/// What the rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionUse {
    started: Time,
    last_used: Time,
    not_after: Option<Time>,
    aal: AssuranceLevel,
    /// Whether its user has a second factor.
    has_factor: bool,
    /// The OAuth client that has it: a client's session and the user's own do not replace each other.
    client: Option<ClientId>,
}

impl SessionUse {
    /// Of a session that was read from its stream.
    pub(crate) fn of(live: &LiveSession, has_factor: bool) -> Self {
        Self {
            started: live.started_at,
            last_used: live.refreshed_at.unwrap_or(live.started_at),
            not_after: live.not_after,
            aal: live.aal,
            has_factor,
            client: live.client.as_ref().map(|bound| bound.client),
        }
    }

    /// Of a session that was read from its row.
    pub(crate) fn of_row(row: &SessionRow, has_factor: bool) -> Self {
        Self {
            started: row.created_at,
            last_used: row.last_used_at(),
            not_after: row.not_after,
            aal: row.aal,
            has_factor,
            client: row.client.as_ref().map(|bound| bound.client),
        }
    }
}

/// Whether a user has a second factor.
pub(crate) fn has_factor(user: &UserRow) -> bool {
    user.factors.iter().any(|factor| factor.verified)
}

impl Commands {
    /// By which rule a session counts for nothing now, if by any. Refreshing and administering ask.
    pub(crate) fn expiry(&self, session: &SessionUse, now: Time) -> Option<Expiry> {
        let settings = &self.settings().sessions;
        let past_box = settings.timebox.is_some_and(|timebox| session.started + timebox <= now);
        if past_box || session.not_after.is_some_and(|end| end <= now) {
            return Some(Expiry::TimeBox);
        }
        if settings.inactivity_timeout.is_some_and(|limit| session.last_used + limit <= now) {
            return Some(Expiry::Inactivity);
        }
        let shown_by = self.second_factor_due(session.started, session.aal, session.has_factor);
        shown_by.is_some_and(|due| due <= now).then_some(Expiry::LowAal)
    }

    /// Until when a session may go on without the second factor that its user has.
    pub(crate) fn second_factor_due(
        &self,
        started: Time,
        aal: AssuranceLevel,
        has_factor: bool,
    ) -> Option<Time> {
        let low = has_factor && aal < AssuranceLevel::Aal2;
        self.settings().sessions.allow_low_aal.filter(|_| low).map(|allowed| started + allowed)
    }

    /// Whether only one session goes on, and another one was refreshed later. Sessions carry no tag of their
    /// own, so all of a user's count together, whatever tags are set.
    pub(crate) async fn newer_session(
        &self,
        unit: &Unit<'_>,
        SessionOwner { user, session: own }: SessionOwner,
        session: &SessionUse,
    ) -> Result<Option<Expiry>, Failure> {
        if !self.settings().sessions.single_per_user {
            return Ok(None);
        }
        let now = unit.now();
        let order = |used: Time, id: SessionId| (used, id);
        let others = views::sessions_of(self.store().database(), user).await?;
        let newer = others.iter().any(|row| {
            let other = SessionUse::of_row(row, session.has_factor);
            other.client == session.client
                && order(other.last_used, row.id) > order(session.last_used, own)
                && self.expiry(&other, now).is_none()
        });
        Ok(newer.then_some(Expiry::NewerSession))
    }
}
