//! Templates behind web addresses: fetched when they are needed, kept for a while, and the last good
//! version stays in use when the other server fails. Until there is one the built-in text stands in.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use url::Url;

use crate::outbound::{Chosen, Outbound};

/// How templates are fetched.
#[derive(Debug, Clone)]
pub struct RemoteTemplates {
    /// Calls other servers.
    pub outbound: Outbound,
    /// The largest template, in bytes.
    pub max_size: usize,
    /// So long a template is good.
    pub max_age: Duration,
    /// So long after a failure the next try comes.
    pub retry_interval: Duration,
}

/// When a template was fetched.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    good: Option<Instant>,
    tried: Option<Instant>,
}

impl Fetched {
    /// Whether it is time to fetch; it counts as tried from now on.
    pub(super) fn is_due(&mut self, remote: &RemoteTemplates) -> bool {
        let fresh = self.good.is_some_and(|at| at.elapsed() < remote.max_age);
        let waiting = self.tried.is_some_and(|at| at.elapsed() < remote.retry_interval);
        if fresh || (waiting && self.good.is_none_or(|good| Some(good) != self.tried)) {
            return false;
        }
        self.tried = Some(Instant::now());
        true
    }

    /// The try went well.
    pub(super) fn went_well(&mut self) {
        self.good = self.tried;
    }
}

impl RemoteTemplates {
    /// The text behind an address.
    pub(super) async fn fetch(&self, url: &Url) -> Result<String, String> {
        let request = self.outbound.request(Method::GET, url, Chosen::ByOwner);
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.outbound.send_up_to(request, self.max_size).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != StatusCode::OK {
            return Err(format!("the server answered {}", answer.status.as_u16()));
        }
        String::from_utf8(answer.body).map_err(|_| "it is not UTF-8".to_owned())
    }
}
