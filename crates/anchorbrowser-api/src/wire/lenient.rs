use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Numbers, and lists and maps of them, that decode from whatever the server sends.
///
/// A number may come as text (`"40"`, `" 40 "`) or as a float (`40.0`). What the type cannot hold
/// becomes the nearest value that it can, towards zero: `40.5` as an integer is 40, and what is
/// too big is the biggest. What is no number at all is absent: `None`, or zero where the type has
/// no `None`; in a list it is left out.
pub trait Lenient: Sized {
    /// Decodes; fails only if the input itself is broken.
    ///
    /// # Errors
    /// What the deserializer fails with.
    fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// For `deserialize_with`, together with `default`.
#[allow(dead_code)] // which types need it is up to the document
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Lenient,
{
    T::lenient(deserializer)
}

/// For `deserialize_with`, together with `default`: takes `null` for an empty list or map.
#[allow(dead_code)] // which types need it is up to the document
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What came, if it is a number.
#[derive(Clone, Copy)]
enum Number {
    Int(i128),
    Float(f64),
}

impl Number {
    fn float(value: f64) -> Option<Self> {
        (!value.is_nan()).then_some(Number::Float(value))
    }

    fn text(text: &str) -> Option<Self> {
        let text = text.trim();
        // Rust also reads `inf` and `NaN`, which are words and no counts.
        if !text.ends_with(|last: char| last.is_ascii_digit() || last == '.') {
            return None;
        }
        let int = text.parse().ok().map(Number::Int);
        int.or_else(|| text.parse().ok().and_then(Number::float))
    }
}

macro_rules! numbers {
    ($($type:ty: |$int:ident, $float:ident| $from_int:expr, $from_float:expr;)*) => {$(
        impl From<Number> for $type {
            fn from(number: Number) -> Self {
                match number {
                    Number::Int($int) => $from_int,
                    Number::Float($float) => $from_float,
                }
            }
        }

        impl Lenient for Option<$type> {
            fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_any(NumberVisitor)?;
                Ok(number.map(<$type>::from))
            }
        }

        impl Lenient for $type {
            fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Option::<$type>::lenient(deserializer).map(Option::unwrap_or_default)
            }
        }
    )*};
}

// `as` saturates between floats and integers.
numbers! {
    i64: |int, float| int.clamp(i64::MIN.into(), i64::MAX.into()) as i64, float as i64;
    u64: |int, float| int.clamp(0, u64::MAX.into()) as u64, float as u64;
    i32: |int, float| int.clamp(i32::MIN.into(), i32::MAX.into()) as i32, float as i32;
    u32: |int, float| int.clamp(0, u32::MAX.into()) as u32, float as u32;
    f64: |int, float| int as f64, float.clamp(f64::MIN, f64::MAX);
}

/// Takes anything.
struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Option<Number>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Number::Int(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Number::Int(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Number::text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// An item of a list or map; `None` if it is no number.
struct Item<T>(Option<T>);

impl<'de, T> Deserialize<'de> for Item<T>
where
    Option<T>: Lenient,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<T>::lenient(deserializer).map(Item)
    }
}

impl<T> Lenient for Option<Vec<T>>
where
    Option<T>: Lenient,
{
    fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Option::<Vec<Item<T>>>::deserialize(deserializer)?;
        Ok(items.map(|items| items.into_iter().filter_map(|item| item.0).collect()))
    }
}

impl<T> Lenient for Vec<T>
where
    Option<T>: Lenient,
{
    fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Vec<T>>::lenient(deserializer).map(Option::unwrap_or_default)
    }
}

impl<T> Lenient for Option<BTreeMap<String, T>>
where
    Option<T>: Lenient,
{
    fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Option::<BTreeMap<String, Item<T>>>::deserialize(deserializer)?;
        let number = |(key, item): (String, Item<T>)| Some((key, item.0?));
        Ok(items.map(|items| items.into_iter().filter_map(number).collect()))
    }
}

impl<T> Lenient for BTreeMap<String, T>
where
    Option<T>: Lenient,
{
    fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<BTreeMap<_, T>>::lenient(deserializer).map(Option::unwrap_or_default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Counts {
        #[serde(deserialize_with = "crate::wire::lenient")]
        some: Option<i64>,
        #[serde(deserialize_with = "crate::wire::lenient")]
        int: i64,
        #[serde(deserialize_with = "crate::wire::lenient")]
        float: Option<f64>,
        #[serde(deserialize_with = "crate::wire::lenient")]
        small: Option<u32>,
    }

    #[test]
    fn a_count_is_read_from_whatever_comes() -> serde_json::Result<()> {
        let huge = Value::Number(serde_json::from_str("18446744073709551615")?);
        for (value, some, float, small) in [
            (json!(40), Some(40), Some(40.0), Some(40)),
            (json!(40.0), Some(40), Some(40.0), Some(40)),
            (json!("40"), Some(40), Some(40.0), Some(40)),
            (json!(" 40 "), Some(40), Some(40.0), Some(40)),
            (json!("40.5"), Some(40), Some(40.5), Some(40)),
            (json!(40.5), Some(40), Some(40.5), Some(40)),
            (json!(-1.5), Some(-1), Some(-1.5), Some(0)),
            (json!(1e300), Some(i64::MAX), Some(1e300), Some(u32::MAX)),
            (
                json!("1e400"),
                Some(i64::MAX),
                Some(f64::MAX),
                Some(u32::MAX),
            ),
            (huge, Some(i64::MAX), Some(u64::MAX as f64), Some(u32::MAX)),
            (json!(null), None, None, None),
            (json!(""), None, None, None),
            (json!("N/A"), None, None, None),
            (json!("NaN"), None, None, None),
            (json!("inf"), None, None, None),
            (json!(true), None, None, None),
            (json!([1, {}]), None, None, None),
            (json!({"a": [1]}), None, None, None),
        ] {
            let counts: Counts =
                from_value(json!({"some": value, "int": value, "float": value, "small": value}))?;
            let int = some.unwrap_or_default();
            assert_eq!(
                counts,
                Counts {
                    some,
                    int,
                    float,
                    small
                },
                "{value}"
            );
            assert_eq!(serde_json::from_str::<Counts>("{}")?, Counts::default());
        }
        Ok(())
    }

    #[test]
    fn lists_and_maps_keep_what_is_a_number() -> serde_json::Result<()> {
        let list = |value| lenient::<_, Vec<i64>>(value);
        assert_eq!(list(json!([1, "2", null, 3.0, "x"]))?, [1, 2, 3]);
        assert_eq!(list(json!(null))?, [0; 0]);
        assert_eq!(lenient::<_, Option<Vec<f64>>>(json!(null))?, None);
        let map: BTreeMap<String, f64> = lenient(json!({"a": "1.5", "b": null}))?;
        assert_eq!(map, BTreeMap::from([("a".to_owned(), 1.5)]));
        assert_eq!(or_default::<_, Vec<String>>(json!(null))?, [""; 0]);
        assert_eq!(or_default::<_, Vec<String>>(json!(["a"]))?, ["a"]);
        assert_eq!(
            or_default::<_, BTreeMap<String, i64>>(json!(null))?,
            BTreeMap::new()
        );
        Ok(())
    }
}
