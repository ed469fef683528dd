//! Accounts that people make for themselves or are invited to, by one address or number.

use evident_domain::user::{
    Confirmed, IdentityData, SignUp as Account, SignUpMethod, User, UserCommand, UserError,
};
use evident_domain::{IdentityId, Metadata, PasswordHash, UserId};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::Failure;
use crate::unit::Unit;

/// An account to be made.
#[derive(Debug)]
pub(crate) struct NewAccount<'a> {
    /// Its address or number.
    pub contact: &'a Contact,
    /// Whether that counts as confirmed at once.
    pub confirmed: Confirmed,
    /// By whom and how.
    pub method: SignUpMethod,
    /// The audience.
    pub aud: &'a str,
    /// The password's hash; none: the person comes in by codes and links.
    pub password: Option<&'a PasswordHash>,
    /// The data that were sent along.
    pub data: &'a Metadata,
}

impl NewAccount<'_> {
    /// What a person's own sign-up leaves in both places; an administrator's data stay as they are.
    fn metadata(&self, user: UserId) -> (Metadata, Metadata) {
        let own = Metadata::default()
            .with("sub", user.to_string())
            .with("email_verified", false)
            .with("phone_verified", false);
        let own = match self.contact {
            Contact::Email(email) => own.with("email", email.as_str()),
            Contact::Phone(_) => own,
        };
        match self.method {
            SignUpMethod::Invited | SignUpMethod::Admin => (self.data.clone(), own),
            SignUpMethod::Password
            | SignUpMethod::Imported
            | SignUpMethod::OneTimeToken
            | SignUpMethod::External
            | SignUpMethod::Anonymous => {
                // The server's own keys win over equal ones.
                let all = self.data.clone().merged(&own);
                (all.clone(), all)
            }
        }
    }
}

impl Commands {
    /// Makes an account in a unit.
    pub(crate) async fn make_account<E>(&self, unit: &mut Unit<'_>, new: &NewAccount<'_>) -> Result<UserId, E>
    where
        E: From<UserError> + From<Failure>,
    {
        let user = UserId(unit.store().entropy().uuid());
        let identity = IdentityId(unit.store().entropy().uuid());
        unit.expect_new::<User>(user.0);
        let provider = new.contact.provider();
        let (user_metadata, data) = new.metadata(user);
        let (email, phone) = match new.contact.clone() {
            Contact::Email(email) => (Some((email, new.confirmed)), None),
            Contact::Phone(phone) => (None, Some((phone, new.confirmed))),
        };
        let account = Account {
            method: new.method,
            aud: new.aud.to_owned(),
            role: self.settings().tokens.default_role.clone(),
            email,
            phone,
            password: new.password.cloned(),
            user_metadata,
            app_metadata: provider_metadata(&[provider]),
            identities: vec![IdentityData {
                id: identity,
                provider: provider.to_owned(),
                provider_id: user.to_string(),
                data,
            }],
        };
        unit.tell_user::<E>(user, UserCommand::SignUp(Box::new(account))).await?;
        Ok(user)
    }

    /// Whether addresses, or numbers, count as confirmed without a message.
    pub(crate) fn confirms_at_once(&self, contact: &Contact) -> bool {
        match contact {
            Contact::Email(_) => self.settings().sign_up.mail_autoconfirm,
            Contact::Phone(_) => self.settings().sign_up.sms_autoconfirm,
        }
    }
}

/// `app_metadata` as the providers of an account make it.
pub(crate) fn provider_metadata(providers: &[&str]) -> Metadata {
    let metadata = Metadata::default().with("providers", providers);
    match providers.first() {
        Some(first) => metadata.with("provider", *first),
        None => metadata,
    }
}
