//! Where values are written, and which of them counts.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::parse::Raw;
use super::table::{self, Setting};
use super::{ConfigError, Draft, file};

/// The file that is read when none is named.
const DEFAULT_FILE: &str = "evident.toml";
/// The variable that names the file.
const FILE_VARIABLE: &str = "EVIDENT_CONFIG";

/// All that was written.
#[derive(Clone, Default)]
pub struct Sources {
    /// `evident.toml`, where there is one.
    pub file: Option<ConfigFile>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// What the command line says, by key (`server.port`).
    pub overrides: Vec<(String, String)>,
}

/// A configuration file.
#[derive(Clone)]
pub struct ConfigFile {
    /// Its name, for error lines.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// A value and the key as it was written.
struct Given {
    name: String,
    raw: Raw,
}

/// Which settings were written, and under which names.
#[derive(Default)]
pub(super) struct Written(HashMap<&'static str, String>);

impl Written {
    /// The name under which a setting was written; its key where it was not.
    pub(super) fn name(&self, key: &'static str) -> &str {
        self.0.get(key).map_or(key, String::as_str)
    }

    /// Whether somebody wrote this setting.
    pub(super) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources(…)")
    }
}

impl std::fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfigFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sources {
    /// The sources of this process: its environment, and the file that the command line or `EVIDENT_CONFIG`
    /// names, else `./evident.toml` if it is there.
    pub(super) fn from_process(
        path: Option<&Path>,
        overrides: &[(String, String)],
    ) -> Result<Self, ConfigError> {
        // What is not Unicode cannot be a setting of ours.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let named = path.map(Path::to_path_buf).or_else(|| {
            environment.get(FILE_VARIABLE).filter(|path| !path.trim().is_empty()).map(PathBuf::from)
        });
        let file = match named {
            Some(path) => Some(ConfigFile::read(&path)?),
            None if Path::new(DEFAULT_FILE).exists() => Some(ConfigFile::read(Path::new(DEFAULT_FILE))?),
            None => None,
        };
        Ok(Self { file, environment, overrides: overrides.to_vec() })
    }

    /// Reads every setting from the source that counts. An empty value counts as not set, and what a higher
    /// source says is not looked at in a lower one.
    pub(super) fn apply(&self, draft: &mut Draft) -> Result<Written, ConfigError> {
        let file = self.file.as_ref().map(file::values).transpose()?.unwrap_or_default();
        for (key, _) in &self.overrides {
            if table::find(key).is_none() {
                return Err(ConfigError::UnknownKey { key: key.clone(), suggestion: file::nearest(key) });
            }
        }
        let mut written = Written::default();
        for setting in table::settings() {
            for given in self.candidates(setting, &file) {
                let read = (setting.read)(draft, &given.raw).map_err(|problem| {
                    let value = if setting.secret { "the value".to_owned() } else { given.raw.shown() };
                    ConfigError::Value {
                        key: given.name.clone(),
                        problem: format!("{value} {}", problem.0),
                        example: setting.example,
                    }
                })?;
                if read {
                    written.0.insert(setting.key, given.name);
                    break;
                }
            }
        }
        Ok(written)
    }

    /// What is written for a setting, the value that counts most first.
    fn candidates(&self, setting: &Setting, file: &HashMap<&'static str, (String, Raw)>) -> Vec<Given> {
        let text =
            |name: &str, value: &String| Given { name: name.to_owned(), raw: Raw::Text(value.clone()) };
        let overrides = self.overrides.iter().rev().filter(|(key, _)| key == setting.key);
        let own = setting.variable();
        let variables = std::iter::once(own.as_str()).chain(setting.aliases.iter().copied());
        overrides
            .map(|(key, value)| text(key, value))
            .chain(variables.filter_map(|name| Some(text(name, self.environment.get(name)?))))
            .chain(file.get(setting.key).map(|(name, raw)| Given { name: name.clone(), raw: raw.clone() }))
            .filter(|given| !given.raw.is_empty())
            .collect()
    }

    /// A variable of the environment, when there is something in it.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }
}

impl ConfigFile {
    fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { path: name, text }),
            Err(error) => Err(ConfigError::Unreadable { path: name, cause: error.to_string() }),
        }
    }
}
