//! Administrators of users: what they may do, whom they see, acting for somebody.

use evident_domain::UserId;
use evident_domain::access::{Permissions, Roles, any_grants};
use evident_domain::session::SessionError;
use evident_domain::user::UserError;
use evident_projections::views::{self, Condition, Direction, DirectoryQuery, UserField, UserPage};

use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::grant::{Grant, SessionTerms, Started, start_session_on};
use crate::unit::{Context, Unit};
use crate::views::UserRow;

/// Which users to list.
#[derive(Debug, Clone, Default)]
pub struct ListUsers {
    /// For whom all of these hold.
    pub conditions: Vec<Condition>,
    /// By this field; else in the order of their creation.
    pub sort: Option<(UserField, Direction)>,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub limit: u32,
}

/// Why nobody acts for somebody.
#[derive(Debug, thiserror::Error)]
pub enum ImpersonateError {
    /// They are kept out.
    #[error("the user is banned")]
    Banned,
    /// They are an administrator themselves.
    #[error("the user is an administrator")]
    Administrator,
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

/// What somebody has to be allowed who acts in the name of others.
pub(crate) fn impersonation() -> Permissions {
    Permissions::of(&[("user", &["impersonate"])])
}

impl Commands {
    /// The roles that count for a user.
    pub fn admin_roles_of(&self, user: &UserRow) -> Roles {
        let settings = &self.settings().plugins.administration;
        let given = user.admin_roles.as_deref().and_then(|roles| Roles::parse([roles]).ok());
        let given = given.unwrap_or_else(|| Roles::one(&settings.default_role));
        let address = user.email.as_deref().filter(|_| user.email_confirmed_at.is_some());
        let listed = address
            .is_some_and(|address| settings.admin_emails.iter().any(|listed| listed.as_str() == address));
        match settings.admin_roles.first().filter(|_| listed) {
            Some(role) => Roles::parse(given.iter().chain([role.as_str()])).unwrap_or(given),
            None => given,
        }
    }

    /// Whether a user may do something to others.
    pub fn may_administer(&self, user: &UserRow, wanted: &Permissions) -> bool {
        self.settings().plugins.administration.admin_ids.contains(&user.id)
            || self.roles_grant(&self.admin_roles_of(user), wanted)
    }

    /// Whether roles grant something.
    pub fn roles_grant(&self, roles: &Roles, wanted: &Permissions) -> bool {
        let settings = &self.settings().plugins.administration;
        let granted: Vec<_> =
            roles.iter().filter_map(|name| Some((name.to_owned(), settings.role(name)?))).collect();
        let of = |name: &str| granted.iter().find(|(known, _)| known == name).map(|(_, granted)| granted);
        any_grants(roles, of, wanted)
    }

    /// Whether a user is an administrator.
    pub fn is_administrator(&self, user: &UserRow) -> bool {
        let settings = &self.settings().plugins.administration;
        settings.admin_ids.contains(&user.id)
            || self
                .admin_roles_of(user)
                .iter()
                .any(|role| settings.admin_roles.iter().any(|known| known == role))
    }

    /// A page of users.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_users(&self, list: ListUsers) -> Result<UserPage, Failure> {
        let query = DirectoryQuery {
            aud: self.settings().tokens.default_aud.clone(),
            conditions: list.conditions,
            sort: list.sort,
            offset: list.offset,
            limit: list.limit,
            now: self.clock().now(),
            default_role: self.settings().plugins.administration.default_role.clone(),
        };
        Ok(views::directory(self.store().database(), self.roster(), &query).await?)
    }

    /// Opens a session in which an administrator acts for a user, for a bounded time. That the
    /// administrator may do so was looked at before.
    ///
    /// # Errors
    /// When the user is gone, kept out, or an administrator and `even_administrators` is not set.
    pub async fn impersonate(
        &self,
        context: &Context,
        administrator: UserId,
        user: UserId,
        even_administrators: bool,
    ) -> Result<Grant, ImpersonateError> {
        let view = self.user_view(user).await?.ok_or(UserError::NotFound)?;
        if self.is_administrator(&view.user) && !even_administrators {
            return Err(ImpersonateError::Administrator);
        }
        let terms = SessionTerms {
            lifetime: Some(self.settings().plugins.administration.impersonation),
            slides: false,
            impersonator: Some(administrator),
        };
        let (started, committed) =
            self.execute_at(context, &ImpersonateCase { administrator, user, terms }).await?;
        Ok(self.grant(&started, committed).await?)
    }
}

struct ImpersonateCase {
    administrator: UserId,
    user: UserId,
    terms: SessionTerms,
}

impl UseCase for ImpersonateCase {
    type Output = Started;
    type Error = ImpersonateError;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<Started, ImpersonateError> {
        let now = unit.now();
        // Both are part of the decision: whoever is removed or kept out meanwhile acts for nobody.
        let acting = unit.user(self.administrator).await?.account().ok_or(UserError::NotFound)?;
        if acting.is_banned(now) {
            return Err(ImpersonateError::Banned);
        }
        let account = unit.user(self.user).await?.account().ok_or(UserError::NotFound)?;
        if account.is_banned(now) {
            return Err(ImpersonateError::Banned);
        }
        let session = unit.new_session();
        start_session_on::<ImpersonateError>(unit, self.user, session, "impersonation", self.terms).await
    }
}
