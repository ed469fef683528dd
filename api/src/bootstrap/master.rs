//! Where the master key lies, and how another takes its place.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evident_domain::ports::Entropy as _;
use evident_eventstore::{MasterKey, MasterKeySource as OtherMasters};

use super::StartError;
use crate::config::{MasterKeySource, Settings};
use crate::ports::SystemEntropy;

/// What stands at the end of the name of the file with the key that is to come.
const NEXT: &str = "next";
/// What stands at the end of the name of the file with the key that was.
const RETIRED: &str = "retired";

fn problem(path: &Path) -> impl Fn(std::io::Error) -> StartError + use<> {
    let path = path.display().to_string();
    move |cause| StartError::Folder { path: path.clone(), cause }
}

fn read(path: &Path) -> Result<MasterKey, StartError> {
    let text = zeroize::Zeroizing::new(fs::read_to_string(path).map_err(problem(path))?);
    MasterKey::from_base64(&text)
        .map_err(|cause| StartError::MasterKey { path: path.display().to_string(), cause })
}

/// Writes a key into a file that is not there. Under its name it stands whole or not at all, whenever the
/// process dies. False: there is one.
fn write_new(path: &Path, key: &MasterKey) -> Result<bool, StartError> {
    let problem = problem(path);
    let draft = path.with_extension(format!("{}.draft", SystemEntropy.uuid()));
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(&problem)?;
    file.write_all(key.to_base64().as_bytes()).map_err(&problem)?;
    file.sync_all().map_err(&problem)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(&problem)?;
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(problem(error)),
    }
}

/// The master key of the settings, made where that is the owner's wish.
pub(super) fn master_key(source: &MasterKeySource) -> Result<MasterKey, StartError> {
    match source {
        MasterKeySource::Given(key) => MasterKey::from_base64(&key.to_base64())
            .map_err(|cause| StartError::MasterKey { path: "the configuration".to_owned(), cause }),
        MasterKeySource::File(path) => read(path),
        MasterKeySource::DataFolder(path) if path.exists() => read(path),
        MasterKeySource::DataFolder(path) => {
            let key = MasterKey::generate(&SystemEntropy);
            // Where another process was faster its key is the one.
            if write_new(path, &key)? { Ok(key) } else { read(path) }
        }
    }
}

/// The file of the key that is to come, or that was.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(end);
    PathBuf::from(name)
}

/// Looks where another master key may lie while one takes the other's place. A file may have become another
/// since it was read, and there may be one beside it.
pub(super) fn other_masters(source: &MasterKeySource) -> OtherMasters {
    let places: Vec<PathBuf> = match source {
        MasterKeySource::Given(_) => Vec::new(),
        MasterKeySource::File(path) | MasterKeySource::DataFolder(path) => {
            vec![path.clone(), beside(path, NEXT)]
        }
    };
    // With a key that stands in the environment the next one does so, too.
    let given = matches!(source, MasterKeySource::Given(_));
    Arc::new(move || {
        let from_files = places.iter().filter_map(|path| read(path).ok());
        let named = given.then(next_in_environment).and_then(Result::ok).flatten();
        from_files.chain(named).collect()
    })
}

/// The variable that holds the key that is to come, where the one that is stands in the configuration.
const NEXT_VARIABLE: &str = "EVIDENT_MASTER_KEY_NEXT";

#[expect(
    clippy::disallowed_methods,
    reason = "it is looked for while the server runs, long after the configuration was read"
)]
fn next_in_environment() -> Result<Option<MasterKey>, StartError> {
    let Ok(text) = std::env::var(NEXT_VARIABLE) else { return Ok(None) };
    let text = zeroize::Zeroizing::new(text);
    MasterKey::from_base64(&text)
        .map(Some)
        .map_err(|cause| StartError::MasterKey { path: NEXT_VARIABLE.to_owned(), cause })
}

/// The master key that is to come.
#[derive(Debug)]
pub struct NextMaster {
    key: MasterKey,
    /// The file of the key that is; none where that stands in the configuration.
    file: Option<PathBuf>,
}

impl NextMaster {
    /// The one that is prepared, or a new one in a file beside the one that is. Nodes look for it there.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the configuration names none.
    pub fn prepare(settings: &Settings) -> Result<Self, StartError> {
        let (MasterKeySource::File(path) | MasterKeySource::DataFolder(path)) = &settings.master_key else {
            let key = next_in_environment()?.ok_or(StartError::NoNextMaster)?;
            return Ok(Self { key, file: None });
        };
        let next = beside(path, NEXT);
        if !next.exists() {
            write_new(&next, &MasterKey::generate(&SystemEntropy))?;
        }
        Ok(Self { key: read(&next)?, file: Some(path.clone()) })
    }

    /// The key.
    pub fn key(&self) -> &MasterKey {
        &self.key
    }

    /// Puts it in the place of the one that was, once that opens nothing any more. Says what is left to do.
    ///
    /// # Errors
    /// When a file cannot be renamed: the key is then in the file beside.
    pub fn settle(self, destroy_old: bool) -> Result<String, StartError> {
        let Some(file) = self.file else {
            return Ok(format!(
                "Give every node the value of {NEXT_VARIABLE} as its master key, and remove that variable"
            ));
        };
        let retired = beside(&file, RETIRED);
        if !destroy_old {
            match fs::hard_link(&file, &retired) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    fs::remove_file(&retired).map_err(problem(&retired))?;
                    fs::hard_link(&file, &retired).map_err(problem(&retired))?;
                }
                Err(error) => return Err(problem(&retired)(error)),
            }
        }
        // At every moment there is a file of this name, with the one key or the other.
        fs::rename(beside(&file, NEXT), &file).map_err(problem(&file))?;
        let file = file.display();
        Ok(if destroy_old {
            format!("The key is in {file}; keep a copy of it")
        } else {
            format!(
                "The key is in {file}; keep a copy of it. The old one is in {}: destroy it",
                retired.display()
            )
        })
    }
}
