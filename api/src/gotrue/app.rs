//! What the endpoints work with.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderName;
use evident_commands::Commands;
use evident_commands::captcha::Captcha;
use evident_commands::messages::RedirectPolicy;
use evident_commands::settings::{RateLimitSettings, Settings};
use evident_domain::Time;

use super::discovery::Discovery;
use super::error::GotrueError;
use super::incoming::Incoming;
use crate::config::ServerSettings;
use crate::http::RateLimiter;
use crate::http::limits::NOTED_DENIALS;

/// The state of the endpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    commands: Commands,
    discovery: Discovery,
    buckets: Buckets,
    captcha: Option<Captcha>,
    limit_header: Option<HeaderName>,
    time_limit: Duration,
    body_limit: usize,
}

/// What is limited for each caller apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// `POST /signup` with an address or a number.
    SignUp,
    /// `POST /signup` without either.
    AnonymousSignUp,
    /// `POST /otp`.
    Otp,
    /// `POST /magiclink`.
    MagicLink,
    /// `POST /recover`.
    Recover,
    /// `POST /resend`.
    Resend,
    /// `PUT /user`.
    ChangeSelf,
    /// `GET` and `POST /verify`.
    Verify,
    /// `POST /token`, all grants together but those with a bucket of their own.
    Token,
    /// `POST /factors/{factor_id}/challenge`, all factors together.
    Challenge,
    /// `POST /factors/{factor_id}/verify`, all factors together.
    Answer,
    /// `POST /passkeys/authentication/options`
    Passkey,
    /// Tokens of captchas that the service is asked about.
    Captcha,
    /// `POST /oauth/clients/register`.
    ClientRegistration,
    /// `GET /oauth/authorize`.
    AuthorizationRequests,
    /// `POST /token?grant_type=web3`.
    Web3,
    /// Refusals of administrators' calls that are noted in the log.
    NotedDenials,
}

#[derive(Debug)]
struct Buckets {
    sign_up: RateLimiter,
    anonymous_sign_up: RateLimiter,
    otp: RateLimiter,
    magic_link: RateLimiter,
    recover: RateLimiter,
    resend: RateLimiter,
    change_self: RateLimiter,
    verify: RateLimiter,
    token: RateLimiter,
    challenge: RateLimiter,
    answer: RateLimiter,
    passkey: RateLimiter,
    captcha: RateLimiter,
    client_registration: RateLimiter,
    authorization_requests: RateLimiter,
    web3: RateLimiter,
    noted_denials: RateLimiter,
}

impl Buckets {
    fn new(settings: &RateLimitSettings) -> Self {
        Self {
            sign_up: RateLimiter::new(settings.otp),
            anonymous_sign_up: RateLimiter::new(settings.anonymous_users),
            otp: RateLimiter::new(settings.otp),
            magic_link: RateLimiter::new(settings.otp),
            recover: RateLimiter::new(settings.otp),
            resend: RateLimiter::new(settings.otp),
            change_self: RateLimiter::new(settings.otp),
            verify: RateLimiter::new(settings.verify),
            token: RateLimiter::new(settings.token),
            challenge: RateLimiter::new(settings.second_factors),
            answer: RateLimiter::new(settings.second_factors),
            passkey: RateLimiter::new(settings.passkeys),
            captcha: RateLimiter::new(NOTED_DENIALS),
            client_registration: RateLimiter::new(settings.client_registration),
            authorization_requests: RateLimiter::new(settings.token),
            web3: RateLimiter::new(settings.web3),
            noted_denials: RateLimiter::new(NOTED_DENIALS),
        }
    }

    fn get(&self, bucket: Bucket) -> &RateLimiter {
        match bucket {
            Bucket::SignUp => &self.sign_up,
            Bucket::AnonymousSignUp => &self.anonymous_sign_up,
            Bucket::Otp => &self.otp,
            Bucket::MagicLink => &self.magic_link,
            Bucket::Recover => &self.recover,
            Bucket::Resend => &self.resend,
            Bucket::ChangeSelf => &self.change_self,
            Bucket::Verify => &self.verify,
            Bucket::Token => &self.token,
            Bucket::Challenge => &self.challenge,
            Bucket::Answer => &self.answer,
            Bucket::Passkey => &self.passkey,
            Bucket::Captcha => &self.captcha,
            Bucket::ClientRegistration => &self.client_registration,
            Bucket::AuthorizationRequests => &self.authorization_requests,
            Bucket::Web3 => &self.web3,
            Bucket::NotedDenials => &self.noted_denials,
        }
    }
}

impl App {
    /// The endpoints' state over the use cases.
    pub fn new(commands: Commands, server: &ServerSettings) -> Self {
        let settings = commands.settings();
        let header = settings.rate_limits.header.as_deref();
        let inner = Inner {
            discovery: Discovery::new(settings, commands.signing_keys()),
            buckets: Buckets::new(&settings.rate_limits),
            captcha: Captcha::of(&settings.captcha, commands.outbound()),
            limit_header: header.and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok()),
            time_limit: server.max_request_duration,
            body_limit: server.body_limit,
            commands,
        };
        Self(Arc::new(inner))
    }

    /// The use cases.
    pub fn commands(&self) -> &Commands {
        &self.0.commands
    }

    /// What the owner chose.
    pub fn settings(&self) -> &Settings {
        self.0.commands.settings()
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.0.commands.clock().now()
    }

    /// Where links may lead.
    pub(super) fn redirects(&self) -> &RedirectPolicy {
        self.0.commands.redirects()
    }

    /// The service that is asked about captchas, where they are on.
    pub(super) fn captcha(&self) -> Option<&Captcha> {
        self.0.captcha.as_ref()
    }

    pub(super) fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    /// The header in which a trusted proxy names the caller.
    pub(super) fn limit_header(&self) -> Option<&HeaderName> {
        self.0.limit_header.as_ref()
    }

    /// After so long a request is given up.
    pub fn time_limit(&self) -> Duration {
        self.0.time_limit
    }

    /// The longest body, in bytes.
    pub fn body_limit(&self) -> usize {
        self.0.body_limit
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When the caller asked too often.
    pub fn limit(&self, bucket: Bucket, incoming: &Incoming) -> Result<(), GotrueError> {
        Ok(self.0.buckets.get(bucket).check(&incoming.caller)?)
    }
}
