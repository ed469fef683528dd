//! Passwords that stand in lists of leaked ones, by the range interface of Have I Been Pwned: five digits
//! of the password's hash leave the server, among a thousand other hashes of the answer it is looked for.

use std::time::Duration;

use reqwest::{Method, StatusCode, header};
use sha1::{Digest as _, Sha1};
use url::Url;

use crate::Commands;
use crate::execute::Failure;
use crate::outbound::{Chosen, Outbound, OutboundError};
use crate::password::{Password, Weakness};
use crate::settings::LeakSettings;

/// So long the list may take to answer, if calls may take so long at all.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// How many digits of the hash are told.
const PREFIX: usize = 5;

/// Asks whether passwords have leaked.
#[derive(Debug, Clone)]
pub struct LeakedPasswords {
    outbound: Outbound,
    base: Url,
    user_agent: String,
    /// Whether a password counts as bad that nobody can tell of.
    fail_closed: bool,
}

impl LeakedPasswords {
    /// The list of the settings; none where it is off, or its address does not read, which the
    /// configuration looks at first.
    pub fn of(settings: &LeakSettings, outbound: &Outbound) -> Option<Self> {
        let base = Url::parse(&settings.url).ok().filter(|_| settings.enabled)?;
        Some(Self {
            outbound: outbound.clone(),
            base,
            user_agent: settings.user_agent.clone(),
            fail_closed: settings.fail_closed,
        })
    }

    /// Whether a password stands in the list.
    async fn contains(&self, password: &Password) -> Result<bool, OutboundError> {
        let hash = hex::encode_upper(Sha1::digest(password.expose().as_bytes()));
        let (prefix, rest) = hash.split_at(PREFIX);
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| OutboundError::Forbidden)?
            .pop_if_empty()
            .extend(["range", prefix]);
        let request = self
            .outbound
            .request(Method::GET, &url, Chosen::ByOwner)?
            .timeout(TIME_LIMIT)
            .header(header::USER_AGENT, &self.user_agent)
            // Answers of one length, so that who listens learns nothing from it.
            .header("Add-Padding", "true");
        let answer = self.outbound.send(request).await?;
        if answer.status != StatusCode::OK {
            return Err(OutboundError::Unreachable);
        }
        Ok(std::str::from_utf8(&answer.body).map_err(|_| OutboundError::Unreachable)?.lines().any(|line| {
            // Padding has the count 0.
            let found = line.trim().split_once(':').filter(|(suffix, _)| suffix.eq_ignore_ascii_case(rest));
            found.is_some_and(|(_, count)| count.trim() != "0")
        }))
    }
}

impl Commands {
    /// What is wrong with a new password, by the rules and by the list of leaked ones. It calls another
    /// server, so it belongs before [`Commands::execute`], and before the password is hashed.
    ///
    /// # Errors
    /// [`Failure::LeakCheck`] when the list does not answer and the owner wants no password then.
    pub async fn weakness(&self, password: &Password) -> Result<Option<Weakness>, Failure> {
        let weakness = self.passwords().check(password).err();
        let Some(leaks) = self.leaks() else { return Ok(weakness) };
        match leaks.contains(password).await {
            Ok(true) => Ok(Some(Weakness::pwned(weakness))),
            Ok(false) => Ok(weakness),
            // What the rules refuse is refused anyway.
            Err(_) if weakness.is_some() => Ok(weakness),
            Err(error) if leaks.fail_closed => {
                tracing::error!(%error, "leaked passwords cannot be looked up, so the password is refused");
                Err(Failure::LeakCheck)
            }
            Err(error) => {
                tracing::warn!(%error, "leaked passwords cannot be looked up, so the password is taken");
                Ok(None)
            }
        }
    }
}
