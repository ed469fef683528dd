//! Registering, changing and removing identity providers.

use std::collections::BTreeSet;

use evident_domain::sso_provider::{Change, Register, SsoProvider, SsoProviderCommand, SsoProviderError};
use evident_domain::{Claim, ClaimKind, Metadata as Mapping, SsoProviderId};

use super::metadata::{Metadata, MetadataError, MetadataSource};
use super::{SsoProviderName, SsoProviderRow};
use crate::Commands;
use crate::execute::{Failure, UseCase};
use crate::unit::{Context, Unit};

/// The longest domain name (RFC 1035), in bytes.
const LONGEST_DOMAIN: usize = 253;

/// A provider as an administrator describes it.
#[derive(Debug, Clone)]
pub struct RegisterSsoProvider {
    /// Where its metadata are.
    pub metadata: MetadataSource,
    /// How claims are made of its attributes.
    pub attribute_mapping: Mapping,
    /// The form of names that it is asked for.
    pub name_id_format: Option<String>,
    /// The domains whose addresses belong to it, in any letter case.
    pub domains: Vec<String>,
    /// What the application calls it.
    pub resource_id: Option<String>,
    /// Whether nobody may sign in by it.
    pub disabled: Option<bool>,
}

/// What is to be another about a provider; what is not said stays.
#[derive(Debug, Clone, Default)]
pub struct ChangeSsoProvider {
    /// Where new metadata are.
    pub metadata: Option<MetadataSource>,
    /// How claims are made of its attributes.
    pub attribute_mapping: Option<Mapping>,
    /// The form of names that it is asked for, or none.
    pub name_id_format: Option<Option<String>>,
    /// All domains from now on, in any letter case.
    pub domains: Option<Vec<String>>,
    /// What the application calls it, or nothing.
    pub resource_id: Option<Option<String>>,
    /// Whether nobody may sign in by it.
    pub disabled: Option<bool>,
}

/// Why a provider is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SsoProviderFailure {
    /// The metadata are of no use.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// A domain is none.
    #[error("{0:?} is no domain")]
    Domain(String),
    /// The provider is known already.
    #[error("a provider with this entity id exists")]
    EntityTaken(String),
    /// A domain is another provider's.
    #[error("a domain belongs to another provider")]
    DomainTaken {
        /// Which.
        domain: String,
        /// Whose.
        holder: SsoProviderId,
    },
    /// The application calls another provider so.
    #[error("another provider is called so")]
    ResourceTaken(String),
    /// The provider refuses.
    #[error(transparent)]
    Provider(#[from] SsoProviderError),
    /// Something inside failed.
    #[error(transparent)]
    Failure(#[from] Failure),
}

impl Commands {
    /// Makes a provider known.
    ///
    /// # Errors
    /// When it is described badly, or what must be its own is another's.
    pub async fn register_sso_provider(
        &self,
        context: &Context,
        request: RegisterSsoProvider,
    ) -> Result<SsoProviderRow, SsoProviderFailure> {
        let domains = folded(&request.domains)?;
        let Metadata { entity_id, xml, url } = self.saml_metadata(request.metadata).await?;
        let register = Register {
            entity_id,
            metadata_xml: xml,
            metadata_url: url,
            attribute_mapping: request.attribute_mapping,
            name_id_format: request.name_id_format,
            domains,
            resource_id: request.resource_id,
            disabled: request.disabled,
        };
        let id = SsoProviderId(self.store().entropy().uuid());
        self.execute(context, &RegisterCase { id, register }).await?;
        self.known(id).await
    }

    /// Describes a provider anew.
    ///
    /// # Errors
    /// When it is described badly, or what must be its own is another's.
    pub async fn change_sso_provider(
        &self,
        context: &Context,
        id: SsoProviderId,
        request: ChangeSsoProvider,
    ) -> Result<SsoProviderRow, SsoProviderFailure> {
        let domains = request.domains.as_deref().map(folded).transpose()?;
        let metadata = match request.metadata {
            None => None,
            Some(source) => {
                let Metadata { entity_id, xml, url } = self.saml_metadata(source).await?;
                Some((entity_id, xml, url))
            }
        };
        let change = Change {
            metadata,
            attribute_mapping: request.attribute_mapping,
            name_id_format: request.name_id_format,
            domains,
            resource_id: request.resource_id,
            disabled: request.disabled,
        };
        self.execute(context, &ChangeCase { id, change }).await?;
        self.known(id).await
    }

    /// Removes a provider.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove_sso_provider(
        &self,
        context: &Context,
        id: SsoProviderId,
    ) -> Result<(), SsoProviderFailure> {
        self.execute(context, &RemoveCase(id)).await
    }

    async fn known(&self, id: SsoProviderId) -> Result<SsoProviderRow, SsoProviderFailure> {
        let row = self.sso_provider(&SsoProviderName::Id(id)).await?;
        // Somebody may have removed it in the same moment.
        row.ok_or_else(|| SsoProviderError::NotFound.into())
    }
}

/// Domains in lower case, each once.
fn folded(domains: &[String]) -> Result<Vec<String>, SsoProviderFailure> {
    let mut seen = BTreeSet::new();
    let mut folded = Vec::new();
    for given in domains {
        let domain = given.trim().to_lowercase();
        let is_name = domain.len() <= LONGEST_DOMAIN
            && domain.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
            });
        if !is_name {
            return Err(SsoProviderFailure::Domain(given.chars().take(LONGEST_DOMAIN).collect()));
        }
        if seen.insert(domain.clone()) {
            folded.push(domain);
        }
    }
    Ok(folded)
}

/// Who has a value that another than `own` holds.
async fn other_holder(
    unit: &Unit<'_>,
    own: SsoProviderId,
    kind: ClaimKind,
    value: &str,
) -> Result<Option<SsoProviderId>, Failure> {
    let claim = Claim { kind, value: value.to_owned() };
    Ok(unit.store().holder(&claim).await?.map(SsoProviderId).filter(|holder| *holder != own))
}

async fn check_free(
    unit: &Unit<'_>,
    own: SsoProviderId,
    domains: &[String],
    resource_id: Option<&str>,
) -> Result<(), SsoProviderFailure> {
    for domain in domains {
        if let Some(holder) = other_holder(unit, own, ClaimKind::SsoDomain, domain).await? {
            return Err(SsoProviderFailure::DomainTaken { domain: domain.clone(), holder });
        }
    }
    if let Some(resource) = resource_id
        && other_holder(unit, own, ClaimKind::SsoResource, resource).await?.is_some()
    {
        return Err(SsoProviderFailure::ResourceTaken(resource.to_owned()));
    }
    Ok(())
}

struct RegisterCase {
    id: SsoProviderId,
    register: Register,
}

impl UseCase for RegisterCase {
    type Output = ();
    type Error = SsoProviderFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SsoProviderFailure> {
        let Register { entity_id, domains, resource_id, .. } = &self.register;
        if other_holder(unit, self.id, ClaimKind::SsoEntity, entity_id).await?.is_some() {
            return Err(SsoProviderFailure::EntityTaken(entity_id.clone()));
        }
        check_free(unit, self.id, domains, resource_id.as_deref()).await?;
        unit.expect_new::<SsoProvider>(self.id.0);
        let command = SsoProviderCommand::Register(Box::new(self.register.clone()));
        unit.tell::<SsoProvider, SsoProviderFailure>(self.id.0, command).await?;
        Ok(())
    }
}

struct ChangeCase {
    id: SsoProviderId,
    change: Change,
}

impl UseCase for ChangeCase {
    type Output = ();
    type Error = SsoProviderFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SsoProviderFailure> {
        let domains = self.change.domains.as_deref().unwrap_or_default();
        let resource_id = self.change.resource_id.as_ref().and_then(Option::as_deref);
        check_free(unit, self.id, domains, resource_id).await?;
        let command = SsoProviderCommand::Change(Box::new(self.change.clone()));
        unit.tell::<SsoProvider, SsoProviderFailure>(self.id.0, command).await?;
        Ok(())
    }
}

struct RemoveCase(SsoProviderId);

impl UseCase for RemoveCase {
    type Output = ();
    type Error = SsoProviderFailure;

    async fn run(&self, unit: &mut Unit<'_>) -> Result<(), SsoProviderFailure> {
        unit.tell::<SsoProvider, SsoProviderFailure>(self.0.0, SsoProviderCommand::Remove).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_folded_and_kept_once() {
        let given = ["Corp.Example.COM".to_owned(), "corp.example.com ".to_owned(), "b-1.example".to_owned()];
        assert_eq!(folded(&given).unwrap(), ["corp.example.com", "b-1.example"]);
        for odd in ["", ".", "a..b", "a b", "a@b", "a/b", "a\0b", &"a.".repeat(130), &"a".repeat(64)] {
            assert!(matches!(folded(&[odd.to_owned()]), Err(SsoProviderFailure::Domain(_))), "{odd:?}");
        }
    }
}
