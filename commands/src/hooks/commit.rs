//! What hooks are asked between a decision and its commit.

use evident_domain::session::{LiveSession, Session, SessionEvent};
use evident_domain::user::{SignUpMethod, User, UserEvent};
use evident_domain::{Event, Metadata, SessionId, StreamKind, Subject, UserId};

use super::{HookClaims, HookError, Hooks, NewUser};
use crate::Commands;
use crate::execute::Failure;
use crate::messages::Message;
use crate::unit::{Context, Unit};

/// Keys that the server itself puts into the data of a user who signs up.
const OWN_KEYS: [&str; 4] = ["sub", "email", "email_verified", "phone_verified"];

impl Hooks {
    /// Whether a commit concerns no hook, whatever is in it.
    fn mind_no_commit(&self) -> bool {
        self.before_user_created.is_none()
            && self.after_user_created.is_none()
            && self.custom_access_token.is_none()
    }
}

impl Commands {
    /// Asks the hooks that a decision concerns: about accounts that it makes, and about the tokens of
    /// sessions that it starts or continues. Gives the claims of those tokens.
    pub(crate) async fn ask_hooks(
        &self,
        context: &Context,
        unit: &mut Unit<'_>,
    ) -> Result<Vec<(SessionId, HookClaims)>, Failure> {
        let hooks = self.hooks();
        if hooks.mind_no_commit() {
            return Ok(Vec::new());
        }
        for user in new_users(unit) {
            self.before_user_created(context, &user).await?;
            if hooks.after_user_created.is_some() {
                unit.send(Subject::User(user.id), Message::UserCreated {});
            }
        }
        let mut shaped = Vec::new();
        if hooks.shapes_tokens() {
            for (session, live, method) in continued_sessions(unit) {
                let account = unit.user(live.user).await?.account();
                let account = account.ok_or(Failure::Internal("a session has no account"))?.clone();
                let claims = self.claims((live.user, &account).into(), session, &live, unit.now());
                if let Some(claims) = hooks.shape(context.ip(), live.user, &claims, &method).await? {
                    shaped.push((session, claims));
                }
            }
        }
        Ok(shaped)
    }

    async fn before_user_created(&self, context: &Context, user: &NewUser) -> Result<(), Failure> {
        let hooks = self.hooks();
        let Some(endpoint) = &hooks.before_user_created else { return Ok(()) };
        let document = hooks.parts.documents.new_user(user).map_err(|_| HookError::Input)?;
        let input = super::delivery::UserInput { user: &document };
        hooks.ask(endpoint, "before-user-created", context.ip(), input).await?;
        Ok(())
    }
}

/// The accounts that a decision makes because somebody came, or is to come by a link; what administrators
/// make ready and imports bring asks nobody.
fn new_users(unit: &Unit<'_>) -> Vec<NewUser> {
    let signed_up = |(stream, events): (&evident_domain::StreamId, &[Event])| {
        let Some(Event::User(UserEvent::SignedUp {
            method,
            aud,
            email,
            phone,
            user_metadata,
            app_metadata,
            anonymous,
            ..
        })) = events.first()
        else {
            return None;
        };
        let user_metadata = user_metadata.known().cloned().unwrap_or_default();
        let user_metadata = match method {
            SignUpMethod::Admin if comes_by_link(events) => user_metadata,
            SignUpMethod::Admin | SignUpMethod::Imported => return None,
            SignUpMethod::Password | SignUpMethod::OneTimeToken => without_own_keys(user_metadata),
            SignUpMethod::Invited | SignUpMethod::External | SignUpMethod::Anonymous => user_metadata,
        };
        let text = |text: Option<String>| text.unwrap_or_default();
        Some(NewUser {
            id: UserId(stream.id),
            aud: aud.clone(),
            email: text(email.as_ref().and_then(|email| email.known()).map(ToString::to_string)),
            phone: text(phone.as_ref().and_then(|phone| phone.known()).map(ToString::to_string)),
            app_metadata: app_metadata.known().cloned().unwrap_or_default(),
            user_metadata,
            is_anonymous: *anonymous,
        })
    };
    unit.decided::<User>().filter_map(signed_up).collect()
}

/// Whether an administrator made a link for the person along with the account.
fn comes_by_link(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::User(UserEvent::OneTimeTokenIssued { .. })))
}

fn without_own_keys(mut metadata: Metadata) -> Metadata {
    metadata.0.retain(|key, _| !OWN_KEYS.contains(&key.as_str()));
    metadata
}

/// The sessions that a decision starts or continues, and how that came about.
fn continued_sessions(unit: &Unit<'_>) -> Vec<(SessionId, LiveSession, String)> {
    let sessions = unit.decided::<Session>().filter_map(|(stream, events)| {
        debug_assert_eq!(stream.kind, StreamKind::Session);
        let refreshed = events.iter().any(|event| {
            matches!(
                event,
                Event::Session(SessionEvent::Refreshed { .. } | SessionEvent::RefreshRepeated { .. })
            )
        });
        let live = unit.peek::<Session>(stream.id)?.live()?;
        Some((SessionId(stream.id), live.clone(), method(live, refreshed).to_owned()))
    });
    sessions.collect()
}

/// How a session came to its token, in the protocol's word.
pub(crate) fn method(live: &LiveSession, refreshed: bool) -> &str {
    if refreshed {
        return "token_refresh";
    }
    live.amr.first().map_or("", |proof| proof.method.as_str())
}
