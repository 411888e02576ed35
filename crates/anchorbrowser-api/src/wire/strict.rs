//! Reads JSON as the document means it: a struct is an object.
//!
//! Derived code takes a list for a struct too, by position. An answer that is a list where an
//! object was documented would then decode to a value without content, and nobody would know.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};

/// The way to the value that could not be read: keys and indexes, the innermost first.
#[derive(Default)]
pub(crate) struct Trail(RefCell<Vec<String>>);

impl Trail {
    fn add(&self, place: &Place) {
        self.0.borrow_mut().push(match place {
            Place::Index(index) => format!("[{index}]"),
            Place::Key(key) => format!(".{key}"),
        });
    }
}

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.0.borrow().iter().rev().map(String::as_str).collect();
        f.write_str(text.strip_prefix('.').unwrap_or(&text))
    }
}

/// Reads a value; with a trail, an error leaves its place there.
pub(crate) fn read<'de, T, D>(deserializer: D, trail: Option<&Trail>) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(Strict {
        inner: deserializer,
        trail,
    })
}

enum Place {
    Index(usize),
    Key(String),
}

/// A deserializer, visitor, seed or access of serde, which hands itself on to what is inside.
struct Strict<'t, T> {
    inner: T,
    trail: Option<&'t Trail>,
}

impl<'t, T> Strict<'t, T> {
    fn around<U>(&self, inner: U) -> Strict<'t, U> {
        Strict {
            inner,
            trail: self.trail,
        }
    }
}

macro_rules! forward {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(
            fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
                let visitor = self.around(visitor);
                self.inner.$method($($argument,)* visitor)
            }
        )*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, D> {
    type Error = D::Error;

    forward! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    /// The one difference.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_map(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))*) => {
        $(
            fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
                self.inner.$method(value)
            }
        )*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool)
        visit_i64(i64)
        visit_u64(u64)
        visit_f64(f64)
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        let deserializer = self.around(deserializer);
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.around((access, 0));
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.around((access, String::new()));
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(access)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<'_, (A, usize)> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let index = self.inner.1;
        self.inner.1 += 1;
        let seed = self.around((seed, Place::Index(index)));
        self.inner.0.next_element_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<'_, (A, String)> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        // Only the second reading, for the error, needs the names.
        if self.trail.is_none() {
            return self.inner.0.next_key_seed(seed);
        }
        let Some(key) = self.inner.0.next_key::<String>()? else {
            return Ok(None);
        };
        self.inner.1.clone_from(&key);
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let key = std::mem::take(&mut self.inner.1);
        let seed = self.around((seed, Place::Key(key)));
        self.inner.0.next_value_seed(seed)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.0.size_hint()
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<'_, (S, Place)> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.around(deserializer);
        let (seed, place) = self.inner;
        seed.deserialize(deserializer).inspect_err(|_| {
            if let Some(trail) = self.trail {
                trail.add(&place);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Deserializer, Result};

    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Outer {
        #[serde(default)]
        list: Vec<BTreeMap<String, Inner>>,
        one: Option<Inner>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Inner {
        n: Option<u8>,
    }

    fn outer(text: &str, trail: Option<&Trail>) -> Result<Outer> {
        read(&mut Deserializer::from_str(text), trail)
    }

    #[test]
    fn objects_are_read_as_ever() -> Result<()> {
        let text = r#"{"list":[{"a":{"n":1}},{}],"one":{"n":null},"more":[{"x":1}]}"#;
        for trail in [None, Some(&Trail::default())] {
            let read = outer(text, trail)?;
            assert_eq!(read, serde_json::from_str(text)?);
            assert_eq!(read.list[0]["a"], Inner { n: Some(1) });
        }
        Ok(())
    }

    #[test]
    fn a_list_is_no_struct_and_the_place_is_known() {
        for (text, place) in [
            ("[[],null]", ""),
            (r#"{"one":[1]}"#, "one"),
            (r#"{"list":[{},{"a":{},"b.c":[1]}]}"#, "list[1].b.c"),
            (r#"{"list":[{"a":{"n":"x"}}]}"#, "list[0].a.n"),
        ] {
            assert!(outer(text, None).is_err(), "{text}");
            let trail = Trail::default();
            assert!(outer(text, Some(&trail)).is_err(), "{text}");
            assert_eq!(trail.to_string(), place);
        }
    }
}
