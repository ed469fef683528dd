//! Links of mails that confirm an address, without a client that waits for a session.

use evident_domain::session::SessionError;
use evident_domain::user::{
    Agreement, Proof, TokenPurpose, UnprovenPassword, UserCommand, UserError, UserEvent,
};
use evident_domain::{SessionId, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Failure, UseCase};
use crate::grant::{SessionTerms, start_session_on};
use crate::messages::{LinkForm, LinkType, MailTemplate, SmsChannel};
use crate::one_time::{Dispatch, Pace};
use crate::sign_out::end_what_it_opened;
use crate::tokens::LinkToken;
use crate::unit::{Context, Unit};
use crate::verify::VerifyError;

/// What confirms an address, the one there is or another.
const PURPOSES: [TokenPurpose; 3] =
    [TokenPurpose::EmailConfirmation, TokenPurpose::EmailChangeCurrent, TokenPurpose::EmailChangeNew];

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkStanding {
    /// It is good.
    Good,
    /// It was good.
    Expired,
    /// It is unknown, used or superseded.
    Unknown,
}

/// A link that was opened.
#[derive(Debug, Clone)]
pub struct OpenLink {
    /// Its token.
    pub token: String,
    /// Whose account the browser is signed in to that opens it.
    pub opener: Option<UserId>,
    /// How a session lives that is opened with it, unless its account is the opener's; none: nobody is signed
    /// in by it.
    pub session: Option<SessionTerms>,
    /// Whether a stranger who opens it is taken for who set the password that waits for the confirmation,
    /// where `security.confirmation_keeps_password` is on. The account's own browser always is.
    pub trusts_strangers: bool,
    /// The form of the link of the mail that goes to the new address, once the current one has agreed.
    pub next: LinkForm,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenedLink {
    /// The address is confirmed.
    Confirmed {
        /// Whose.
        user: UserId,
        /// The session that was opened.
        session: Option<SessionId>,
    },
    /// The current address agrees to a change; the new one is asked.
    Asked,
    /// The address is another now.
    Changed {
        /// Whose.
        user: UserId,
        /// The session that was opened.
        session: Option<SessionId>,
    },
}

/// Why nothing came of it.
#[derive(Debug, thiserror::Error)]
pub enum OpenLinkError {
    /// It is unknown, used or superseded, or the address is taken meanwhile: which, nobody is told.
    #[error("the link is invalid")]
    Invalid,
    /// It is too old.
    #[error("the link has expired")]
    Expired,
    /// The session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl From<UserError> for OpenLinkError {
    fn from(_: UserError) -> Self {
        Self::Invalid
    }
}

impl From<VerifyError> for OpenLinkError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Session(error) => Self::Session(error),
            VerifyError::Failure(failure) => Self::Failure(failure),
            _ => Self::Invalid,
        }
    }
}

impl Commands {
    /// How a link stands that is good for some purpose. Nothing is used up.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn link_standing(
        &self,
        token: &str,
        purposes: &[TokenPurpose],
    ) -> Result<LinkStanding, Failure> {
        let Ok(link) = LinkToken::parse(token) else { return Ok(LinkStanding::Unknown) };
        let mut unit = Unit::new(self.store(), self.aggregates(), self.clock().now());
        let now = unit.now();
        let hash = link.hash();
        let account = unit.user(link.user()).await?.account();
        let known = account.and_then(|account| {
            let mut tokens = account.tokens.iter().filter(|(purpose, _)| purposes.contains(purpose));
            tokens.find(|(_, token)| token.link.as_ref().is_some_and(|known| known.matches(&hash)))
        });
        Ok(match known {
            None => LinkStanding::Unknown,
            Some((_, token)) if token.expires_at <= now => LinkStanding::Expired,
            Some(_) => LinkStanding::Good,
        })
    }

    /// Opens a link that confirms an address.
    ///
    /// # Errors
    /// When it is not good.
    pub async fn open_link(&self, context: &Context, request: OpenLink) -> Result<OpenedLink, OpenLinkError> {
        let link = LinkToken::parse(&request.token).map_err(|_| OpenLinkError::Invalid)?;
        if self.link_standing(&request.token, &PURPOSES).await? == LinkStanding::Expired {
            return Err(OpenLinkError::Expired);
        }
        let case = OpenCase { commands: self, user: link.user(), hash: link, request: &request };
        self.execute(context, &case).await
    }
}

struct OpenCase<'a> {
    commands: &'a Commands,
    user: UserId,
    hash: LinkToken,
    request: &'a OpenLink,
}

impl UseCase for OpenCase<'_> {
    type Output = OpenedLink;
    type Error = OpenLinkError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<OpenedLink, OpenLinkError> {
        let (user, proof) = (self.user, Proof::Link(self.hash.hash()));
        let password = self.password();
        let purposes = PURPOSES.to_vec();
        let command = UserCommand::Redeem { purposes, proof, password, now: unit.now() };
        let events = unit.tell_user::<OpenLinkError>(user, command).await?;
        end_what_it_opened::<OpenLinkError>(unit, user, &events).await?;
        let purpose = events.iter().find_map(|event| match event {
            UserEvent::OneTimeTokenRedeemed { purpose } => Some(*purpose),
            _ => None,
        });
        let account = unit.user(user).await?.account().ok_or(OpenLinkError::Invalid)?;
        let asks_new = account.new_email.clone().filter(|_| !account.email_change.new_agreed);
        let own = account.email.as_ref().map(|email| Contact::Email(email.value.clone()));
        match (purpose, asks_new) {
            (Some(TokenPurpose::EmailConfirmation), _) => {
                if let Some(own) = own {
                    self.commands.note_answer::<VerifyError>(unit, &own).await?;
                }
                Ok(OpenedLink::Confirmed { user, session: self.open(unit).await? })
            }
            (Some(TokenPurpose::EmailChangeCurrent), Some(new)) => {
                self.ask_new(unit, Contact::Email(new)).await?;
                Ok(OpenedLink::Asked)
            }
            (Some(_), _) => {
                let agreement = Agreement::OfAll;
                self.commands.complete_email_change(unit, user, agreement, password).await?;
                Ok(OpenedLink::Changed { user, session: self.open(unit).await? })
            }
            (None, _) => Err(OpenLinkError::Invalid),
        }
    }
}

impl OpenCase<'_> {
    fn is_opened_at_home(&self) -> bool {
        self.request.opener == Some(self.user)
    }

    /// What becomes of a password that was set before anybody proved the address.
    fn password(&self) -> UnprovenPassword {
        let trusted =
            self.request.trusts_strangers && self.commands.settings().security.confirmation_keeps_password;
        if trusted || self.is_opened_at_home() { UnprovenPassword::Stays } else { UnprovenPassword::Goes }
    }

    async fn ask_new(&self, unit: &mut Unit<'_>, to: Contact) -> Result<(), OpenLinkError> {
        let dispatch = Dispatch {
            purpose: TokenPurpose::EmailChangeNew,
            to,
            mail: (MailTemplate::EmailChange, LinkType::EmailChange),
            form: Some(self.request.next.clone()),
            redirect_to: String::new(),
            flow: None,
            pace: Pace::Elsewhere,
            channel: SmsChannel::default(),
        };
        self.commands.dispatch::<OpenLinkError>(unit, self.user, &dispatch).await
    }

    /// A session, where one is wanted. Who has a second factor shows it first, so a link opens none; nor does
    /// it for who is kept out.
    async fn open(&self, unit: &mut Unit<'_>) -> Result<Option<SessionId>, OpenLinkError> {
        let Some(terms) = self.request.session.filter(|_| !self.is_opened_at_home()) else { return Ok(None) };
        let now = unit.now();
        let account = unit.user(self.user).await?.account().ok_or(OpenLinkError::Invalid)?;
        if account.is_banned(now) || account.factors.any_verified() {
            return Ok(None);
        }
        let session = unit.new_session();
        start_session_on::<OpenLinkError>(unit, self.user, session, "otp", terms).await?;
        Ok(Some(session))
    }
}
