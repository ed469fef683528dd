//! What each event leaves of second steps.

use super::{MAX_DEVICES, MAX_STEPS, MailedCode, SecondStep, SecondStepMethod, TrustedDevice, TwoFactor};
use crate::recipient::codes::note_made;
use crate::user::UserEvent;
use crate::{ChallengeId, Time};

impl TwoFactor {
    /// Takes in an event; one that says nothing of second steps changes nothing.
    pub(in crate::user) fn fold(&mut self, event: &UserEvent) {
        match event {
            UserEvent::MailFactorEnabled {} => self.mail_codes = true,
            UserEvent::TwoFactorDisabled {} => {
                *self = Self { mailed_at: std::mem::take(&mut self.mailed_at), ..Self::default() };
            }
            UserEvent::BackupCodesIssued { codes } => self.backup_codes.clone_from(codes),
            UserEvent::SecondStepBegun { step, at, expires_at } => self.keep(*step, true, *at, *expires_at),
            UserEvent::SecondStepCodeSent { step, of_sign_in, code, at, expires_at } => {
                note_made(&mut self.mailed_at, *at);
                if !self.steps.iter().any(|known| known.id == *step) {
                    self.keep(*step, *of_sign_in, *at, *expires_at);
                }
                if let Some(known) = self.known(*step) {
                    let misses = 0;
                    known.code = Some(MailedCode { hash: code.clone(), expires_at: *expires_at, misses });
                    if !known.of_sign_in {
                        known.expires_at = *expires_at;
                    }
                }
            }
            UserEvent::SecondStepMissed { step, method, .. } => {
                if let Some(known) = self.known(*step) {
                    known.misses = known.misses.saturating_add(1);
                    if let (SecondStepMethod::MailedCode, Some(code)) = (method, &mut known.code) {
                        code.misses = code.misses.saturating_add(1);
                    }
                }
            }
            UserEvent::SecondStepExhausted { step, method, .. } => match (method, self.known(*step)) {
                (SecondStepMethod::MailedCode, Some(known)) => known.code = None,
                (_, Some(_)) => self.close(*step),
                (_, None) => {}
            },
            UserEvent::SecondStepTaken { step, backup_code, .. } => {
                self.close(*step);
                if let Some(used) = backup_code {
                    self.backup_codes.retain(|code| code != used);
                }
            }
            UserEvent::DeviceTrusted { device, instead_of, at, expires_at } => {
                self.devices
                    .retain(|known| known.expires_at > *at && Some(&known.token) != instead_of.as_ref());
                let over = (self.devices.len() + 1).saturating_sub(MAX_DEVICES);
                self.devices.drain(..over);
                self.devices.push(TrustedDevice { token: device.clone(), expires_at: *expires_at });
            }
            // Whoever knew the password before has to show everything again.
            UserEvent::PasswordChanged { .. } | UserEvent::Reclaimed {} | UserEvent::Banned { .. } => {
                self.steps.clear();
                self.devices.clear();
            }
            UserEvent::FactorRemoved { .. } => self.devices.clear(),
            _ => {}
        }
    }

    fn keep(&mut self, id: ChallengeId, of_sign_in: bool, at: Time, expires_at: Time) {
        self.steps.retain(|known| known.expires_at > at);
        let over = (self.steps.len() + 1).saturating_sub(MAX_STEPS);
        self.steps.drain(..over);
        self.steps.push(SecondStep { id, of_sign_in, expires_at, misses: 0, code: None });
    }

    fn known(&mut self, id: ChallengeId) -> Option<&mut SecondStep> {
        self.steps.iter_mut().find(|step| step.id == id)
    }

    fn close(&mut self, id: ChallengeId) {
        self.steps.retain(|step| step.id != id);
    }
}
