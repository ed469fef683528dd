//! How often one caller may ask: a bucket of tokens for each.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};
use evident_commands::settings::BucketRule;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

use super::address::{customer, neighbourhood};
use super::origin::Facts;

/// So many callers are told apart. With more, whole networks share a bucket.
const CALLERS: usize = 100_000;

/// After so many requests, callers whose bucket is full again are forgotten.
const SWEEP: u32 = 4_096;

/// The longest name of a caller that is kept, in bytes.
const NAME_LIMIT: usize = 64;

/// Refusals of one caller that the log is told: so many lines are worth reading; more would be a way to
/// fill it.
pub const NOTED_DENIALS: BucketRule = BucketRule { tokens: 60.0, per: Duration::from_secs(60), burst: 60 };

/// Who a bucket belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum CallerKey {
    /// Whoever has the address.
    Address(IpAddr),
    /// Whom a trusted proxy names.
    Named(Box<str>),
}

impl CallerKey {
    /// Who sends a request: whom a trusted proxy names in the header, where there is one; else the
    /// address.
    pub fn of(facts: &Facts, headers: &HeaderMap, header: Option<&HeaderName>) -> Self {
        let named = header.filter(|_| facts.through_proxy).and_then(|header| {
            let first = headers.get(header)?.to_str().ok()?.split(',').next()?.trim();
            let end =
                first.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= NAME_LIMIT);
            let name = &first[..end.last().unwrap_or_default()];
            (!name.is_empty()).then(|| match name.parse::<IpAddr>() {
                Ok(address) => Self::Address(customer(address.to_canonical())),
                Err(_) => Self::Named(name.into()),
            })
        });
        // Requests from nowhere, if there were any, would share a bucket.
        let by_address = || facts.ip.map_or(Self::Named("".into()), |ip| Self::Address(customer(ip)));
        named.unwrap_or_else(by_address)
    }

    /// The larger group that a caller belongs to, for times when there are too many callers.
    fn group(&self) -> Self {
        match self {
            Self::Address(address) => Self::Address(neighbourhood(*address)),
            Self::Named(_) => Self::Named("".into()),
        }
    }
}

/// The bucket is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// When there is a token again.
    pub retry_after: Duration,
}

/// Buckets of one kind. Its memory is bounded by the number of callers that are told apart.
#[derive(Debug)]
pub struct RateLimiter {
    buckets: Option<DefaultKeyedRateLimiter<CallerKey>>,
    /// Made once: making one measures the processor, which a flood of refusals must not pay for.
    clock: DefaultClock,
    requests: AtomicU32,
}

impl RateLimiter {
    /// By a rule; one without tokens limits nothing.
    pub fn new(rule: BucketRule) -> Self {
        let buckets = quota(rule).map(DefaultKeyedRateLimiter::keyed);
        Self { buckets, clock: DefaultClock::default(), requests: AtomicU32::new(0) }
    }

    /// Takes a token of the caller's bucket.
    ///
    /// # Errors
    /// When it is empty.
    pub fn check(&self, caller: &CallerKey) -> Result<(), Limited> {
        let Some(buckets) = &self.buckets else { return Ok(()) };
        if self.requests.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
        let crowded = buckets.len() > CALLERS;
        let taken = if crowded { buckets.check_key(&caller.group()) } else { buckets.check_key(caller) };
        taken.map_err(|early| Limited { retry_after: early.wait_time_from(self.clock.now()) })
    }
}

/// The rule in the words of the library; none without tokens.
fn quota(rule: BucketRule) -> Option<Quota> {
    let burst = NonZeroU32::new(rule.burst)?;
    if rule.tokens.is_nan() || rule.tokens <= 0.0 {
        return None;
    }
    let refill = Duration::try_from_secs_f64(rule.per.as_secs_f64() / rule.tokens).unwrap_or(rule.per);
    // A token that is back at once would be no limit; the library wants a time above nothing.
    let refill = refill.max(Duration::from_nanos(1));
    // What comes within a second may come at once: threads do not read the clock in the order of their turns, and
    // one that is late by more than the burst lasts would be refused for nothing.
    let in_a_second = u32::try_from(Duration::from_secs(1).as_nanos() / refill.as_nanos()).ok();
    let burst = in_a_second.and_then(NonZeroU32::new).map_or(burst, |second| second.max(burst));
    Some(Quota::with_period(refill)?.allow_burst(burst))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const MINUTES: Duration = Duration::from_secs(300);

    fn caller(address: &str) -> CallerKey {
        CallerKey::Address(address.parse().unwrap())
    }

    #[test]
    fn a_bucket_holds_its_burst_and_no_more() {
        let limiter = RateLimiter::new(BucketRule { tokens: 30.0, per: MINUTES, burst: 3 });
        for _ in 0..3 {
            assert_eq!(limiter.check(&caller("203.0.113.9")), Ok(()));
        }
        let wait = limiter.check(&caller("203.0.113.9")).unwrap_err().retry_after;
        assert!((9..=10).contains(&wait.as_secs()), "one in ten seconds: {wait:?}");
        assert_eq!(limiter.check(&caller("203.0.113.10")), Ok(()), "another caller has another bucket");
    }

    #[test]
    fn nought_is_no_limit() {
        for tokens in [0.0, -1.0, f64::NAN] {
            let limiter = RateLimiter::new(BucketRule { tokens, per: MINUTES, burst: 1 });
            for _ in 0..100 {
                assert_eq!(limiter.check(&caller("203.0.113.9")), Ok(()));
            }
        }
    }

    #[test]
    fn a_large_limit_refills_at_once() {
        let limiter = RateLimiter::new(BucketRule { tokens: 1e12, per: MINUTES, burst: 30 });
        for _ in 0..1000 {
            assert_eq!(limiter.check(&caller("203.0.113.9")), Ok(()));
        }
    }

    #[test]
    fn only_a_trusted_proxy_names_the_caller() {
        let header = HeaderName::from_static("x-real-ip");
        let mut headers = HeaderMap::new();
        headers.insert(&header, HeaderValue::from_static("198.51.100.1, 6.6.6.6"));
        let facts = |through_proxy| Facts {
            id: uuid::Uuid::nil(),
            ip: Some("203.0.113.9".parse().unwrap()),
            through_proxy,
        };
        let key = |trusted, header| CallerKey::of(&facts(trusted), &headers, header);
        assert_eq!(key(true, Some(&header)), caller("198.51.100.1"));
        assert_eq!(key(false, Some(&header)), caller("203.0.113.9"));
        assert_eq!(key(true, None), caller("203.0.113.9"));
        assert_eq!(key(true, Some(&HeaderName::from_static("x-other"))), caller("203.0.113.9"));

        headers.insert(&header, HeaderValue::from_str(&"x".repeat(500)).unwrap());
        let named = CallerKey::of(&facts(true), &headers, Some(&header));
        assert_eq!(named, CallerKey::Named("x".repeat(NAME_LIMIT).into()));
    }
}
