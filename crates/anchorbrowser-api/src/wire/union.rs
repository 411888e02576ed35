use serde_json::Value;

/// Writes an enum of several shapes: a `oneOf` or `anyOf`.
///
/// ```text
/// union! {
///     /// docs
///     pub enum Proxy {
///         /// docs
///         Custom(Box<types::Custom>) if { "type" in ["custom"] } from types::Custom,
///         Anchor(types::Anchor) if { "type" in? ["anchor"], has "active" },
///         Text(String) if string,
///         Rest(types::Rest),
///     } else Unknown
/// }
/// ```
///
/// An arm is a candidate if its guard holds: `"p" in [..]` wants a property that is one of these
/// strings, `"p" in? [..]` takes its absence too, `has "p"` wants it not null, and a word wants a
/// JSON type: `string`, `number`, `integer`, `boolean`, `array`, `object`, `null` or `any`. The
/// first candidate that decodes wins. What fits none is `Unknown(serde_json::Value)` if there is
/// an `else`, and an error if there is none. `from T` adds a `From<T>` for the arm.
macro_rules! union {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$arm_meta:meta])*
                $arm:ident($type:ty) $(if $guard:tt)? $(from $source:ty)?
            ),* $(,)?
        } $(else $other:ident)?
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$arm_meta])* $arm($type),)*
            $(
                /// A shape that the document does not know, as it was sent.
                $other(::serde_json::Value),
            )?
        }

        $($(
            impl ::std::convert::From<$source> for $name {
                fn from(value: $source) -> Self {
                    Self::$arm(value.into())
                }
            }
        )?)*

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self {
                    $(Self::$arm(value) => f.debug_tuple(stringify!($arm)).field(value).finish(),)*
                    // It may hold a secret: only its outline is printed.
                    $(Self::$other(value) => {
                        write!(f, "{}({})", stringify!($other), $crate::wire::outline(value))
                    })?
                }
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                match self {
                    $(Self::$arm(value) => ::serde::Serialize::serialize(value, serializer),)*
                    $(Self::$other(value) => ::serde::Serialize::serialize(value, serializer),)?
                }
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                let value: ::serde_json::Value = ::serde::Deserialize::deserialize(deserializer)?;
                $(
                    if true $(&& $crate::wire::union!(@guard &value, $guard))?
                        && let Ok(value) = $crate::wire::read::<$type, _>(&value, None)
                    {
                        return Ok(Self::$arm(value));
                    }
                )*
                $(return Ok(Self::$other(value));)?
                #[allow(unreachable_code)]
                Err(::serde::de::Error::custom(concat!(
                    "no known shape of ", stringify!($name), ", expected one of"
                    $(, " ", stringify!($arm))*
                )))
            }
        }

        #[cfg(feature = "schemars")]
        impl ::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                let arms = vec![
                    $(generator.subschema_for::<$type>(),)*
                    $({
                        let _ = stringify!($other);
                        ::schemars::Schema::from(true)
                    },)?
                ];
                ::schemars::json_schema!({ "anyOf": arms })
            }
        }
    };

    (@guard $value:expr, any) => { true };
    (@guard $value:expr, string) => { $value.is_string() };
    (@guard $value:expr, number) => { $value.is_number() };
    (@guard $value:expr, integer) => { ($value.is_i64() || $value.is_u64()) };
    (@guard $value:expr, boolean) => { $value.is_boolean() };
    (@guard $value:expr, array) => { $value.is_array() };
    (@guard $value:expr, object) => { $value.is_object() };
    (@guard $value:expr, null) => { $value.is_null() };
    (@guard $value:expr, { $($tests:tt)* }) => { $crate::wire::union!(@all $value, $($tests)*) };

    (@all $value:expr,) => { true };
    (@all $value:expr, $property:literal in [$($text:literal),* $(,)?] $(, $($more:tt)*)?) => {
        ($crate::wire::is_one_of($value.get($property), &[$($text),*])
            && $crate::wire::union!(@all $value, $($($more)*)?))
    };
    (@all $value:expr, $property:literal in? [$($text:literal),* $(,)?] $(, $($more:tt)*)?) => {
        ($value.get($property).is_none_or(|found| {
            $crate::wire::is_one_of(Some(found), &[$($text),*])
        }) && $crate::wire::union!(@all $value, $($($more)*)?))
    };
    (@all $value:expr, has $property:literal $(, $($more:tt)*)?) => {
        ($value.get($property).is_some_and(|found| !found.is_null())
            && $crate::wire::union!(@all $value, $($($more)*)?))
    };
}
pub(crate) use union;

/// Whether a property is there and is one of these strings.
#[allow(dead_code)] // used by what the macro writes
pub(crate) fn is_one_of(value: Option<&Value>, texts: &[&str]) -> bool {
    value
        .and_then(Value::as_str)
        .is_some_and(|text| texts.contains(&text))
}

/// The kind of a value and the names in it, without what it holds.
pub(crate) fn outline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "a boolean".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a string".to_owned(),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(map) if map.is_empty() => "an empty object".to_owned(),
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().map(|key| format!("`{key}`")).collect();
            crate::error::excerpt(&format!("an object of {}", keys.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, from_value, json, to_value};

    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    struct Custom {
        server: String,
        r#type: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        active: Option<bool>,
    }

    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
    struct Anchor {
        active: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        inner: Option<Proxy>,
    }

    union! {
        /// The arm that takes more comes first, as it must not.
        enum Proxy {
            Anchor(Box<Anchor>) if { "type" in? ["anchor_proxy"], has "active" } from Anchor,
            Custom(Custom) if { "type" in ["custom"] } from Custom,
            Text(String) if string,
            Count(i64) if integer from i64,
            Decimal(f64) if number,
            Flags(Vec<bool>) if array,
        } else Unknown
    }

    union! {
        enum Closed {
            No(()) if null,
            Flag(bool) if boolean,
            Any(Box<Anchor>),
        }
    }

    #[test]
    fn a_shape_is_told_by_its_guard_and_goes_round() -> serde_json::Result<()> {
        for (arm, json) in [
            ("Anchor", json!({"active": true})),
            (
                "Anchor",
                json!({"active": true, "inner": {"active": false}}),
            ),
            (
                "Custom",
                json!({"type": "custom", "server": "s", "active": true}),
            ),
            (
                "Unknown",
                json!({"type": "new", "server": "canary", "active": true}),
            ),
            (
                "Unknown",
                json!({"type": null, "active": true, "password": "canary"}),
            ),
            ("Unknown", json!({"type": "custom", "server": ["canary"]})),
            ("Unknown", json!({"active": null})),
            ("Unknown", json!({})),
            ("Unknown", json!(["canary"])),
            ("Unknown", json!(null)),
            ("Text", json!("N/A")),
            ("Count", json!(-1)),
            ("Decimal", json!(1.5)),
            ("Flags", json!([true])),
        ] {
            let proxy: Proxy = from_value(json.clone())?;
            let printed = format!("{proxy:?}");
            assert!(
                printed.starts_with(arm) && !printed.contains("canary"),
                "{json}: {printed}"
            );
            assert_eq!(to_value(&proxy)?, json);
        }
        let tagged: Proxy = from_value(json!({"type": "anchor_proxy", "active": true}))?;
        assert!(matches!(tagged, Proxy::Anchor(_)));
        let boxed = Proxy::from(Anchor {
            active: true,
            inner: Some(1.into()),
        });
        assert_eq!(to_value(boxed)?, json!({"active": true, "inner": 1}));
        Ok(())
    }

    #[test]
    fn a_closed_union_names_its_shapes() -> serde_json::Result<()> {
        for json in [json!(null), json!(true), json!({"active": false})] {
            assert_eq!(to_value(from_value::<Closed>(json.clone())?)?, json);
        }
        let error = from_value::<Closed>(json!("canary"))
            .expect_err("no shape")
            .to_string();
        assert_eq!(
            error,
            "no known shape of Closed, expected one of No Flag Any"
        );
        Ok(())
    }

    #[cfg(feature = "schemars")]
    #[test]
    fn the_schema_is_any_of_the_arms() {
        let any = |schema: schemars::Schema| schema.get("anyOf").and_then(Value::as_array).cloned();
        let open = any(schemars::schema_for!(Proxy)).unwrap_or_default();
        assert_eq!((open.len(), open.last()), (7, Some(&json!(true))));
        assert_eq!(
            any(schemars::schema_for!(Closed)).map(|arms| arms.len()),
            Some(3)
        );
    }

    #[test]
    fn an_outline_has_no_values() {
        assert_eq!(
            super::outline(&json!({"b": 1, "a": "x"})),
            "an object of `a`, `b`"
        );
        assert_eq!(super::outline(&Value::from("x")), "a string");
    }
}
