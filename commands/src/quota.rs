//! How many messages leave in a time: all together, and of that at most half for one caller, so that one
//! stranger cannot use up everybody's. What is counted is the asking, whoever has the address: a limit
//! that only mails use up would tell who has an account.
//!
//! The counters are this node's and begin anew with it.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use evident_domain::{Actor, Personal, Time};

use crate::Commands;
use crate::contact::Contact;
use crate::execute::{Settled, UseCase};
use crate::settings::MessageRate;
use crate::unit::Context;

/// So many callers are told apart; those on top share a counter.
const CALLERS: usize = 10_000;

/// The time in which [`MessageRate::PerHour`] counts.
const HOUR: Duration = Duration::from_secs(3600);

/// No more messages may leave for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many messages were asked for")]
pub struct OverQuota;

/// What has been used of a rate.
#[derive(Debug, Clone, Copy)]
struct Meter {
    used: u32,
    since: Time,
}

impl Meter {
    fn new(now: Time) -> Self {
        Self { used: 0, since: now }
    }

    /// Gives back what the time has brought.
    fn refill(&mut self, rate: MessageRate, now: Time) {
        let passed = (now - self.since).to_std().unwrap_or_default();
        match rate {
            MessageRate::PerHour(_) if self.used == 0 || passed >= HOUR => *self = Self::new(now),
            MessageRate::PerHour(_) => {}
            MessageRate::Bucket { refill, .. } => {
                let back = passed.as_nanos().checked_div(refill.as_nanos()).unwrap_or(u128::MAX);
                let back = u32::try_from(back).unwrap_or(u32::MAX);
                self.used = self.used.saturating_sub(back);
                self.since = if self.used == 0 { now } else { self.since + refill.saturating_mul(back) };
            }
        }
    }

    fn is_full(&self, rate: MessageRate) -> bool {
        let (MessageRate::PerHour(most) | MessageRate::Bucket { burst: most, .. }) = rate;
        self.used >= most
    }
}

/// What one caller may have of a rate: half of it, but one message where there is any.
fn share(rate: MessageRate) -> MessageRate {
    match rate {
        MessageRate::PerHour(most) => MessageRate::PerHour(most.div_ceil(2)),
        MessageRate::Bucket { burst, refill } => {
            MessageRate::Bucket { burst: burst.div_ceil(2), refill: refill.saturating_mul(2) }
        }
    }
}

#[derive(Debug, Default)]
struct Meters {
    all: Option<Meter>,
    callers: HashMap<Caller, Meter>,
}

impl Meters {
    fn spend(&mut self, rate: MessageRate, caller: Caller, now: Time) -> Result<(), OverQuota> {
        let all = self.all.get_or_insert(Meter::new(now));
        all.refill(rate, now);
        if all.is_full(rate) {
            return Err(OverQuota);
        }
        if caller != Caller::Exempt {
            let (rate, mut caller) = (share(rate), caller);
            if self.callers.len() >= CALLERS && !self.callers.contains_key(&caller) {
                self.callers.retain(|_, meter| {
                    meter.refill(rate, now);
                    meter.used > 0
                });
                if self.callers.len() >= CALLERS {
                    caller = Caller::Crowd;
                }
            }
            let own = self.callers.entry(caller).or_insert(Meter::new(now));
            own.refill(rate, now);
            if own.is_full(rate) {
                return Err(OverQuota);
            }
            own.used += 1;
        }
        all.used += 1;
        Ok(())
    }

    fn give_back(&mut self, caller: Caller) {
        if let Some(all) = &mut self.all {
            all.used = all.used.saturating_sub(1);
        }
        if let Some(own) = self.callers.get_mut(&caller) {
            own.used = own.used.saturating_sub(1);
        }
    }
}

/// The counters of a node.
#[derive(Debug, Default)]
pub(crate) struct MessageQuota {
    mail: Mutex<Meters>,
    sms: Mutex<Meters>,
}

impl MessageQuota {
    fn of(&self, to: &Contact) -> &Mutex<Meters> {
        match to {
            Contact::Email(_) => &self.mail,
            Contact::Phone(_) => &self.sms,
        }
    }
}

/// Whose counter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Caller {
    /// An administrator, or the server itself: only the whole counts.
    Exempt,
    /// A customer's network.
    At(IpAddr),
    /// All whose address is not known or cannot be told apart any more.
    Crowd,
}

impl Caller {
    fn of(context: &Context) -> Self {
        match context.provenance.actor {
            Actor::Admin { .. } | Actor::Operator | Actor::System => Self::Exempt,
            Actor::User { .. } | Actor::Impersonator { .. } | Actor::Visitor => {
                let ip = context.provenance.ip.as_ref().and_then(Personal::known);
                ip.map_or(Self::Crowd, |ip| Self::At(customer(*ip)))
            }
        }
    }
}

/// An address, or the network that one customer has of the sixth version (RFC 6177).
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        four @ IpAddr::V4(_) => four,
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & (u128::MAX << 64))),
    }
}

impl Commands {
    /// Runs a use case that may send a message to somebody. If it is refused, the message is not counted.
    ///
    /// # Errors
    /// [`OverQuota`] when no message may leave for this caller, known or unknown the address; else the use
    /// case's refusals.
    pub(crate) async fn execute_sending<U>(
        &self,
        context: &Context,
        to: &Contact,
        case: &U,
    ) -> Result<(U::Output, Settled), U::Error>
    where
        U: UseCase,
        U::Error: From<OverQuota>,
    {
        let Some(rate) = self.message_rate(to) else { return self.execute_at(context, case).await };
        let (meters, caller) = (self.quota().of(to), Caller::of(context));
        let now = self.clock().now();
        meters.lock().unwrap_or_else(PoisonError::into_inner).spend(rate, caller, now)?;
        let done = self.execute_at(context, case).await;
        if done.is_err() {
            meters.lock().unwrap_or_else(PoisonError::into_inner).give_back(caller);
        }
        done
    }

    /// The rate that counts for a recipient. There is none where addresses need no confirmation, and for
    /// the numbers of test suites.
    fn message_rate(&self, to: &Contact) -> Option<MessageRate> {
        let settings = self.settings();
        match to {
            Contact::Email(_) => {
                (!settings.sign_up.mail_autoconfirm).then_some(settings.rate_limits.email_sent)
            }
            Contact::Phone(phone) => {
                let test = settings.sms.test_code(phone.as_str(), self.clock().now()).is_some();
                (!settings.sign_up.sms_autoconfirm && !test).then_some(settings.rate_limits.sms_sent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(1_795_226_118 + seconds, 0).unwrap()
    }

    fn visitor(last: u8) -> Caller {
        Caller::At(IpAddr::from([203, 0, 113, last]))
    }

    #[test]
    fn one_caller_has_half_and_all_have_the_whole() {
        let (rate, mut meters) = (MessageRate::PerHour(5), Meters::default());
        for _ in 0..3 {
            assert_eq!(meters.spend(rate, visitor(1), at(0)), Ok(()));
        }
        assert_eq!(meters.spend(rate, visitor(1), at(1)), Err(OverQuota), "half is gone");
        for _ in 0..2 {
            assert_eq!(meters.spend(rate, visitor(2), at(2)), Ok(()), "another caller is not hurt");
        }
        assert_eq!(meters.spend(rate, visitor(3), at(3)), Err(OverQuota), "all is gone");
        assert_eq!(meters.spend(rate, Caller::Exempt, at(3)), Err(OverQuota));
        assert_eq!(meters.spend(rate, visitor(1), at(3600)), Ok(()), "the next hour");
    }

    #[test]
    fn what_was_not_sent_is_given_back() {
        let (rate, mut meters) = (MessageRate::PerHour(1), Meters::default());
        assert_eq!(meters.spend(rate, visitor(1), at(0)), Ok(()));
        meters.give_back(visitor(1));
        assert_eq!(meters.spend(rate, visitor(1), at(0)), Ok(()));
        assert_eq!(meters.spend(rate, visitor(1), at(0)), Err(OverQuota));
    }

    #[test]
    fn a_bucket_gets_one_back_after_each_refill() {
        let rate = MessageRate::Bucket { burst: 2, refill: Duration::from_secs(60) };
        let mut meters = Meters::default();
        for _ in 0..2 {
            assert_eq!(meters.spend(rate, Caller::Exempt, at(0)), Ok(()));
        }
        assert_eq!(meters.spend(rate, Caller::Exempt, at(59)), Err(OverQuota));
        assert_eq!(meters.spend(rate, Caller::Exempt, at(60)), Ok(()));
        assert_eq!(meters.spend(rate, Caller::Exempt, at(119)), Err(OverQuota));
        assert_eq!(meters.spend(rate, Caller::Exempt, at(120)), Ok(()));
    }

    #[test]
    fn nought_is_no_message_at_all() {
        assert_eq!(Meters::default().spend(MessageRate::PerHour(0), Caller::Exempt, at(0)), Err(OverQuota));
    }

    #[test]
    fn callers_are_bounded_in_number() {
        let (rate, mut meters) = (MessageRate::PerHour(u32::MAX), Meters::default());
        for n in 0..u32::try_from(CALLERS).unwrap() + 10 {
            let caller = Caller::At(IpAddr::from(n.to_be_bytes()));
            assert_eq!(meters.spend(rate, caller, at(0)), Ok(()));
        }
        assert!(meters.callers.len() <= CALLERS + 1);
    }

    #[test]
    fn a_network_of_the_sixth_version_is_one_caller() {
        let same = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"].map(|text| customer(text.parse().unwrap()));
        assert_eq!(same[0], same[1]);
        assert_ne!(same[0], customer("2001:db8:1:3::1".parse().unwrap()));
    }
}
