//! How often one caller may ask for one path: fixed windows, as clients of Better Auth know them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use evident_domain::Time;

use super::error::BetterAuthError;
use crate::config::better_auth::RateLimitSettings;
use crate::http::limits::CallerKey;

/// With so many callers told apart, those whose window is over are forgotten; if that is not enough, all.
const CALLERS: usize = 200_000;

/// So many requests within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rule {
    window: Duration,
    max: u32,
}

impl Rule {
    const fn new(seconds: u64, max: u32) -> Self {
        Self { window: Duration::from_secs(seconds), max }
    }
}

/// Paths that cost more, or that mails follow; of several that fit the last one counts.
const BUILT_IN: &[(&str, Rule)] = &[
    ("/sign-in*", Rule::new(10, 3)),
    ("/sign-up*", Rule::new(10, 3)),
    ("/change-password*", Rule::new(10, 3)),
    ("/change-email*", Rule::new(10, 3)),
    ("/request-password-reset", Rule::new(60, 3)),
    ("/send-verification-email", Rule::new(60, 3)),
    ("/forget-password*", Rule::new(60, 3)),
    ("/email-otp/send-verification-otp", Rule::new(60, 3)),
    ("/email-otp/request-password-reset", Rule::new(60, 3)),
    ("/two-factor/*", Rule::new(10, 3)),
    ("/phone-number*", Rule::new(60, 10)),
    ("/email-otp/*", Rule::new(60, 3)),
    ("/sign-in/email-otp", Rule::new(60, 3)),
];

/// What was counted of one caller at one path.
#[derive(Debug, Clone, Copy)]
struct Window {
    count: u32,
    last: Time,
    length: Duration,
}

/// The counters of this node.
#[derive(Debug)]
pub(super) struct Limits {
    enabled: bool,
    usual: Rule,
    own: Vec<(String, Option<Rule>)>,
    windows: Mutex<HashMap<(CallerKey, String), Window>>,
}

impl Limits {
    /// By the owner's settings.
    pub(super) fn new(settings: &RateLimitSettings) -> Self {
        Self {
            enabled: settings.enabled,
            usual: Rule { window: settings.window, max: settings.max },
            own: settings.rules.iter().filter_map(|rule| own_rule(rule)).collect(),
            windows: Mutex::default(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When the caller asked too often.
    pub(super) fn check(&self, caller: CallerKey, route: &str, now: Time) -> Result<(), BetterAuthError> {
        if !self.enabled {
            return Ok(());
        }
        let Some(rule) = self.rule(route) else { return Ok(()) };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= CALLERS {
            windows.retain(|_, window| window.last + window.length > now);
            if windows.len() >= CALLERS {
                windows.clear();
            }
        }
        let fresh = Window { count: 0, last: now, length: rule.window };
        let window = windows.entry((caller, route.to_owned())).or_insert(fresh);
        if window.last + rule.window < now {
            *window = fresh;
        }
        if window.count >= rule.max {
            let left = (window.last + rule.window - now).to_std().unwrap_or_default();
            return Err(BetterAuthError::too_many_requests(left));
        }
        window.count += 1;
        window.last = now;
        Ok(())
    }

    /// The rule of a path; none where it is not limited.
    fn rule(&self, route: &str) -> Option<Rule> {
        if let Some((_, own)) = self.own.iter().rev().find(|(pattern, _)| fits(pattern, route)) {
            return *own;
        }
        let built_in = BUILT_IN.iter().rev().find(|(pattern, _)| fits(pattern, route));
        Some(built_in.map_or(self.usual, |(_, rule)| *rule))
    }
}

fn fits(pattern: &str, route: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => route.starts_with(start),
        None => route == pattern,
    }
}

/// Reads `/sign-in/*=10s:3` or `/ok=off`.
pub(crate) fn own_rule_reads(text: &str) -> bool {
    own_rule(text).is_some()
}

fn own_rule(text: &str) -> Option<(String, Option<Rule>)> {
    let (pattern, rule) = text.split_once('=')?;
    let pattern = pattern.trim().to_owned();
    if !pattern.starts_with('/') {
        return None;
    }
    if rule.trim() == "off" {
        return Some((pattern, None));
    }
    let (window, max) = rule.split_once(':')?;
    let seconds = window.trim().trim_end_matches('s').parse().ok().filter(|seconds| *seconds > 0)?;
    Some((pattern, Some(Rule::new(seconds, max.trim().parse().ok()?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_795_000_000 + seconds, 0).unwrap()
    }

    fn caller(address: &str) -> CallerKey {
        CallerKey::Address(address.parse().unwrap())
    }

    #[test]
    fn a_window_begins_anew_when_it_was_quiet_for_its_length() {
        let limits = Limits::new(&RateLimitSettings::default());
        for _ in 0..3 {
            assert!(limits.check(caller("203.0.113.9"), "/sign-in/email", at(0)).is_ok());
        }
        let refused = limits.check(caller("203.0.113.9"), "/sign-in/email", at(4)).unwrap_err();
        assert_eq!(refused.status().as_u16(), 429);
        assert!(limits.check(caller("203.0.113.10"), "/sign-in/email", at(4)).is_ok(), "another caller");
        assert!(limits.check(caller("203.0.113.9"), "/sign-up/email", at(4)).is_ok(), "another path");
        assert!(limits.check(caller("203.0.113.9"), "/sign-in/email", at(11)).is_ok());
    }

    #[test]
    fn the_owners_rules_win_and_the_last_of_them_over_the_others() {
        let rules = ["/sign-in/*=60s:1", "/sign-in/email=off", "/ok=5:2", "nonsense", "/x=0s:1", "/y=1s:x"];
        let rules = rules.map(str::to_owned).to_vec();
        let limits = Limits::new(&RateLimitSettings { rules, ..RateLimitSettings::default() });
        assert_eq!(limits.rule("/sign-in/email"), None);
        assert_eq!(limits.rule("/sign-in/username"), Some(Rule::new(60, 1)));
        assert_eq!(limits.rule("/ok"), Some(Rule::new(5, 2)));
        assert_eq!(limits.rule("/sign-up/email"), Some(Rule::new(10, 3)));
        assert_eq!(limits.rule("/get-session"), Some(Rule::new(10, 100)));
        assert_eq!(limits.own.len(), 3);
    }
}
