//! How written values become settings: one kind of value each, with what is wrong in plain words.

mod administration;
mod collection;
mod network;
mod proofs;
mod scalar;
mod secret;
mod span;

pub(super) use administration::{Emails, Fields, RoleTable, UserIds};
pub(super) use collection::{
    CharacterSets, JsonHeaders, JsonPermissions, JsonRoles, List, Patterns, TestCodes,
};
pub(super) use network::{BasePath, DatabaseAddress, Header, Headers, Networks, SchemaName, WebAddress};
pub(super) use proofs::Witnesses;
pub(super) use scalar::{
    Choice, FilePath, Flag, Fractional, LogFilter, Maybe, Moment, Number, OneOf, OtpLength, PasswordLength,
    Seconds, Text, UnlessZero, Whole,
};
pub(super) use secret::{Base64Key, KeySet, SecretText, Secrets};
pub(super) use span::{MailRate, Positive, Span};

/// A value as a source has it.
#[derive(Clone)]
pub(super) enum Raw {
    /// One text: from the environment, the command line, or a plain value of the file.
    Text(String),
    /// A list of the file.
    List(Vec<String>),
    /// A table of the file; a name may come more than once.
    Pairs(Vec<(String, String)>),
}

/// What is wrong with a value, as the end of the sentence that begins with it: `is no whole number`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem(pub(super) String);

/// What the documentation says about a kind of value.
pub(super) trait Named {
    /// The kind, as people call it.
    const NAME: &'static str;
    /// Values are not shown, in errors neither.
    const SECRET: bool = false;
}

/// Reads and shows values of one kind.
pub(super) trait Kind<T>: Named {
    /// Reads a value. None: it counts as not set.
    fn parse(raw: &Raw) -> Result<Option<T>, Problem>;
    /// Shows a value as it would be written; nothing when there is none.
    fn show(value: &T) -> String;
}

impl Raw {
    /// Nothing is written there. Such a value counts as not set.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Pairs(pairs) => pairs.is_empty(),
        }
    }

    /// The one text, without spaces around it.
    fn text(&self) -> Result<&str, Problem> {
        match self {
            Self::Text(text) => Ok(text.trim()),
            Self::List(_) | Self::Pairs(_) => Err(Problem::new("is more than one value")),
        }
    }

    /// For error lines: one line, and not too long.
    pub(super) fn shown(&self) -> String {
        const LONGEST: usize = 60;
        let text = match self {
            Self::Text(text) => format!("{text:?}"),
            Self::List(items) => format!("{items:?}"),
            Self::Pairs(pairs) => format!("{pairs:?}"),
        };
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }
}

impl Problem {
    fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// What tests write in place of a value of the environment.
#[cfg(test)]
fn text(text: &str) -> Raw {
    Raw::Text(text.to_owned())
}
