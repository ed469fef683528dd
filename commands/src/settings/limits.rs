//! How much one caller may do in a time.

use std::time::Duration;

/// How much one caller may do in a time, and how many messages leave in all.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimitSettings {
    /// The header in which a trusted proxy names the caller; its first value counts. None: the caller's
    /// address counts.
    pub header: Option<String>,
    /// Sign-up with an address, recovery, resending, magic links, one-time codes, changes of oneself: a
    /// bucket for each of them.
    pub otp: BucketRule,
    /// Links and codes that are tried.
    pub verify: BucketRule,
    /// Sign-ins and refreshes together.
    pub token: BucketRule,
    /// Challenges to second factors and answers to them: a bucket for each of the two.
    pub second_factors: BucketRule,
    /// Sign-ins by passkey that are begun.
    pub passkeys: BucketRule,
    /// OAuth clients that register themselves.
    pub client_registration: BucketRule,
    /// Sign-ins with wallets.
    pub web3: BucketRule,
    /// Anonymous sign-ups.
    pub anonymous_users: BucketRule,
    /// Mails of the whole server.
    pub email_sent: MessageRate,
    /// Text messages of the whole server.
    pub sms_sent: MessageRate,
}

impl Default for RateLimitSettings {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            header: None,
            otp: BucketRule { tokens: 30.0, per: minutes(5), burst: 30 },
            verify: BucketRule { tokens: 30.0, per: minutes(5), burst: 30 },
            token: BucketRule { tokens: 150.0, per: minutes(5), burst: 30 },
            second_factors: BucketRule { tokens: 15.0, per: minutes(1), burst: 30 },
            passkeys: BucketRule { tokens: 30.0, per: minutes(5), burst: 30 },
            client_registration: BucketRule { tokens: 10.0, per: minutes(5), burst: 30 },
            web3: BucketRule { tokens: 30.0, per: minutes(5), burst: 30 },
            anonymous_users: BucketRule { tokens: 30.0, per: minutes(60), burst: 30 },
            email_sent: MessageRate::PerHour(30),
            sms_sent: MessageRate::PerHour(30),
        }
    }
}

/// A bucket of tokens: each request takes one, and it fills again steadily.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BucketRule {
    /// How many come back in the time.
    pub tokens: f64,
    /// The time.
    pub per: Duration,
    /// How many it holds.
    pub burst: u32,
}

/// How many messages may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRate {
    /// So many within each hour that begins with the first one.
    PerHour(u32),
    /// A bucket.
    Bucket {
        /// How many it holds.
        burst: u32,
        /// After how long one comes back.
        refill: Duration,
    },
}

/// The delay before the next sign-in to an account, after failed ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignInThrottle {
    /// So many failures have no consequence.
    pub free_failures: u32,
    /// The delay after the first failure that has one; it doubles with each further one.
    pub first_delay: Duration,
    /// It grows up to this.
    pub max_delay: Duration,
}

impl Default for SignInThrottle {
    fn default() -> Self {
        Self { free_failures: 5, first_delay: Duration::from_secs(1), max_delay: Duration::from_secs(60) }
    }
}
