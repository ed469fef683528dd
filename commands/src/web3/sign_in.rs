//! Signing in with a wallet, and signing up when it comes for the first time.

use std::time::Duration;

use evident_domain::attempt::{AttemptEvent, SignInRefusal};
use evident_domain::flow::{Flow, FlowCommand, FlowError, FlowPurpose, Start};
use evident_domain::session::SessionError;
use evident_domain::user::{
    Arrival, IdentityData, SignUp as NewAccount, SignUpMethod, User, UserCommand, UserError,
};
use evident_domain::{Claim, ClaimKind, FlowId, IdentityId, Metadata, Subject, Time, UserId};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::message::{MessageError, SignInMessage};
use super::signature::{Signature, SignatureMalformed};
use super::{Chain, address::Address};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, Started, start_session};
use crate::new_account::provider_metadata;
use crate::settings::WalletSettings;
use crate::unit::{Context, Unit};

/// The provider of wallets' identities, and the method in `amr`.
const WEB3: &str = "web3";

/// A sign-in as it was asked for.
#[derive(Debug, Clone)]
pub struct Web3SignIn {
    /// The wallet's family.
    pub chain: Chain,
    /// The message that was signed.
    pub message: String,
    /// Its signature, as the wallet writes it.
    pub signature: String,
    /// The audience of a new account.
    pub aud: String,
}

/// Why a message that reads is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Web3Refusal {
    /// Another wallet signed, or another message was signed.
    Signature,
    /// It is for an application that is not reached safely.
    NotHttps,
    /// It is for an application that is not ours.
    Uri,
    /// Another application asked for it.
    Domain,
    /// It does not count yet.
    NotYet,
    /// It does not count any more, by its own words.
    Expired,
    /// It was made too long ago.
    IssuedLongAgo,
    /// It was made by a clock that is ahead.
    IssuedInFuture,
    /// It was used.
    Replayed,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum Web3SignInError {
    /// Wallets of this family may not sign in.
    #[error("wallets of this family may not sign in")]
    ChainDisabled,
    /// The message does not read.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The signature does not read.
    #[error(transparent)]
    Signature(#[from] SignatureMalformed),
    /// The message is not taken.
    #[error("the message is not taken: {0:?}")]
    Refused(Web3Refusal),
    /// A wallet that nobody knows would sign up, and nobody may.
    #[error("signing up is disabled")]
    SignUpDisabled,
    /// The wallet's user is kept out.
    #[error("the user is banned")]
    Banned,
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<FlowError> for Web3SignInError {
    /// A message begins its flow once.
    fn from(_: FlowError) -> Self {
        Self::Refused(Web3Refusal::Replayed)
    }
}

impl Commands {
    /// Signs a wallet in by a message that it signed; one that comes for the first time gets an account. A
    /// message counts once.
    ///
    /// # Errors
    /// When the message or its signature are not good, or the user may not come in.
    pub async fn web3_sign_in(
        &self,
        context: &Context,
        request: &Web3SignIn,
    ) -> Result<Grant, Web3SignInError> {
        let settings = &self.settings().web3;
        let wallets = match request.chain {
            Chain::Solana => &settings.solana,
            Chain::Ethereum => &settings.ethereum,
        };
        if !wallets.enabled {
            return Err(Web3SignInError::ChainDisabled);
        }
        let message = SignInMessage::parse(request.chain, &request.message)?;
        let signature = Signature::parse(request.chain, &request.signature)?;
        let wallet = Wallet::of(request.chain, &message.address);
        let refusal = if signature.is_by(&message.address, &request.message, &message.domain) {
            self.application(&message).or_else(|| moment(&message, wallets, self.clock().now()))
        } else {
            Some(Web3Refusal::Signature)
        };
        let case = Web3Case { commands: self, request, message: &message, wallet, refusal, wallets };
        let (done, committed) = self.execute_at(context, &case).await?;
        match done {
            Done::In(started) => Ok(self.grant(&started, committed).await?),
            Done::Refused(refusal) => Err(Web3SignInError::Refused(refusal)),
            Done::Banned => Err(Web3SignInError::Banned),
        }
    }

    /// What is wrong with the application that a message is for. Whoever asked for the signature must be
    /// the application that it is for, on this machine too: else any page could sign people in here.
    fn application(&self, message: &SignInMessage) -> Option<Web3Refusal> {
        let local = message.url.host_str() == Some("localhost");
        if !local && message.url.scheme() != "https" {
            return Some(Web3Refusal::NotHttps);
        }
        let allowed = |url: &str| self.redirects().admit(url).is_some();
        if !allowed(&message.uri) {
            return Some(Web3Refusal::Uri);
        }
        let asking = format!("{}://{}/", message.url.scheme(), message.domain);
        let same = url::Url::parse(&asking).is_ok_and(|asking| asking.origin() == message.url.origin());
        if !same || !(local || allowed(&asking)) {
            return Some(Web3Refusal::Domain);
        }
        None
    }
}

/// What is wrong with the time of a message.
fn moment(message: &SignInMessage, wallets: &WalletSettings, now: Time) -> Option<Web3Refusal> {
    if message.not_before.is_some_and(|begins| now < begins) {
        return Some(Web3Refusal::NotYet);
    }
    if message.expires_at.is_some_and(|expires| now > expires) {
        return Some(Web3Refusal::Expired);
    }
    // Both are within the years of RFC 3339, so their distance is a number.
    let age = now - message.issued_at;
    let longer = |distance: chrono::TimeDelta| {
        distance.to_std().is_ok_and(|distance: Duration| distance > wallets.max_validity)
    };
    if longer(age) {
        Some(Web3Refusal::IssuedLongAgo)
    } else if longer(-age) {
        Some(Web3Refusal::IssuedInFuture)
    } else {
        None
    }
}

/// A wallet as an identity.
struct Wallet {
    address: String,
    /// `web3:solana:<address>`
    provider_id: String,
}

impl Wallet {
    fn of(chain: Chain, address: &Address) -> Self {
        let address = address.canonical();
        Self { provider_id: format!("{WEB3}:{}:{address}", chain.as_str()), address }
    }

    fn claim(&self) -> Claim {
        Claim { kind: ClaimKind::Identity, value: format!("{WEB3}:{}", self.provider_id) }
    }
}

struct Web3Case<'a> {
    commands: &'a Commands,
    request: &'a Web3SignIn,
    message: &'a SignInMessage,
    wallet: Wallet,
    /// What is wrong with the message, apart from having been used.
    refusal: Option<Web3Refusal>,
    wallets: &'a WalletSettings,
}

enum Done {
    In(Started),
    Refused(Web3Refusal),
    Banned,
}

impl UseCase for Web3Case<'_> {
    type Output = Done;
    type Error = Web3SignInError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Done, Web3SignInError> {
        let holder = unit.store().holder(&self.wallet.claim()).await.map_err(Failure::from)?.map(UserId);
        if let Some(refusal) = self.refusal {
            if refusal == Web3Refusal::Signature {
                self.note(unit, holder, SignInRefusal::InvalidToken);
            }
            return Ok(Done::Refused(refusal));
        }
        let flow = self.flow();
        if *unit.read::<Flow>(flow.0).await? != Flow::Absent {
            self.note(unit, holder, SignInRefusal::InvalidToken);
            return Ok(Done::Refused(Web3Refusal::Replayed));
        }
        let user = match holder {
            Some(user) => {
                let now = unit.now();
                if unit.user(user).await?.account().is_some_and(|account| account.is_banned(now)) {
                    self.note(unit, holder, SignInRefusal::Banned);
                    return Ok(Done::Banned);
                }
                let arrival = Arrival { identity: self.identity(unit), email: None, free: false };
                unit.tell_user::<Web3SignInError>(user, UserCommand::Arrive(Box::new(arrival))).await?;
                user
            }
            None if self.commands.settings().sign_up.disabled => {
                return Err(Web3SignInError::SignUpDisabled);
            }
            None => self.sign_up(unit).await?,
        };
        self.use_up(unit, flow, user).await?;
        let session = unit.new_session();
        Ok(Done::In(start_session::<Web3SignInError>(unit, user, session, WEB3).await?))
    }
}

impl Web3Case<'_> {
    async fn sign_up(&self, unit: &mut Unit<'_>) -> Result<UserId, Web3SignInError> {
        let user = UserId(unit.store().entropy().uuid());
        unit.expect_new::<User>(user.0);
        let identity = self.identity(unit);
        let account = NewAccount {
            method: SignUpMethod::External,
            aud: self.request.aud.clone(),
            role: self.commands.settings().tokens.default_role.clone(),
            email: None,
            phone: None,
            password: None,
            user_metadata: identity.data.clone(),
            app_metadata: provider_metadata(&[WEB3]),
            identities: vec![identity],
        };
        unit.tell_user::<Web3SignInError>(user, UserCommand::SignUp(Box::new(account))).await?;
        Ok(user)
    }

    /// The wallet as Supabase Auth describes it.
    fn identity(&self, unit: &Unit<'_>) -> IdentityData {
        let claims = json!({
            "address": self.wallet.address,
            "chain": self.request.chain.as_str(),
            "network": self.message.chain_id.as_deref().unwrap_or_default(),
            "domain": self.message.domain,
            "statement": self.message.statement.as_deref().unwrap_or_default(),
        });
        IdentityData {
            id: IdentityId(unit.store().entropy().uuid()),
            provider: WEB3.to_owned(),
            provider_id: self.wallet.provider_id.clone(),
            data: Metadata::default()
                .with("sub", self.wallet.provider_id.as_str())
                .with("custom_claims", claims)
                .with("email_verified", false)
                .with("phone_verified", false),
        }
    }

    /// The flow that a message is: named by it, so that it begins once.
    fn flow(&self) -> FlowId {
        let digest = Sha256::new()
            .chain_update(b"evident web3 message\0")
            .chain_update(self.request.chain.as_str())
            .chain_update(b"\0")
            .chain_update(&self.request.message)
            .finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(byte, from)| *byte = from);
        FlowId(Uuid::from_bytes(bytes))
    }

    /// The flow begins and is over: the message counts no more.
    async fn use_up(&self, unit: &mut Unit<'_>, flow: FlowId, user: UserId) -> Result<(), Web3SignInError> {
        let now = unit.now();
        let start = Start {
            purpose: FlowPurpose::External,
            provider: Some(WEB3.to_owned()),
            challenge: None,
            redirect_to: self.message.uri.clone(),
            linking: None,
            session: None,
            kept: None,
            now,
            expires_at: now + self.wallets.max_validity,
        };
        unit.tell::<Flow, Web3SignInError>(flow.0, FlowCommand::Start(start)).await?;
        self.commands.authenticate_flow::<Web3SignInError>(unit, flow, user, WEB3, None).await?;
        Ok(())
    }

    fn note(&self, unit: &mut Unit<'_>, user: Option<UserId>, reason: SignInRefusal) {
        let at = unit.now();
        let attempt = AttemptEvent::SignInFailed {
            account: self.commands.codes().account_hash(&self.wallet.provider_id),
            identifier: self.wallet.provider_id.clone().into(),
            user,
            reason,
            at,
        };
        unit.note(user.map_or_else(|| Subject::period_of(at), Subject::User), attempt);
    }
}
