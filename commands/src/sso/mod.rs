//! The identity providers of organizations, as administrators describe them (SAML 2.0).

mod administer;
mod metadata;

pub use administer::{ChangeSsoProvider, RegisterSsoProvider, SsoProviderFailure};
pub use metadata::{MetadataError, MetadataSource};

use evident_projections::views;
pub use evident_projections::{folds::SsoProviderRow, views::SsoProviderName};

use crate::Commands;
use crate::execute::Failure;

impl Commands {
    /// A provider, by its id or by what the application calls it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sso_provider(&self, name: &SsoProviderName) -> Result<Option<SsoProviderRow>, Failure> {
        Ok(views::sso_provider(self.store().database(), name).await?)
    }

    /// All providers, oldest first: those that the application calls so, or by a name that begins so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sso_providers(
        &self,
        resource_id: Option<&str>,
        prefix: Option<&str>,
    ) -> Result<Vec<SsoProviderRow>, Failure> {
        Ok(views::sso_providers(self.store().database(), resource_id, prefix).await?)
    }
}
