//! Opening payloads: one pass over the text, which costs less than a tree of values where most of it is not sealed.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use crate::seal::{ERASED, PERSONAL, SEALED, SealBroken, SealingKey};

/// A payload does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnsealError {
    /// A ciphertext was changed or moved.
    #[error(transparent)]
    Seal(#[from] SealBroken),
    /// It is no JSON.
    #[error(transparent)]
    Json(serde_json::Error),
}

/// Opens every `{"$sealed": …}` in a payload; without a key each reads as erased. The rest stays what it is.
///
/// # Errors
/// [`UnsealError`].
pub(crate) fn open_payload(
    payload: &str,
    key: Option<&SealingKey>,
    context: &str,
) -> Result<String, UnsealError> {
    let mut opening =
        Opening { opened: Vec::with_capacity(payload.len()), path: context.to_owned(), key, broken: None };
    let mut text = serde_json::Deserializer::from_str(payload);
    let outcome = Node(&mut opening).deserialize(&mut text).and_then(|()| text.end());
    match (opening.broken, outcome) {
        (Some(broken), _) => Err(broken.into()),
        (None, Err(error)) => Err(UnsealError::Json(error)),
        (None, Ok(())) => String::from_utf8(opening.opened).map_err(|_| SealBroken.into()),
    }
}

struct Opening<'k> {
    opened: Vec<u8>,
    /// Where in the payload, behind what all of it is bound to.
    path: String,
    key: Option<&'k SealingKey>,
    /// Why it came to nothing, where that is not the fault of the JSON.
    broken: Option<SealBroken>,
}

impl Opening<'_> {
    fn write<E: serde::de::Error>(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), E> {
        serde_json::to_writer(&mut self.opened, value).map_err(E::custom)
    }

    /// What stands for a sealed value.
    fn open(&mut self, sealed: &Json) -> Result<(), SealBroken> {
        let Some(key) = self.key else {
            return self.write::<serde_json::Error>(ERASED).map_err(|_| SealBroken);
        };
        let plain = key.open_text(sealed.as_str().ok_or(SealBroken)?, &self.path)?;
        // The plain text is JSON itself.
        let parts: [&[u8]; 5] = [b"{\"", PERSONAL.as_bytes(), b"\":", &plain, b"}"];
        self.opened.extend(parts.concat());
        Ok(())
    }

    /// Goes on with what stands under a name or number.
    fn within<T>(&mut self, step: impl fmt::Display, inside: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        // A text takes in whatever is written.
        let _ = write!(self.path, "/{step}");
        let outcome = inside(self);
        self.path.truncate(length);
        outcome
    }
}

/// One value, and all that stands in it.
struct Node<'o, 'k>(&'o mut Opening<'k>);

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Node<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.0.write(&value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.0.write(&value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.0.write(&value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.0.write(&value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.0.write(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.0.write(&())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let opening = self.0;
        opening.opened.push(b'[');
        for at in 0.. {
            let before = opening.opened.len();
            if at > 0 {
                opening.opened.push(b',');
            }
            if opening.within(at, |opening| items.next_element_seed(Node(opening)))?.is_none() {
                opening.opened.truncate(before);
                break;
            }
        }
        opening.opened.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let opening = self.0;
        let mut next = fields.next_key::<Name<'de>>()?;
        let mut separator = b'{';
        if next.as_ref().is_some_and(|name| name.0 == SEALED) {
            let sealed: Json = fields.next_value()?;
            next = fields.next_key()?;
            if next.is_none() {
                return opening.open(&sealed).map_err(|broken| {
                    opening.broken = Some(broken);
                    A::Error::custom(broken)
                });
            }
            // Beside other fields it is a field like any other.
            opening.opened.push(separator);
            opening.write(SEALED)?;
            opening.opened.push(b':');
            opening.within(SEALED, |opening| Node(opening).deserialize(sealed)).map_err(A::Error::custom)?;
            separator = b',';
        } else if next.is_none() {
            opening.opened.push(separator);
        }
        while let Some(name) = next {
            opening.opened.push(separator);
            opening.write(&*name.0)?;
            opening.opened.push(b':');
            opening.within(&name.0, |opening| fields.next_value_seed(Node(opening)))?;
            separator = b',';
            next = fields.next_key()?;
        }
        opening.opened.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::seal::seal_payload;
    use crate::seal::tests::entropy;

    fn key() -> SealingKey {
        SealingKey::new(&[7; 32])
    }

    fn sealed(payload: &Json) -> String {
        let mut sealed = payload.clone();
        seal_payload(&mut sealed, &key(), "event-1", &entropy()).unwrap();
        sealed.to_string()
    }

    fn opened(stored: &str, key: Option<&SealingKey>) -> Json {
        serde_json::from_str(&open_payload(stored, key, "event-1").unwrap()).unwrap()
    }

    fn is_broken(stored: &str, key: &SealingKey, context: &str) -> bool {
        matches!(open_payload(stored, Some(key), context), Err(UnsealError::Seal(SealBroken)))
    }

    #[test]
    fn what_is_sealed_opens_and_stands_nowhere_readable() {
        let payload = json!({"type": "t", "email": {"$personal": "ann@example.com"}, "list": [{"$personal": {"$sealed": 1}}]});
        let stored = sealed(&payload);
        assert!(!stored.contains("ann"));
        assert_eq!(opened(&stored, Some(&key())), payload);
    }

    #[test]
    fn without_a_key_it_reads_as_erased() {
        let stored = sealed(&json!({"email": {"$personal": "ann@example.com"}, "n": 1.5}));
        assert_eq!(opened(&stored, None), json!({"email": "$erased", "n": 1.5}));
    }

    #[test]
    fn a_ciphertext_is_bound_to_its_event_and_field() {
        let stored = sealed(&json!({"email": {"$personal": "ann@example.com"}}));
        assert!(is_broken(&stored, &key(), "event-2"));
        assert!(is_broken(&stored.replace("email", "phone"), &key(), "event-1"));
        assert!(is_broken(&stored, &SealingKey::new(&[8; 32]), "event-1"));
        assert!(is_broken(r#"{"email":{"$sealed":1}}"#, &key(), "event-1"));
    }

    #[test]
    fn beside_other_fields_a_mark_is_none() {
        let both = json!({"a": {"$sealed": ["x", {"b": null}], "other": {}}, "c": [], "d": {"other": 1, "$sealed": "y"}});
        assert_eq!(opened(&both.to_string(), Some(&key())), both);
    }

    #[test]
    fn what_is_no_json_is_an_error() {
        for text in ["", "{", r#"{"a":}"#, "{} {}", r#"{"a":{"$sealed":"x"}"#, "\"\u{1}\""] {
            assert!(matches!(open_payload(text, None, ""), Err(UnsealError::Json(_))), "{text}");
        }
    }

    /// Any JSON, with marks here and there.
    fn payloads() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            (-1e9..1e9).prop_map(Json::from),
            ".{0,8}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                proptest::collection::btree_map(".{0,4}", inner.clone(), 0..4)
                    .prop_map(|fields| fields.into_iter().collect()),
                inner.prop_map(|value| json!({"$personal": value})),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_was_sealed_opens_to_what_it_was(payload in payloads()) {
            let stored = sealed(&payload);
            prop_assert_eq!(opened(&stored, Some(&key())), payload);
        }
    }
}
