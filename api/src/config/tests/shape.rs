//! The table keeps its own rules.

use std::collections::BTreeSet;

use super::super::parse::Raw;
use super::super::{Draft, table};

#[test]
fn no_two_settings_share_a_name() {
    let mut names = BTreeSet::new();
    for setting in table::settings() {
        let aliases = setting.aliases.iter().map(|alias| (*alias).to_owned());
        for name in [setting.key.to_owned(), setting.variable()].into_iter().chain(aliases) {
            assert!(names.insert(name.clone()), "{name} is there twice");
        }
    }
}

#[test]
fn keys_can_be_written_as_variables_and_read_back_by_nobody_else() {
    for setting in table::settings() {
        let plain =
            setting.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
        assert!(plain, "{}", setting.key);
        assert!(setting.meaning.ends_with('.'), "{}: {}", setting.key, setting.meaning);
        assert!(!setting.meaning.contains('\n') && !setting.example.is_empty(), "{}", setting.key);
    }
}

#[test]
fn every_example_can_be_written() {
    // In brackets stands how a value is made, and the ellipses of a key are no key.
    let made = |example: &str| example.starts_with('(') || example.contains('…');
    for setting in table::settings().filter(|setting| !made(setting.example)) {
        let raw = Raw::Text(setting.example.to_owned());
        let read = (setting.read)(&mut Draft::default(), &raw);
        assert_eq!(read, Ok(true), "{} = {}", setting.key, setting.example);
    }
}

#[test]
fn every_default_reads_back_as_itself() {
    let defaults = Draft::default();
    for setting in table::settings().filter(|setting| !setting.secret) {
        let shown = (setting.show)(&defaults);
        if shown.is_empty() {
            continue;
        }
        let mut draft = Draft::default();
        let read = (setting.read)(&mut draft, &Raw::Text(shown.clone()));
        assert_eq!(read, Ok(true), "{} = {shown}", setting.key);
        assert_eq!((setting.show)(&draft), shown, "{}", setting.key);
    }
}
