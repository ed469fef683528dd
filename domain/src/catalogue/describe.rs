//! What is known of an event's shape: the doc comments, taken from where the event is declared.

use serde::Serialize;
use serde_json::Value;

/// What the catalogue says of one type of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The name in the log.
    pub name: &'static str,
    /// What it means that this happened.
    pub meaning: &'static str,
    /// What it holds, in the order of the declaration.
    pub fields: &'static [Field],
}

/// What the catalogue says of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in the payload.
    pub name: &'static str,
    /// The type as it is declared.
    pub declared: &'static str,
    /// What it tells.
    pub meaning: &'static str,
}

impl Field {
    /// Whether the store seals it under the key of the event's subject.
    pub fn is_personal(&self) -> bool {
        self.parts().1
    }

    /// Whether it may be absent (`null`).
    pub fn is_optional(&self) -> bool {
        self.parts().0
    }

    /// The type of the value itself.
    pub fn value_type(&self) -> &'static str {
        self.parts().2
    }

    fn parts(&self) -> (bool, bool, &'static str) {
        let (optional, inner) = without(self.declared, "Option<");
        let (personal, inner) = without(inner, "Personal<");
        (optional, personal, inner)
    }
}

/// What stands inside a wrapper, and whether it was there.
fn without(declared: &'static str, wrapper: &str) -> (bool, &'static str) {
    let inner = declared.strip_prefix(wrapper).and_then(|rest| rest.strip_suffix('>'));
    inner.map_or((false, declared), |inner| (true, inner))
}

/// What the catalogue says of a type whose values are names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The type as fields declare it.
    pub of: &'static str,
    /// Each name as it is stored, and what it means.
    pub names: Vec<(String, &'static str)>,
}

/// A value that is stored as its name.
pub(super) fn stored_name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Declares an enum of events, or of names that events hold, as it stands, and keeps its doc comments
/// for the catalogue.
macro_rules! described {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $(
                $(#[doc = $meaning:literal])+
                #[serde(rename = $type:literal)]
                $variant:ident {
                    $(
                        $(#[doc = $field_meaning:literal])+
                        $field:ident: $declared:ty,
                    )*
                },
            )+
        }
    ) => {
        $(#[$attribute])*
        pub enum $name {
            $(
                $(#[doc = $meaning])+
                #[serde(rename = $type)]
                $variant {
                    $(
                        $(#[doc = $field_meaning])+
                        $field: $declared,
                    )*
                },
            )+
        }

        impl $name {
            /// What the catalogue says of each of these events, in the order of the variants.
            pub const DESCRIPTIONS: &'static [$crate::catalogue::Description] = &[$(
                described!(@one $type, [$($meaning),+], [$($field [$($field_meaning),+] $declared),*])
            ),+];

            /// What the catalogue says of this event.
            pub const fn description(&self) -> &'static $crate::catalogue::Description {
                match self {
                    $(Self::$variant { .. } => const {
                        &described!(@one $type, [$($meaning),+], [$($field [$($field_meaning),+] $declared),*])
                    },)+
                }
            }

            /// Reads an event of a type that is known from elsewhere. To look for it among the fields first takes as
            /// long as all the rest.
            ///
            /// # Errors
            /// Where there is no such type, or the fields are another's.
            pub(crate) fn of_type<'de, D: serde::Deserializer<'de>>(
                name: &str,
                fields: D,
            ) -> Result<Self, D::Error> {
                match name {
                    $($type => {
                        #[derive(serde::Deserialize)]
                        struct Fields<'f> {
                            #[serde(rename = "type", borrow)]
                            said: std::borrow::Cow<'f, str>,
                            $($field: $crate::catalogue::Read<$declared>,)*
                        }
                        let Fields { said, $($field),* } = serde::Deserialize::deserialize(fields)?;
                        if said != name {
                            let (said, name) = (serde::de::Unexpected::Str(&said), name);
                            return Err(serde::de::Error::invalid_value(said, &name));
                        }
                        Ok(Self::$variant { $($field: $field.0),* })
                    })+
                    _ => Err(serde::de::Error::unknown_variant(name, &[$($type),+])),
                }
            }
        }
    };
    (
        $(#[$attribute:meta])*
        pub enum $name:ident {
            $(
                $(#[doc = $meaning:literal])+
                $variant:ident,
            )+
        }
    ) => {
        $(#[$attribute])*
        pub enum $name {
            $(
                $(#[doc = $meaning])+
                $variant,
            )+
        }

        impl $name {
            /// Every one of them, and what it means.
            pub const MEANINGS: &'static [(Self, &'static str)] =
                &[$((Self::$variant, concat!($($meaning),+).trim_ascii())),+];
        }
    };
    (
        @one $type:literal,
        [$($meaning:literal),+],
        [$($field:ident [$($field_meaning:literal),+] $declared:ty),*]
    ) => {
        $crate::catalogue::Description {
            name: $type,
            meaning: concat!($($meaning),+).trim_ascii(),
            fields: &[$($crate::catalogue::Field {
                name: stringify!($field),
                declared: stringify!($declared),
                meaning: concat!($($field_meaning),+).trim_ascii(),
            }),*],
        }
    };
}
pub(crate) use described;
