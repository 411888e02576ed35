//! Numbers within their limits.

use serde_json::{Number, Value};

use super::judge::{Judge, whole};
use super::random::Random;
use super::shape::Shape;

/// How far from a one-sided limit numbers go.
const REACH: i128 = 99;
/// Numbers tried before giving up.
const ATTEMPTS: usize = 32;

/// Whether all parts of the shape, leaving out the keyword `except`, allow the number.
pub(super) fn is_met(judge: &Judge<'_>, shape: &Shape<'_>, value: &Value, except: &str) -> bool {
    shape
        .parts
        .iter()
        .all(|part| judge.plain(part, value, except))
}

pub(super) fn integer(judge: &Judge<'_>, random: &mut Random, shape: &Shape<'_>) -> Option<Value> {
    let step = steps(shape).fold(1, least_common).max(1);
    let (low, high) = limits(shape);
    let first = ceiling(low, step);
    let last = high.div_euclid(step);
    if first > last {
        return None;
    }
    // Around zero, then from the lower limit on: a step that is no integer has its multiples at unknown distances.
    let tries = (0..ATTEMPTS).map(|_| random.within(first, last));
    let tries: Vec<i128> = tries
        .chain([first, last])
        .chain((0..REACH).map(|add| first.saturating_add(add)))
        .collect();
    let numbers = tries
        .into_iter()
        .filter_map(|factor| value_of(factor.checked_mul(step)?));
    numbers
        .into_iter()
        .find(|value| is_met(judge, shape, value, ""))
}

pub(super) fn fraction(judge: &Judge<'_>, random: &mut Random, shape: &Shape<'_>) -> Option<Value> {
    let (low, high) = float_limits(shape);
    let width = high - low;
    let mut candidates: Vec<f64> = Vec::new();
    for _ in 0..ATTEMPTS {
        let part =
            f64::from(u32::try_from(random.below(1 << 20)).unwrap_or(0)) / f64::from(1 << 20);
        let number = low + width * part;
        candidates.push((number * 4.0).round() / 4.0);
        candidates.extend(
            shape
                .all("multipleOf")
                .filter_map(Value::as_f64)
                .map(|step| multiple(number, step)),
        );
    }
    candidates.extend([low + width / 2.0, low + width / 3.0, low, high]);
    let numbers = candidates
        .into_iter()
        .filter_map(Number::from_f64)
        .map(Value::Number);
    numbers
        .into_iter()
        .find(|value| is_met(judge, shape, value, ""))
        .or_else(|| integer(judge, random, shape))
}

/// The multiple of `step` next to `number`, by way of a decimal, so that 3 times 0.1 is 0.3.
fn multiple(number: f64, step: f64) -> f64 {
    let product = (number / step).round() * step;
    (product * 1e6).round() / 1e6
}

/// The lowest and the highest integer that the limits allow; near zero where a limit is missing.
fn limits(shape: &Shape<'_>) -> (i128, i128) {
    let low = shape
        .all("minimum")
        .filter_map(|value| at(value, f64::ceil));
    let above = shape
        .all("exclusiveMinimum")
        .filter_map(|value| at(value, f64::floor))
        .map(|limit| limit.saturating_add(1));
    let high = shape
        .all("maximum")
        .filter_map(|value| at(value, f64::floor));
    let below = shape
        .all("exclusiveMaximum")
        .filter_map(|value| at(value, f64::ceil))
        .map(|limit| limit.saturating_sub(1));
    let steps = steps(shape).max().unwrap_or(1).max(1);
    let reach = REACH.saturating_mul(steps);
    match (low.chain(above).max(), high.chain(below).min()) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low.saturating_add(reach)),
        (None, Some(high)) if high >= 1 => (1, high.min(reach)),
        (None, Some(high)) => (high.saturating_sub(reach), high),
        (None, None) => (1, reach),
    }
}

fn float_limits(shape: &Shape<'_>) -> (f64, f64) {
    let of = |word| shape.all(word).filter_map(Value::as_f64);
    let low = of("minimum").chain(of("exclusiveMinimum")).reduce(f64::max);
    let high = of("maximum").chain(of("exclusiveMaximum")).reduce(f64::min);
    let reach = of("multipleOf").fold(100.0, |reach, step| f64::max(reach, step * 8.0));
    match (low, high) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low + reach),
        (None, Some(high)) if high > 0.0 => (0.0, high.min(reach)),
        (None, Some(high)) => (high - reach, high),
        (None, None) => (0.0, reach),
    }
}

fn steps<'t>(shape: &'t Shape<'_>) -> impl Iterator<Item = i128> + 't {
    shape.all("multipleOf").filter_map(|value| {
        value
            .as_f64()
            .filter(|step| step.fract() == 0.0 && *step >= 1.0)
            .and_then(|_| at(value, f64::floor))
    })
}

fn at(value: &Value, round: fn(f64) -> f64) -> Option<i128> {
    let Value::Number(number) = value else {
        return None;
    };
    whole(number).or_else(|| number.as_f64().map(|number| round(number) as i128))
}

fn value_of(number: i128) -> Option<Value> {
    match i64::try_from(number) {
        Ok(number) => Some(Value::from(number)),
        Err(_) => u64::try_from(number).ok().map(Value::from),
    }
}

fn ceiling(number: i128, step: i128) -> i128 {
    let whole = number.div_euclid(step);
    if number.rem_euclid(step) == 0 {
        whole
    } else {
        whole.saturating_add(1)
    }
}

fn least_common(one: i128, other: i128) -> i128 {
    let (mut left, mut right) = (one, other);
    while right != 0 {
        (left, right) = (right, left % right);
    }
    if left == 0 {
        one
    } else {
        (one / left).saturating_mul(other)
    }
}
