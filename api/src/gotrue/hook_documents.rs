//! Accounts as hooks see them: the documents of the protocol that the hooks are made for.

use evident_commands::UserView;
use evident_commands::hooks::{HookDocuments, NewUser};
use serde_json::value::RawValue;

use super::document::UserDocument;

/// Writes accounts for hooks.
#[derive(Debug, Clone, Copy)]
pub struct GotrueDocuments;

impl HookDocuments for GotrueDocuments {
    fn user(&self, view: &UserView) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::value::to_raw_value(&UserDocument::of(view))
    }

    fn new_user(&self, user: &NewUser) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::value::to_raw_value(&UserDocument::unsaved(user))
    }
}

#[cfg(test)]
mod tests {
    use evident_domain::{Metadata, UserId};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_that_is_about_to_be_made_looks_as_the_peer_writes_it() {
        let user = NewUser {
            id: UserId("e4b9ff19-bce7-49b2-bf7f-49aa29133370".parse().unwrap()),
            aud: "authenticated".to_owned(),
            email: "dora@example.com".to_owned(),
            phone: String::new(),
            app_metadata: Metadata::default().with("provider", "email").with("providers", json!(["email"])),
            user_metadata: Metadata::default().with("full_name", "Dora Dale"),
            is_anonymous: false,
        };
        assert_eq!(
            GotrueDocuments.new_user(&user).unwrap().get(),
            r#"{"id":"e4b9ff19-bce7-49b2-bf7f-49aa29133370","aud":"authenticated","role":"","email":"dora@example.com","phone":"","app_metadata":{"provider":"email","providers":["email"]},"user_metadata":{"full_name":"Dora Dale"},"identities":[],"created_at":"0001-01-01T00:00:00Z","updated_at":"0001-01-01T00:00:00Z","is_anonymous":false}"#
        );
    }
}
