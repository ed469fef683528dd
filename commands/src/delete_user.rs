//! Closing an account, or forgetting the person.

use std::collections::BTreeSet;

use evident_domain::hold::{HoldScope, Holds, REGISTER};
use evident_domain::organization::OrganizationError;
use evident_domain::session::{RevocationReason, SessionError};
use evident_domain::user::{Proof, TokenPurpose, UnprovenPassword, User, UserCommand, UserError};
use evident_domain::{HoldId, OrganizationId, Subject, TokenHash, UserId};
use evident_projections::retention;

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::sign_out::{revoke, revoke_all};
use crate::tokens::LinkToken;
use crate::unit::{Context, Unit};

/// How an account goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The row stays without its addresses; they are free again.
    Soft,
    /// The person is forgotten: the rows go, and the key of their personal data is destroyed.
    Erase,
}

/// Why no account went.
#[derive(Debug, thiserror::Error)]
pub enum DeleteUserError {
    /// The account refuses.
    #[error(transparent)]
    User(#[from] UserError),
    /// What is known of the person must be kept.
    #[error("a legal hold ({0}) keeps what is known of the user")]
    Held(HoldId),
    /// An organization with other members has no other owner.
    #[error(transparent)]
    Organization(#[from] OrganizationError),
    /// A session refuses.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Closes or erases an account and ends its sessions.
    ///
    /// # Errors
    /// When the account is gone, or an organization with other members would be left without an owner. Nobody
    /// is erased of whom, or of whose organization, something must be kept ([`DeleteUserError::Held`]).
    pub async fn delete_user(
        &self,
        context: &Context,
        user: UserId,
        deletion: Deletion,
    ) -> Result<(), DeleteUserError> {
        self.delete_with(context, user, deletion, None).await
    }

    /// As [`Commands::delete_user`], by the link of a mail that its user asked for; nothing of the person stays.
    ///
    /// # Errors
    /// [`UserError::TokenInvalid`] when the link is not good for this account.
    pub async fn delete_user_by_link(
        &self,
        context: &Context,
        user: UserId,
        token: &str,
    ) -> Result<(), DeleteUserError> {
        let link = LinkToken::parse(token).map_err(|_| UserError::TokenInvalid)?;
        if link.user() != user {
            return Err(UserError::TokenInvalid.into());
        }
        self.delete_with(context, user, Deletion::Erase, Some(Proof::Link(link.hash()))).await
    }

    async fn delete_with(
        &self,
        context: &Context,
        user: UserId,
        deletion: Deletion,
        proof: Option<Proof>,
    ) -> Result<(), DeleteUserError> {
        let gone = self.execute(context, &DeleteCase { commands: self, user, deletion, proof }).await?;
        if deletion == Deletion::Erase {
            // After the commit: a crash in between is made good at the next start.
            for subject in &gone.subjects {
                self.store().forget(subject).await.map_err(Failure::from)?;
            }
            // What strangers tried with the address stands under a key that is not the person's alone.
            retention::drop_failed_sign_ins(self.store(), &gone.accounts).await.map_err(Failure::from)?;
        }
        Ok(())
    }
}

/// What is to be forgotten once the command is committed.
#[derive(Debug, Default)]
struct Gone {
    /// Their keys go, the person's own first.
    subjects: Vec<Subject>,
    /// What failed sign-ins by the person's addresses and numbers are counted under.
    accounts: Vec<TokenHash>,
}

struct DeleteCase<'a> {
    commands: &'a Commands,
    user: UserId,
    deletion: Deletion,
    /// What has to be good first.
    proof: Option<Proof>,
}

impl UseCase for DeleteCase<'_> {
    type Output = Gone;
    type Error = DeleteUserError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Gone, DeleteUserError> {
        if let Some(proof) = self.proof.clone() {
            let purposes = vec![TokenPurpose::AccountDeletion];
            let password = UnprovenPassword::Stays;
            let command = UserCommand::Redeem { purposes, proof, password, now: unit.now() };
            unit.tell_user::<DeleteUserError>(self.user, command).await?;
        }
        let command = match self.deletion {
            Deletion::Erase => UserCommand::Erase,
            Deletion::Soft => self.soft(unit.user(self.user).await?)?,
        };
        let accounts = self.accounts(unit.user(self.user).await?);
        let forgotten = self.commands.forget_in_organizations::<DeleteUserError>(unit, self.user).await?;
        if self.deletion == Deletion::Erase {
            self.check_holds(unit, &forgotten.organizations).await?;
            // Address and program of whoever acts in another's name stand in the other's session.
            for session in unit.impersonations_by(self.user).await? {
                revoke::<DeleteUserError>(unit, session, RevocationReason::UserDeleted).await?;
            }
        }
        unit.tell_user::<DeleteUserError>(self.user, command).await?;
        revoke_all::<DeleteUserError>(unit, self.user, None, RevocationReason::UserDeleted).await?;
        let invitations = forgotten.invitations.into_iter().map(Subject::Invitation);
        let subjects = std::iter::once(Subject::User(self.user)).chain(invitations).collect();
        Ok(Gone { subjects, accounts })
    }
}

impl DeleteCase<'_> {
    /// The register is part of the decision: a hold that is placed meanwhile is not overlooked.
    async fn check_holds(
        &self,
        unit: &mut Unit<'_>,
        organizations: &BTreeSet<OrganizationId>,
    ) -> Result<(), DeleteUserError> {
        let mut scopes = vec![HoldScope::User(self.user)];
        scopes.extend(organizations.iter().copied().map(HoldScope::Organization));
        let now = unit.now();
        match unit.read::<Holds>(REGISTER).await?.keeping(&scopes, now) {
            Some(hold) => Err(DeleteUserError::Held(hold)),
            None => Ok(()),
        }
    }

    /// What failed sign-ins are counted under.
    fn accounts(&self, user: &User) -> Vec<TokenHash> {
        let Some(account) = user.account() else { return Vec::new() };
        let email = account.email.as_ref().filter(|email| email.confirmed);
        let phone = account.phone.as_ref().filter(|phone| phone.confirmed);
        let texts = [email.map(|email| email.value.as_str()), phone.map(|phone| phone.value.as_str())];
        texts.into_iter().flatten().map(|text| self.commands.codes().account_hash(text)).collect()
    }

    /// One-way values stand where address, number and provider ids stood.
    fn soft(&self, user: &User) -> Result<UserCommand, UserError> {
        let account = match user {
            User::Active(account) => account,
            User::Deleted => {
                return Ok(UserCommand::Delete {
                    email_digest: String::new(),
                    phone_digest: String::new(),
                    identities: Vec::new(),
                });
            }
            User::Absent | User::Erased => return Err(UserError::NotFound),
        };
        let digest = |kind: &str, value: &str| self.commands.codes().pseudonym(self.user, kind, value);
        let email = account.email.as_ref().map_or("", |email| email.value.as_str());
        let phone = account.phone.as_ref().map_or("", |phone| phone.value.as_str());
        Ok(UserCommand::Delete {
            email_digest: digest("email", email),
            phone_digest: digest("phone", phone).chars().take(15).collect(),
            identities: account
                .identities
                .iter()
                .map(|identity| (identity.id, digest(&identity.provider, &identity.provider_id)))
                .collect(),
        })
    }
}
