//! Values from schemas.

use serde_json::Value;

use super::Sampler;
use super::judge::{equal, kind_of};
use super::number;
use super::shape::{Arm, Shape, kind};
use super::text;

/// After so many schemas a value gets required members only.
const ENOUGH: u32 = 2_000;
/// After so many the search ends.
pub(super) const MAX_STEPS: u32 = 40_000;
/// Nothing is nested deeper.
const MAX_DEPTH: usize = 64;
/// Attempts at a value that a later check refuses.
pub(super) const ATTEMPTS: usize = 6;
/// Most elements or members that a lower limit may ask for.
pub(super) const MAX_COUNT: usize = 2_048;

/// Where in a value the sampler is.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    /// Name of the member, for plausible text.
    pub(super) name: &'p str,
    /// Required members only.
    pub(super) small: bool,
    depth: usize,
    /// Recursion is looked for among the open shapes from here on.
    base: usize,
    /// An earlier attempt was refused: lengths are random now.
    varied: bool,
}

impl<'p> Place<'p> {
    pub(super) fn root(small: bool) -> Self {
        Self {
            name: "",
            small,
            depth: 0,
            base: 0,
            varied: false,
        }
    }

    pub(super) fn inside(self, name: &'p str) -> Self {
        Self {
            name,
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<'a> Sampler<'a> {
    /// A value that meets all `schemas`; `None` if there is none, or none within the bounds of the search.
    pub(super) fn node<'s>(&mut self, schemas: &[&'s Value], mut place: Place<'_>) -> Option<Value>
    where
        'a: 's,
    {
        self.steps = self.steps.saturating_add(1);
        if self.steps > MAX_STEPS || place.depth > MAX_DEPTH {
            return None;
        }
        if self.steps > ENOUGH && !place.small {
            place = Place {
                small: true,
                base: self.open.len(),
                ..place
            };
        }
        let shape = Shape::of(self.judge.root(), schemas)?;
        if !place.small
            && self.random.once_in(4)
            && let Some(value) = self.shown(&shape, schemas)
        {
            return Some(value);
        }
        let checked = !shape.unions.is_empty() || shape.has("not") || shape.has("propertyNames");
        let made = self.choose(shape.clone(), &Check { schemas, checked }, place);
        made.or_else(|| self.shown(&shape, schemas))
    }

    /// A default or an example that the schemas allow.
    fn shown(&mut self, shape: &Shape<'_>, schemas: &[&Value]) -> Option<Value> {
        let lists = shape.all("examples").filter_map(Value::as_array).flatten();
        let shown = shape
            .all("default")
            .chain(shape.all("example"))
            .chain(lists);
        shown
            .into_iter()
            .find(|value| self.judge.all(schemas, value))
            .cloned()
    }

    /// Settles the unions one by one, going back when an arm leads nowhere.
    fn choose<'s>(
        &mut self,
        mut shape: Shape<'s>,
        check: &Check<'_, 's>,
        place: Place<'_>,
    ) -> Option<Value>
    where
        'a: 's,
    {
        let Some(mut arms) = shape.unions.pop() else {
            return self.attempt(&shape, check, place);
        };
        self.random.shuffle(&mut arms);
        for arm in &arms {
            self.steps = self.steps.saturating_add(1);
            if self.steps > MAX_STEPS {
                return None;
            }
            let mut chosen = shape.clone();
            if chosen.add_all(self.judge.root(), arm)
                && let Some(value) = self.choose(chosen, check, place)
            {
                return Some(value);
            }
        }
        None
    }

    fn attempt<'s>(
        &mut self,
        shape: &Shape<'s>,
        check: &Check<'_, 's>,
        place: Place<'_>,
    ) -> Option<Value>
    where
        'a: 's,
    {
        if !check.checked {
            return self.plain(shape, check, place);
        }
        // Scalars cost little, and `not` can leave few of them.
        let scalar = shape.kinds() & (kind::ARRAY | kind::OBJECT) == 0;
        let attempts = if scalar { 8 * ATTEMPTS } else { ATTEMPTS };
        (0..attempts).find_map(|attempt| {
            let mut place = Place {
                varied: place.varied || attempt > 0,
                ..place
            };
            // An optional member can be what another arm asks for.
            if attempt >= ATTEMPTS / 2 && !place.small {
                place = Place {
                    small: true,
                    base: self.open.len(),
                    ..place
                };
            }
            self.plain(shape, check, place)
                .filter(|value| self.judge.all(check.schemas, value))
        })
    }

    /// A value for a shape without unions.
    fn plain<'s>(
        &mut self,
        shape: &Shape<'s>,
        check: &Check<'_, 's>,
        place: Place<'_>,
    ) -> Option<Value>
    where
        'a: 's,
    {
        if let Some(mut listed) = shape.listed() {
            self.random.shuffle(&mut listed);
            // Null is as rare among listed values as among types.
            let null_first = self.random.once_in(8);
            listed.sort_by_key(|value| value.is_null() != null_first);
            return listed
                .into_iter()
                .find(|value| self.judge.all(check.schemas, value))
                .cloned();
        }
        self.kinds(shape)
            .into_iter()
            .find_map(|kind| self.of_kind(kind, shape, place))
    }

    /// The allowed kinds in the order in which they are tried.
    fn kinds(&mut self, shape: &Shape<'_>) -> Vec<u8> {
        let mut allowed = shape.kinds();
        if allowed & kind::NUMBER == kind::NUMBER {
            allowed &= !kind::INTEGER;
        }
        let mut order = [
            kind::STRING,
            kind::OBJECT,
            kind::FRACTION,
            kind::INTEGER,
            kind::ARRAY,
            kind::BOOLEAN,
        ];
        let typed = shape.has("type");
        if typed {
            self.random.shuffle(&mut order);
        } else if self.random.once_in(2) {
            order.swap(0, 1);
        }
        let meant = if typed { 0 } else { meant(shape) };
        order.sort_by_key(|kind| *kind & meant == 0);
        let mut order: Vec<u8> = order
            .into_iter()
            .filter(|kind| *kind & allowed != 0)
            .collect();
        if allowed & kind::NULL != 0 {
            let null_first = typed && self.random.once_in(8);
            order.insert(if null_first { 0 } else { order.len() }, kind::NULL);
        }
        order
    }

    fn of_kind<'s>(&mut self, kind: u8, shape: &Shape<'s>, place: Place<'_>) -> Option<Value>
    where
        'a: 's,
    {
        match kind {
            kind::NULL => Some(Value::Null),
            kind::BOOLEAN => Some(Value::Bool(self.random.once_in(2))),
            kind::INTEGER => number::integer(&self.judge, &mut self.random, shape),
            kind::FRACTION => number::fraction(&self.judge, &mut self.random, shape),
            kind::STRING => text::text(
                &self.judge,
                &mut self.random,
                shape,
                place.name,
                place.varied,
            )
            .map(Value::String),
            kind::ARRAY => self.nested(shape, place, Self::array),
            _ => self.nested(shape, place, Self::object),
        }
    }

    /// Ends recursion. A shape inside of itself gets required members only; there, once more inside of itself is one too
    /// many: whatever fits the inner place fits the outer one as well.
    fn nested<'s>(
        &mut self,
        shape: &Shape<'s>,
        mut place: Place<'_>,
        make: fn(&mut Self, &Shape<'s>, Place<'_>) -> Option<Value>,
    ) -> Option<Value>
    where
        'a: 's,
    {
        let key = shape.key();
        if self
            .open
            .get(place.base..)
            .is_some_and(|open| open.contains(&key))
        {
            if place.small {
                return None;
            }
            place = Place {
                small: true,
                base: self.open.len(),
                ..place
            };
        }
        self.open.push(key);
        let made = make(self, shape, place);
        self.open.pop();
        made
    }

    fn array<'s>(&mut self, shape: &Shape<'s>, place: Place<'_>) -> Option<Value>
    where
        'a: 's,
    {
        let wanted: Arm<'s> = shape.all("contains").collect();
        let min = shape
            .at_least("minItems")
            .max(usize::from(!wanted.is_empty()));
        let max = shape.at_most("maxItems");
        if min > max || min > MAX_COUNT {
            return None;
        }
        let length = if place.small {
            min
        } else {
            min.max(1 + self.random.below(2)).min(max)
        };
        let unique = shape
            .all("uniqueItems")
            .any(|unique| *unique == Value::Bool(true));
        let mut items: Vec<Value> = Vec::new();
        while items.len() < length {
            let Some(mut schemas) = shape.element(items.len()) else {
                break;
            };
            if items.is_empty() {
                schemas.extend(&wanted);
            }
            let Some(item) = self.item(&schemas, &items, unique, place) else {
                break;
            };
            items.push(item);
        }
        (items.len() >= min).then_some(Value::Array(items))
    }

    fn item<'s>(
        &mut self,
        schemas: &[&'s Value],
        others: &[Value],
        unique: bool,
        place: Place<'_>,
    ) -> Option<Value>
    where
        'a: 's,
    {
        let attempts = if unique { 4 * ATTEMPTS } else { 1 };
        for attempt in 0..attempts {
            let place = Place {
                varied: place.varied || attempt > ATTEMPTS,
                ..place.inside(place.name)
            };
            let item = self.member(schemas, place)?;
            if !unique || !others.iter().any(|other| equal(other, &item)) {
                return Some(item);
            }
        }
        None
    }

    /// A value for a member or an element. Where nothing is said, a text will do.
    pub(super) fn member<'s>(&mut self, schemas: &[&'s Value], place: Place<'_>) -> Option<Value>
    where
        'a: 's,
    {
        if schemas.is_empty() {
            self.steps = self.steps.saturating_add(1);
            let text = text::text(
                &self.judge,
                &mut self.random,
                &Shape::default(),
                place.name,
                false,
            );
            return text.map(Value::String);
        }
        self.node(schemas, place)
    }
}

/// What a finished value is checked against.
struct Check<'c, 's> {
    schemas: &'c [&'s Value],
    /// Whether making it by the rules is not enough.
    checked: bool,
}

/// The kinds that an untyped schema speaks of.
fn meant(shape: &Shape<'_>) -> u8 {
    let mut meant = 0;
    for word in shape.parts.iter().flat_map(|part| part.keys()) {
        meant |= match word.as_str() {
            "properties"
            | "required"
            | "additionalProperties"
            | "patternProperties"
            | "propertyNames"
            | "minProperties" => kind::OBJECT,
            "items" | "prefixItems" | "minItems" | "maxItems" | "uniqueItems" | "contains" => {
                kind::ARRAY
            }
            "pattern" | "format" | "minLength" | "maxLength" => kind::STRING,
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                kind::FRACTION
            }
            _ => 0,
        };
    }
    let shown = shape.all("default").next().map_or(0, kind_of);
    if meant == 0 { shown } else { meant }
}
