//! Passwords on the hashing threads, with failures in the words of the use cases.

use evident_domain::PasswordHash;

use crate::Commands;
use crate::execute::Failure;
use crate::password::{Password, Verdict};

impl Commands {
    /// How many passwords were taken to be hashed or checked so far.
    pub fn passwords_taken(&self) -> u64 {
        self.hasher().taken()
    }

    /// A new password's hash.
    pub(crate) async fn hash(&self, password: Password) -> Result<PasswordHash, Failure> {
        Ok(self.hasher().hash(password).await?)
    }

    /// Whether a password is the one of a hash; without one the same work is done for nothing.
    pub(crate) async fn compare_password(
        &self,
        password: Password,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, Failure> {
        Ok(self.hasher().verify(password, stored).await?)
    }
}
