//! Single sign-on of organizations, and the provisioning that goes with it.

/// What organizations can connect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SsoSettings {
    /// Identity providers that speak SAML are administered. (Nobody signs in by them yet.)
    pub saml_enabled: bool,
    /// SCIM clients find out what the server can.
    pub scim_enabled: bool,
}
