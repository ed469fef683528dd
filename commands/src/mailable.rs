//! To which addresses mails are sent at all.

use evident_domain::Email;

use crate::Commands;
use crate::execute::Failure;

/// Domains that nobody has mail at (RFC 2606, RFC 6761), as a whole or as the last part.
const RESERVED: [&str; 5] = ["test", "example", "invalid", "local", "localhost"];
/// Domains that people make up when they try something out.
const MADE_UP: [&str; 4] = ["example.com", "example.net", "example.org", "test.com"];

/// Why no mail is sent to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// The owner names the addresses that get mails, and this is none of them.
    #[error("the address is none of those that get mails")]
    NotAuthorized(Email),
    /// Nobody can have this address.
    #[error("nobody can have the address")]
    Invalid(Email),
}

impl Commands {
    /// Whether mails are sent to an address. Whoever hides whether an address is known asks before it is
    /// looked up; whatever sends a code asks again.
    ///
    /// # Errors
    /// [`Failure::Recipient`] when they are not.
    pub fn check_recipient(&self, email: &Email) -> Result<(), Failure> {
        let mail = &self.settings().mail;
        let authorized = &mail.authorized_addresses;
        if !authorized.is_empty() {
            let plain = without_label(email.as_str());
            if !authorized.iter().any(|address| without_label(&address.to_lowercase()) == plain) {
                return Err(RecipientError::NotAuthorized(email.clone()).into());
            }
        }
        if mail.extended_validation && is_made_up(email.as_str()) {
            return Err(RecipientError::Invalid(email.clone()).into());
        }
        Ok(())
    }
}

/// An address without what stands after a plus: it is the same mailbox.
fn without_label(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let local = local.split_once('+').map_or(local, |(local, _)| local);
            format!("{local}@{domain}")
        }
        None => address.to_owned(),
    }
}

fn is_made_up(address: &str) -> bool {
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).trim_end_matches('.');
    let last = domain.rsplit('.').next().unwrap_or_default();
    RESERVED.contains(&last) || MADE_UP.contains(&domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_no_part_of_the_mailbox() {
        assert_eq!(without_label("ann+a+b@example.com"), "ann@example.com");
        assert_eq!(without_label("ann@example.com"), "ann@example.com");
    }

    #[test]
    fn domains_that_are_reserved_are_made_up() {
        for address in ["a@example.com", "a@test", "a@mail.test", "a@x.invalid", "a@localhost"] {
            assert!(is_made_up(address), "{address}");
        }
        for address in ["a@example.dev", "a@testing.com", "a@mail.example.com.au"] {
            assert!(!is_made_up(address), "{address}");
        }
    }
}
