//! Codes that a text message service makes and checks itself.

use evident_domain::user::factor::FactorKind;
use evident_domain::user::{Proof, TokenPurpose};
use evident_domain::{Phone, TokenHash, UserId};

use crate::Commands;
use crate::execute::Failure;
use crate::factors::{GivenAnswer, VerifyFactor};
use crate::messages::sms::SmsService;
use crate::unit::Unit;

/// Who knows whether the code of a text message is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeCheck {
    /// We made it.
    Ours,
    /// The service made it, and says that it is good.
    Good,
    /// The service made it, and says that it is not.
    Wrong,
}

impl Commands {
    /// The service that makes and checks the codes of text messages itself, where one does.
    fn checking_service(&self, phone: &Phone) -> Option<&SmsService> {
        let test_code = self.settings().sms.test_code(phone.as_str(), self.clock().now()).is_some();
        let service = self.sms_service().filter(|service| service.checks_codes())?;
        (!test_code && !self.hooks().sends_texts()).then_some(service)
    }

    /// Asks the service that made a code whether it is good; not to be called before there is one that is
    /// alive. Where codes are ours, nobody is asked.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] when the service does not answer.
    pub async fn check_text_code(&self, phone: &Phone, code: &str) -> Result<CodeCheck, Failure> {
        let Some(service) = self.checking_service(phone) else { return Ok(CodeCheck::Ours) };
        Ok(if checked(service, phone, code).await? { CodeCheck::Good } else { CodeCheck::Wrong })
    }

    /// What was noted of the code of a second factor's text message, where the service made the code and says
    /// that this one is good. Nobody is asked about a challenge that cannot be answered.
    ///
    /// # Errors
    /// When the service does not answer.
    pub(crate) async fn text_of_factor(&self, answer: &VerifyFactor) -> Result<Option<TokenHash>, Failure> {
        let GivenAnswer::Code(code) = &answer.answer else { return Ok(None) };
        let service =
            self.sms_service().filter(|service| service.checks_codes() && !self.hooks().sends_texts());
        let (Some(service), false) = (service, code.is_empty()) else { return Ok(None) };
        let now = self.clock().now();
        let mut unit = Unit::new(self.store(), self.aggregates(), now);
        let Some(account) = unit.user(answer.user).await?.account() else { return Ok(None) };
        let factors = &account.factors;
        if factors.wait_seconds(now).is_some() {
            return Ok(None);
        }
        let VerifyFactor { factor, challenge, session, .. } = *answer;
        let factor_asked = factors.get(factor).ok().filter(|factor| factor.kind == FactorKind::Phone);
        let Some(phone) = factor_asked.and_then(|factor| factor.phone.as_ref()) else { return Ok(None) };
        let open = factors.open_challenge(challenge, factor, session, now);
        let Some(noted) = open.and_then(|challenge| challenge.code.clone()) else { return Ok(None) };
        Ok(checked(service, phone, code).await?.then_some(noted))
    }

    /// The proof that a code of a text message is for a user. A code of ours is compared with what was
    /// noted; where the service made it, what was noted stands for the service's yes.
    pub(crate) async fn text_proof(
        &self,
        user: UserId,
        phone: &Phone,
        code: &str,
        typed: TokenHash,
        purpose: TokenPurpose,
    ) -> Result<Proof, Failure> {
        if self.checking_service(phone).is_none() {
            return Ok(Proof::Code(typed));
        }
        let now = self.clock().now();
        let mut unit = Unit::new(self.store(), self.aggregates(), now);
        let noted = unit.user(user).await?.account().and_then(|account| account.tokens.get(&purpose));
        let Some(noted) = noted.filter(|token| token.expires_at > now).map(|token| token.code.clone()) else {
            return Ok(Proof::Code(typed));
        };
        Ok(Proof::Code(match self.check_text_code(phone, code).await? {
            CodeCheck::Good => noted,
            CodeCheck::Ours | CodeCheck::Wrong => typed,
        }))
    }
}

/// What the service says of a code.
async fn checked(service: &SmsService, phone: &Phone, code: &str) -> Result<bool, Failure> {
    service.check(phone, code).await.map_err(|error| {
        tracing::warn!(error = &error as &dyn std::error::Error, "a code cannot be checked");
        Failure::Overloaded
    })
}
