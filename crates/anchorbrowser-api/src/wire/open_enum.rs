use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserializer, Visitor};

/// Writes an enum of strings that keeps a value it does not know.
///
/// ```text
/// open_enum! {
///     /// docs
///     pub enum Status {
///         /// docs
///         Pending = "pending",
///     }
/// }
/// ```
///
/// The variant for other values is `Unknown(String)`; `pub enum Status | Other { .. }` calls it
/// `Other`.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident { $($variants:tt)* }
    ) => {
        $crate::wire::open_enum! {
            $(#[$meta])*
            $vis enum $name | Unknown { $($variants)* }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident | $other:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $wire:literal),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value that the document does not know, as it was sent.
            $other(String),
        }

        impl $name {
            /// The values that the document knows.
            $vis const VALUES: &'static [&'static str] = &[$($wire),*];

            /// The value as it is sent.
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)*
                    Self::$other(text) => text,
                }
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($wire => Self::$variant,)*
                    _ => Self::$other(text.to_owned()),
                }
            }
        }

        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                match text.as_str() {
                    $($wire => Self::$variant,)*
                    _ => Self::$other(text),
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> ::std::result::Result<Self, ::std::convert::Infallible> {
                Ok(text.into())
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::wire::text(deserializer)
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!({ "type": "string", "x-known-values": Self::VALUES })
            }
        }
    };
}
pub(crate) use open_enum;

/// Decodes from a string, without a copy where the input has one to borrow.
#[allow(dead_code)] // used by what the macro writes
pub(crate) fn text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: for<'a> From<&'a str> + From<String>,
{
    struct Text<T>(PhantomData<T>);

    impl<T: for<'a> From<&'a str> + From<String>> Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            Ok(text.into())
        }

        fn visit_string<E: de::Error>(self, text: String) -> Result<T, E> {
            Ok(text.into())
        }
    }
    deserializer.deserialize_str(Text(PhantomData))
}

#[cfg(test)]
mod tests {
    open_enum! {
        /// Values that are no identifiers.
        enum Odd | Other {
            /// A known one that is called so.
            Unknown = "unknown",
            NA = "N/A",
            Plus1 = "+1",
            Empty = "",
            X1password = "1PASSWORD",
        }
    }

    open_enum! {
        enum Plain { A = "a" }
    }

    #[test]
    fn each_value_goes_round_and_an_unknown_one_is_kept() -> serde_json::Result<()> {
        for (text, expected) in [
            ("unknown", Odd::Unknown),
            ("N/A", Odd::NA),
            ("+1", Odd::Plus1),
            ("", Odd::Empty),
            ("1PASSWORD", Odd::X1password),
            ("n/a", Odd::Other("n/a".to_owned())),
            ("\"é\n", Odd::Other("\"é\n".to_owned())),
        ] {
            let json = serde_json::to_string(text)?;
            let value: Odd = serde_json::from_str(&json)?;
            assert_eq!(value, expected);
            assert_eq!(serde_json::to_string(&value)?, json);
            assert_eq!((value.as_str(), value.to_string().as_str()), (text, text));
            assert_eq!(
                (Odd::from(text), Odd::from(text.to_owned())),
                (value.clone(), value)
            );
            assert_eq!(text.parse(), Ok(expected));
        }
        assert_eq!(Odd::VALUES, ["unknown", "N/A", "+1", "", "1PASSWORD"]);
        assert_eq!(format!("{:?}", Plain::from("b")), r#"Unknown("b")"#);
        assert_eq!(serde_json::from_value::<Plain>("a".into())?, Plain::A);
        assert!(serde_json::from_str::<Plain>("1").is_err());
        assert_eq!(Plain::VALUES, ["a"]);
        Ok(())
    }

    #[cfg(feature = "schemars")]
    #[test]
    fn the_schema_lists_the_known_values() {
        let schema = schemars::schema_for!(Plain);
        assert_eq!(
            schema.get("x-known-values"),
            Some(&serde_json::json!(["a"]))
        );
    }
}
