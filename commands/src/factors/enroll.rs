//! Enrolling a second factor. It counts once it is verified.

use evident_domain::user::factor::{FactorCommand, FactorKind, NewFactor};
use evident_domain::user::{Account, UserCommand};
use evident_domain::{FactorId, Phone, SessionId, UserId};
use url::Url;
use zeroize::Zeroizing;

use super::{FactorUse, FactorsError, account_in_session, totp};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// A second factor as it was asked for.
#[derive(Debug, Clone)]
pub struct EnrollFactor {
    /// Whose.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// What it is.
    pub kind: FactorKind,
    /// What the user calls it; may be empty.
    pub name: String,
    /// Who an app shows the code for; empty: the application.
    pub issuer: String,
    /// The number of a phone.
    pub phone: String,
}

/// A factor that was enrolled.
#[derive(Debug)]
pub struct EnrolledFactor {
    /// Its id.
    pub factor: FactorId,
    /// What an app is to read.
    pub totp: Option<TotpEnrolment>,
}

/// What an app is to read. It is shown this once.
pub struct TotpEnrolment {
    /// The secret, in base32.
    pub secret: Zeroizing<String>,
    /// The secret, whose it is, and who gave it.
    pub uri: Zeroizing<String>,
    /// The same as a picture: an SVG.
    pub picture: Zeroizing<String>,
}

impl std::fmt::Debug for TotpEnrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpEnrolment(…)")
    }
}

impl Commands {
    /// Enrolls a second factor.
    ///
    /// # Errors
    /// When the kind is switched off, the number does not read, or the account has a rule against it.
    pub async fn enroll_factor(
        &self,
        context: &Context,
        request: EnrollFactor,
    ) -> Result<EnrolledFactor, FactorsError> {
        let settings = &self.settings().second_factors;
        let can = request.kind != FactorKind::Webauthn || self.relying_party().is_some();
        if !settings.switch(request.kind).enroll || !can {
            return Err(FactorsError::Disabled(request.kind, FactorUse::Enroll));
        }
        let entropy = self.store().entropy();
        let secret = totp::generate(entropy);
        let new = match request.kind {
            FactorKind::Totp => {
                let sealed = self.factor_keys().seal(entropy, request.user, &secret);
                NewFactor::Totp(sealed.ok_or(Failure::Internal("a secret was not enciphered"))?)
            }
            FactorKind::Phone if request.phone.is_empty() => return Err(FactorsError::PhoneRequired),
            FactorKind::Phone => NewFactor::Phone(Phone::parse(&request.phone)?),
            FactorKind::Webauthn => NewFactor::Webauthn,
        };
        let factor = FactorId(entropy.uuid());
        let case = EnrollCase { commands: self, request: &request, factor, new, secret };
        self.execute(context, &case).await
    }
}

struct EnrollCase<'a> {
    commands: &'a Commands,
    request: &'a EnrollFactor,
    factor: FactorId,
    new: NewFactor,
    secret: Zeroizing<String>,
}

impl UseCase for EnrollCase<'_> {
    type Output = EnrolledFactor;
    type Error = FactorsError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<EnrolledFactor, FactorsError> {
        let (user, session) = (self.request.user, self.request.session);
        let (account, live) = account_in_session::<FactorsError>(unit, user, session).await?;
        let command = FactorCommand::Enroll {
            factor: self.factor,
            new: self.new.clone(),
            name: self.request.name.clone(),
            aal: live.aal,
            limits: self.commands.settings().second_factors.limits(),
            now: unit.now(),
        };
        unit.tell_user::<FactorsError>(user, UserCommand::Factor(command)).await?;
        let totp = match &self.new {
            NewFactor::Totp(_) => Some(self.to_read(&account)?),
            NewFactor::Phone(_) | NewFactor::Webauthn => None,
        };
        Ok(EnrolledFactor { factor: self.factor, totp })
    }
}

impl EnrollCase<'_> {
    fn to_read(&self, account: &Account) -> Result<TotpEnrolment, FactorsError> {
        let site = &self.commands.settings().site.site_url;
        let issuer = match self.request.issuer.as_str() {
            "" => host_of(site).unwrap_or_else(|| site.clone()),
            given => given.to_owned(),
        };
        let uri = totp::uri(&self.secret, &issuer, &name_of(self.request.user, account));
        let picture = totp::picture(&uri).ok_or(FactorsError::IssuerTooLong)?;
        Ok(TotpEnrolment { secret: self.secret.clone(), uri, picture: Zeroizing::new(picture) })
    }
}

/// What an account is called where people see it.
pub(crate) fn name_of(user: UserId, account: &Account) -> String {
    let email = account.email.as_ref().map(|email| email.value.to_string());
    let phone = || account.phone.as_ref().map(|phone| phone.value.to_string());
    email.or_else(phone).unwrap_or_else(|| user.to_string())
}

/// The host of an address, and its port where it has one.
fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}
