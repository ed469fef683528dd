//! Asking for messages without being signed in: as often as one may, whoever has the address.

use std::time::{Duration, Instant};

use evident_domain::recipient::{AskedTooSoon, MessageKind, Recipient, RecipientCommand};
use uuid::Uuid;

use crate::Commands;
use crate::contact::Contact;
use crate::execute::Failure;
use crate::unit::Unit;

/// Answers that must not tell by their time what was done for them leave at multiples of this.
const BEAT: Duration = Duration::from_millis(50);

impl Commands {
    /// Notes in a unit that a message was asked for.
    ///
    /// # Errors
    /// When the last one of this kind was asked for a moment ago, known or unknown the address.
    pub(crate) async fn ask_for_message<E>(
        &self,
        unit: &mut Unit<'_>,
        to: &Contact,
        kind: MessageKind,
    ) -> Result<(), E>
    where
        E: From<AskedTooSoon> + From<Failure>,
    {
        let interval = match to {
            Contact::Email(_) => self.settings().mail.max_frequency,
            Contact::Phone(_) => self.settings().sms.max_frequency,
        };
        let min_interval_millis = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        let command = RecipientCommand::Ask { kind, now: unit.now(), min_interval_millis };
        unit.tell::<Recipient, E>(self.recipient(to), command).await?;
        Ok(())
    }

    /// Notes in a unit that a message goes there at the wish of somebody who is signed in, who was checked
    /// elsewhere: who asks for it once more has to wait.
    pub(crate) async fn note_message<E>(
        &self,
        unit: &mut Unit<'_>,
        to: &Contact,
        kind: MessageKind,
    ) -> Result<(), E>
    where
        E: From<AskedTooSoon> + From<Failure>,
    {
        let command = RecipientCommand::Ask { kind, now: unit.now(), min_interval_millis: 0 };
        unit.tell::<Recipient, E>(self.recipient(to), command).await?;
        Ok(())
    }

    /// Notes in a unit that somebody with an account invites whoever has the address.
    ///
    /// # Errors
    /// When as many did in a time as may.
    pub(crate) async fn invite_recipient<E>(
        &self,
        unit: &mut Unit<'_>,
        to: &Contact,
        within: Duration,
    ) -> Result<(), E>
    where
        E: From<AskedTooSoon> + From<Failure>,
    {
        let within_millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let command = RecipientCommand::Invite { now: unit.now(), within_millis };
        unit.tell::<Recipient, E>(self.recipient(to), command).await?;
        Ok(())
    }

    /// Notes in a unit that who has the address answered: the next message may be asked for at once.
    pub(crate) async fn note_answer<E>(&self, unit: &mut Unit<'_>, from: &Contact) -> Result<(), E>
    where
        E: From<AskedTooSoon> + From<Failure>,
    {
        unit.tell::<Recipient, E>(self.recipient(from), RecipientCommand::Answer).await?;
        Ok(())
    }

    /// The stream of an address: it does not tell the address without the server's key.
    pub(crate) fn recipient(&self, contact: &Contact) -> Uuid {
        let hash = self.codes().recipient_hash(contact.as_str());
        Uuid::from_bytes(hash)
    }

    /// Waits until the next beat since a request came: how long the work took is not seen then, as long
    /// as it is less than a beat apart.
    pub(crate) async fn keep_the_beat(&self, since: Instant) {
        let spent = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        let beat = u64::try_from(BEAT.as_micros()).unwrap_or(u64::MAX);
        let left = beat - spent % beat;
        tokio::time::sleep(Duration::from_micros(left)).await;
    }
}
