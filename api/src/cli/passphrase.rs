//! The passphrase that keys travel under.

use std::path::PathBuf;

use clap::Args;
use evident_eventstore::KeyFileError;
use zeroize::Zeroizing;

use super::CliError;

/// Where the passphrase stands. Not on the command line, which others can see.
#[derive(Debug, Args)]
pub(super) struct Passphrase {
    /// A file with the passphrase of the file of keys; its line break does not count
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// The passphrase itself, from the environment only
    #[arg(long = "keys-passphrase", env = "EVIDENT_KEYS_PASSPHRASE", hide = true, hide_env_values = true)]
    from_environment: Option<String>,
}

impl Passphrase {
    pub(super) fn read(&self) -> Result<Zeroizing<String>, CliError> {
        if let Some(path) = &self.passphrase_file {
            let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
                CliError::Usage(format!("the passphrase in {} cannot be read: {error}", path.display()))
            })?;
            return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        self.from_environment.clone().map(Zeroizing::new).ok_or_else(|| {
            let how = "name a file with --passphrase-file, or set EVIDENT_KEYS_PASSPHRASE";
            CliError::Usage(format!("keys travel under a passphrase: {how}"))
        })
    }
}

impl From<KeyFileError> for CliError {
    fn from(error: KeyFileError) -> Self {
        match error {
            KeyFileError::ShortPassphrase => Self::Usage(error.to_string()),
            other => Self::Failed(super::chain(&other)),
        }
    }
}
