//! What providers handed out for calling them in a user's name, where the terms of an arrival say that it is
//! kept: enciphered under a key of the server, with the user's data, with the identity that it belongs to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chrono::TimeDelta;
use evident_domain::session::SessionError;
use evident_domain::user::{IdentityState, UserCommand, UserError};
use evident_domain::{IdentityId, SealedTokens, SessionId, Time, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroize as _;

use super::client::{Client, FetchError, token_in};
use super::profile::Profile;
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// An access token that ends so soon is fetched anew.
const NEARLY_OVER: Duration = Duration::from_secs(5);
/// The longest life of a token that is believed, in seconds: ten years.
const LONGEST_LIFE: u64 = 315_360_000;
/// The most scopes that are kept, and the longest name of one in bytes.
const MOST_SCOPES: (usize, usize) = (100, 255);

/// What a provider handed out. It is wiped when it goes.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTokens {
    /// For calling it.
    pub access_token: Option<String>,
    /// Until when that is good, where it says so.
    pub access_expires_at: Option<Time>,
    /// For other tokens.
    pub refresh_token: Option<String>,
    /// Until when that is good, where it says so.
    pub refresh_expires_at: Option<Time>,
    /// What it says of the user, signed.
    pub id_token: Option<String>,
    /// What may be done with them.
    pub scopes: Vec<String>,
}

/// Tokens stay out of logs.
impl fmt::Debug for KeptTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptTokens(…)")
    }
}

impl Drop for KeptTokens {
    fn drop(&mut self) {
        for token in [&mut self.access_token, &mut self.refresh_token, &mut self.id_token] {
            token.zeroize();
        }
    }
}

impl KeptTokens {
    /// What an answer of a provider's holds (RFC 6749, 5.1).
    pub(super) fn in_answer(answer: &Value, now: Time) -> Self {
        let token = |key| token_in(answer, key).map(str::to_owned);
        let end = |key: &str| {
            let life = answer.get(key)?;
            let seconds = life.as_u64().or_else(|| life.as_str()?.parse().ok())?;
            let life = TimeDelta::try_seconds(i64::try_from(seconds.min(LONGEST_LIFE)).ok()?)?;
            now.checked_add_signed(life)
        };
        let scopes = answer.get("scope").and_then(Value::as_str).unwrap_or_default();
        let scopes = scopes.split([' ', ',']).filter(|scope| !scope.is_empty());
        Self {
            access_token: token("access_token"),
            access_expires_at: end("expires_in"),
            refresh_token: token("refresh_token"),
            refresh_expires_at: end("refresh_token_expires_in"),
            id_token: token("id_token"),
            scopes: fitting(scopes),
        }
    }

    /// What a client brought that got it from the provider itself.
    pub fn brought(id_token: &str, access: &str, refresh: &str, scopes: &[String]) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self {
            access_token: some(access),
            refresh_token: some(refresh),
            id_token: some(id_token),
            scopes: fitting(scopes.iter().map(String::as_str)),
            access_expires_at: None,
            refresh_expires_at: None,
        }
    }

    /// With what an answer does not hold as it was before.
    fn or(mut self, mut before: Self) -> Self {
        if self.access_token.is_none() {
            self.access_token = before.access_token.take();
            self.access_expires_at = before.access_expires_at;
        }
        if self.refresh_token.is_none() {
            self.refresh_token = before.refresh_token.take();
            self.refresh_expires_at = self.refresh_expires_at.or(before.refresh_expires_at);
        }
        self.id_token = self.id_token.take().or_else(|| before.id_token.take());
        if self.scopes.is_empty() {
            self.scopes = std::mem::take(&mut before.scopes);
        }
        self
    }

    fn is_nearly_over(&self, now: Time) -> bool {
        self.access_expires_at.is_some_and(|end| end < now + NEARLY_OVER)
    }
}

fn fitting<'s>(scopes: impl Iterator<Item = &'s str>) -> Vec<String> {
    let fits = |scope: &&str| scope.len() <= MOST_SCOPES.1 && !scope.chars().any(char::is_control);
    scopes.filter(fits).take(MOST_SCOPES.0).map(str::to_owned).collect()
}

/// Whether other tokens are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// When the access token is over.
    WhenDue,
    /// In any case.
    Always,
}

/// Why there is no token to give.
#[derive(Debug, thiserror::Error)]
pub enum KeptTokensError {
    /// The provider is not there any more.
    #[error("the provider is not set up")]
    NoProvider,
    /// The provider has no refresh tokens.
    #[error("the provider does not refresh tokens")]
    NeverRefreshes,
    /// None is kept with the identity.
    #[error("no access token is kept")]
    NoAccessToken,
    /// None is kept with the identity.
    #[error("no refresh token is kept")]
    NoRefreshToken,
    /// The provider does not give others.
    #[error("the provider gives no other tokens")]
    Refused,
    /// The provider does not tell who it is.
    #[error("the provider does not tell who the user is")]
    NoProfile,
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session has ended.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

/// One of somebody's identities, whose provider is to be called.
#[derive(Debug, Clone, Copy)]
pub struct OwnIdentity {
    /// Whose.
    pub user: UserId,
    /// The session that asks.
    pub session: Option<SessionId>,
    /// Which.
    pub identity: IdentityId,
}

impl Commands {
    /// What is kept with each of somebody's identities.
    ///
    /// # Errors
    /// When the account is gone or the database fails.
    pub async fn kept_tokens(
        &self,
        context: &Context,
        user: UserId,
    ) -> Result<BTreeMap<IdentityId, KeptTokens>, KeptTokensError> {
        let identities = self.execute(context, &IdentitiesCase { user, session: None }).await?;
        Ok(identities.iter().filter_map(|known| Some((known.id, self.opened(user, known)?))).collect())
    }

    /// A good access token of an identity's provider, and what belongs to it; a new one where the old one is
    /// over or one is asked for.
    ///
    /// # Errors
    /// When none is kept, or the provider gives no other.
    pub async fn provider_access(
        &self,
        context: &Context,
        own: OwnIdentity,
        renewal: Renewal,
    ) -> Result<KeptTokens, KeptTokensError> {
        let (known, client) = self.own_provider(context, own).await?;
        self.access_to(context, own, &known, &client, renewal).await
    }

    /// What an identity's provider says of its user now, as clients of the provider's table read it; none
    /// where the provider says it only when somebody comes.
    ///
    /// # Errors
    /// As [`Commands::provider_access`], and when the provider does not tell.
    pub async fn provider_says(
        &self,
        context: &Context,
        own: OwnIdentity,
    ) -> Result<Option<evident_domain::Metadata>, KeptTokensError> {
        let (known, client) = self.own_provider(context, own).await?;
        let tokens = self.access_to(context, own, &known, &client, Renewal::WhenDue).await?;
        let access = tokens.access_token.as_deref().ok_or(KeptTokensError::NoAccessToken)?;
        let profile =
            client.fetch_profile_again(self, access).await.map_err(|_| KeptTokensError::NoProfile)?;
        match profile {
            // Whoever it speaks of now has to be whom it spoke of then.
            Some(profile) if profile.subject() != known.provider_id => Err(KeptTokensError::NoProfile),
            Some(profile) => Ok(Some(told(&profile)?)),
            None => Ok(None),
        }
    }

    async fn own_provider(
        &self,
        context: &Context,
        own: OwnIdentity,
    ) -> Result<(IdentityState, Client), KeptTokensError> {
        let OwnIdentity { user, session, identity } = own;
        let identities = self.execute(context, &IdentitiesCase { user, session }).await?;
        let known = identities.into_iter().find(|known| known.id == identity);
        let known = known.ok_or(UserError::IdentityNotFound)?;
        let client = self.provider_client(&known.provider).await?;
        Ok((known, client.map_err(|_| KeptTokensError::NoProvider)?))
    }

    async fn access_to(
        &self,
        context: &Context,
        own: OwnIdentity,
        known: &IdentityState,
        client: &Client,
        renewal: Renewal,
    ) -> Result<KeptTokens, KeptTokensError> {
        let kept = self.opened(own.user, known);
        let always = renewal == Renewal::Always;
        if always && !client.refreshes() {
            return Err(KeptTokensError::NeverRefreshes);
        }
        let kept = match kept {
            Some(kept) => kept,
            None if always => return Err(KeptTokensError::NoRefreshToken),
            None => return Err(KeptTokensError::NoAccessToken),
        };
        let due = always || (kept.is_nearly_over(self.clock().now()) && client.refreshes());
        let refresh = match &kept.refresh_token {
            Some(refresh) if due => refresh,
            None if always => return Err(KeptTokensError::NoRefreshToken),
            Some(_) | None if kept.access_token.is_some() => return Ok(kept),
            Some(_) | None => return Err(KeptTokensError::NoAccessToken),
        };
        let answer = match client.refresh(self, refresh).await {
            Ok(answer) => answer,
            Err(FetchError::Code | FetchError::Profile) => {
                // Somebody who asked at the same time may have used the refresh token up.
                let others = self.kept_tokens(context, own.user).await?;
                let other = others.get(&own.identity).filter(|other| **other != kept);
                return other.cloned().ok_or(KeptTokensError::Refused);
            }
        };
        let mut tokens = KeptTokens::in_answer(&answer, self.clock().now());
        // What was granted stays granted; an answer may name less (RFC 6749, 6).
        tokens.scopes.clone_from(&kept.scopes);
        let case = KeepCase { commands: self, own, before: &kept, tokens: &tokens };
        self.execute(context, &case).await
    }

    /// What is kept with an identity, where it can be read.
    fn opened(&self, user: UserId, known: &IdentityState) -> Option<KeptTokens> {
        let opened = self.secrets().open(user.0, &known.tokens.as_ref()?.0).ok()?;
        serde_json::from_str(&opened).ok()
    }

    /// Keeps what a provider handed out.
    ///
    /// # Errors
    /// When the account refuses or the store fails.
    pub(super) async fn keep_tokens<E: From<UserError> + From<Failure>>(
        &self,
        unit: &mut Unit<'_>,
        user: UserId,
        identity: IdentityId,
        tokens: KeptTokens,
    ) -> Result<KeptTokens, E> {
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let known = account.identities.iter().find(|known| known.id == identity);
        let before = known.and_then(|known| self.opened(user, known));
        let tokens = match &before {
            Some(before) => tokens.or(before.clone()),
            None => tokens,
        };
        if before.as_ref() == Some(&tokens) {
            return Ok(tokens);
        }
        let cannot = || Failure::Internal("tokens could not be sealed");
        let text = zeroize::Zeroizing::new(serde_json::to_string(&tokens).map_err(|_| cannot())?);
        let sealed = self.secrets().seal(unit.store().entropy(), user.0, &text).map_err(|_| cannot())?;
        let command = UserCommand::KeepProviderTokens { identity, tokens: SealedTokens(sealed) };
        unit.tell_user::<E>(user, command).await?;
        Ok(tokens)
    }
}

fn told(profile: &Profile) -> Result<evident_domain::Metadata, KeptTokensError> {
    let data = profile.metadata().map_err(|_| KeptTokensError::NoProfile)?;
    Ok(match profile.primary() {
        Some(address) => data.with("email", address.email.as_str()).with("email_verified", address.verified),
        None => data,
    })
}

/// Somebody's identities, as they are now.
struct IdentitiesCase {
    user: UserId,
    session: Option<SessionId>,
}

impl UseCase for IdentitiesCase {
    type Output = Vec<IdentityState>;
    type Error = KeptTokensError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Vec<IdentityState>, KeptTokensError> {
        unit.asking_session::<KeptTokensError>(self.user, self.session).await?;
        let account = unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        Ok(account.identities.clone())
    }
}

/// Tokens that were fetched in place of others.
struct KeepCase<'a> {
    commands: &'a Commands,
    own: OwnIdentity,
    before: &'a KeptTokens,
    tokens: &'a KeptTokens,
}

impl UseCase for KeepCase<'_> {
    type Output = KeptTokens;
    type Error = KeptTokensError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<KeptTokens, KeptTokensError> {
        let OwnIdentity { user, session, identity } = self.own;
        unit.asking_session::<KeptTokensError>(user, session).await?;
        let account = unit.user(user).await?.account().ok_or(UserError::NotFound)?;
        let known = account.identities.iter().find(|known| known.id == identity);
        let known = known.ok_or(UserError::IdentityNotFound)?;
        let there = self.commands.opened(user, known);
        if there.as_ref().is_some_and(|there| there != self.before) {
            // The user came by the provider meanwhile: what that brought is newer.
            return Ok(self.tokens.clone().or(self.before.clone()));
        }
        self.commands.keep_tokens(unit, user, identity, self.tokens.clone()).await
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use serde_json::json;

    use super::*;

    fn noon() -> Time {
        DateTime::<Utc>::from_timestamp(1_800_000_000, 0).unwrap_or_default()
    }

    #[test]
    fn an_answer_is_read_with_its_ends() {
        let answer = json!({"access_token": "a", "refresh_token": "r", "expires_in": "60",
            "refresh_token_expires_in": 3600, "id_token": "i", "scope": "read,write me"});
        let tokens = KeptTokens::in_answer(&answer, noon());
        assert_eq!(tokens.access_expires_at, Some(noon() + Duration::from_secs(60)));
        assert_eq!(tokens.refresh_expires_at, Some(noon() + Duration::from_secs(3600)));
        assert_eq!(tokens.scopes, ["read", "write", "me"]);
        assert!(!tokens.is_nearly_over(noon()) && tokens.is_nearly_over(noon() + Duration::from_secs(56)));
        let strange = json!({"access_token": "a", "expires_in": u64::MAX, "scope": 7, "refresh_token": ""});
        let strange = KeptTokens::in_answer(&strange, noon());
        assert!(strange.access_expires_at.is_some() && strange.refresh_token.is_none());
        assert_eq!(format!("{strange:?}"), "KeptTokens(…)");
    }

    #[test]
    fn what_an_answer_leaves_out_stays() {
        let before = KeptTokens::brought("i", "a", "r", &["read".to_owned()]);
        let after = KeptTokens::brought("", "b", "", &[]).or(before);
        assert_eq!(after, KeptTokens::brought("i", "b", "r", &["read".to_owned()]));
    }
}
