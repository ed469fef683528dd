//! Single sign-on of organizations, and the provisioning that goes with it.

/// What organizations can connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SsoSettings {
    /// The owner wants sign-ins by SAML. Nobody signs in so yet; providers are administered either way.
    pub saml_wanted: bool,
    /// SCIM clients find out what the server can.
    pub scim_enabled: bool,
}
