//! Why the configuration cannot be used, in one line each.

/// A line for the owner. It names the key as it was written, and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value cannot be used.
    #[error("{key}: {problem}; for example {example}")]
    Value {
        /// The key as it was written.
        key: String,
        /// The value and what is wrong with it.
        problem: String,
        /// A value that could be used.
        example: &'static str,
    },
    /// Nobody knows this key.
    #[error("{key}: there is no such setting{}", .suggestion.map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
    UnknownKey {
        /// The key as it was written.
        key: String,
        /// The nearest one that is known.
        suggestion: Option<&'static str>,
    },
    /// Two settings exclude each other.
    #[error("{0}")]
    Contradiction(String),
    /// The file cannot be read.
    #[error("{path}: the configuration file cannot be read ({cause})")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The file is no TOML.
    #[error("{path}: line {line}: {problem}")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}
