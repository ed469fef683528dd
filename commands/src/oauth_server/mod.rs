//! The OAuth server (OAuth 2.1, OpenID Connect): clients ask, users decide, clients act.

mod authorize;
mod client_auth;
mod clients;
mod consent;
mod grants;
mod redeem;
mod refresh;
mod user_info;

pub use authorize::{AuthorizationRequest, AuthorizeError, RequestProblem, RequestRefused};
pub use client_auth::{ClientAuthError, ClientCredentials, KnownClient};
pub use clients::{ClientSecretShown, DeleteClient, ManageClientError};
pub use consent::{ConsentChoice, DecideError, Decider, PendingRequest, Seen};
pub use grants::{RevokeGrant, RevokeGrantError};
pub use redeem::{ClientGrant, CodeExchange, RedeemError};
pub use refresh::ClientRefreshError;
pub use user_info::UserInfo;

use url::form_urlencoded;

/// An address with further pairs in its query; the rest stays as it was written.
fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let glue = match address.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, query)) if query.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{address}{glue}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_grows_and_its_values_are_encoded() {
        let pairs = [("code", "a b&c"), ("state", "ü")];
        for (address, expected) in [
            ("https://a.example/cb", "https://a.example/cb?code=a+b%26c&state=%C3%BC"),
            ("https://a.example/cb?", "https://a.example/cb?code=a+b%26c&state=%C3%BC"),
            ("https://a.example/cb?x=%20", "https://a.example/cb?x=%20&code=a+b%26c&state=%C3%BC"),
        ] {
            assert_eq!(with_query(address, &pairs), expected);
        }
    }
}
