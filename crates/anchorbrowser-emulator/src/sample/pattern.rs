//! Text that a regular expression matches.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::random::Random;

/// Longest text that is ever made.
pub(super) const MAX_TEXT: usize = 65_536;

const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789";

/// A candidate of at least `min` characters and, if the pattern lets it, at most `max`. ASCII unless the pattern
/// spells other characters out. The caller checks it: anchors in odd places are not followed. `None` if the pattern is
/// outside of the syntax (look-around, back-references) or matches nothing.
pub(super) fn matching(
    pattern: &str,
    random: &mut Random,
    min: usize,
    max: usize,
) -> Option<String> {
    let tree = regex_syntax::parse(pattern).ok()?;
    let shortest = tree.properties().minimum_len()?;
    let wanted = min
        .max(shortest)
        .saturating_add(random.below(9))
        .min(max.max(shortest));
    if wanted > MAX_TEXT {
        return None;
    }
    let greedy = random.once_in(2);
    let mut writer = Writer {
        random,
        text: String::new(),
        spare: wanted - shortest,
        greedy,
    };
    writer.write(&tree).then_some(())?;
    let mut text = writer.text;
    // A pattern without an anchor at its end allows more text there.
    for _ in text.chars().count()..min {
        text.push('a');
    }
    Some(text)
}

struct Writer<'r> {
    random: &'r mut Random,
    text: String,
    /// How much longer than the shortest match the text may still become.
    spare: usize,
    /// Spends as much as possible on the first repetition, so that long texts are reached.
    greedy: bool,
}

impl Writer<'_> {
    fn write(&mut self, tree: &Hir) -> bool {
        match tree.kind() {
            HirKind::Empty | HirKind::Look(_) => true,
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => self.push(text),
                Err(_) => false,
            },
            HirKind::Class(class) => self
                .character(class)
                .is_some_and(|character| self.push(character.encode_utf8(&mut [0; 4]))),
            HirKind::Repetition(repetition) => self.repeat(repetition),
            HirKind::Capture(capture) => self.write(&capture.sub),
            HirKind::Concat(trees) => trees.iter().all(|tree| self.write(tree)),
            HirKind::Alternation(trees) => self.one_of(trees),
        }
    }

    fn push(&mut self, text: &str) -> bool {
        self.text.push_str(text);
        self.text.len() <= MAX_TEXT
    }

    fn repeat(&mut self, repetition: &Repetition) -> bool {
        let unit = repetition
            .sub
            .properties()
            .minimum_len()
            .unwrap_or(1)
            .max(1);
        let limit = repetition.max.map_or(usize::MAX, |max| {
            usize_of(max.saturating_sub(repetition.min))
        });
        let affordable = limit.min(self.spare / unit);
        let more = if self.greedy {
            affordable
        } else {
            self.random.below(affordable + 1)
        };
        self.spare -= more * unit;
        (0..usize_of(repetition.min).saturating_add(more)).all(|_| self.write(&repetition.sub))
    }

    fn one_of(&mut self, trees: &[Hir]) -> bool {
        let length = |tree: &Hir| tree.properties().minimum_len();
        let shortest = trees.iter().filter_map(length).min().unwrap_or(0);
        let affordable: Vec<&Hir> = trees
            .iter()
            .filter(|tree| length(tree).is_some_and(|length| length - shortest <= self.spare))
            .collect();
        let Some(tree) = self.random.pick(&affordable).copied() else {
            return false;
        };
        self.spare = self
            .spare
            .saturating_sub(length(tree).unwrap_or(0).saturating_sub(shortest));
        self.write(tree)
    }

    /// Letters and digits where the class has them, else any printable character of it.
    fn character(&mut self, class: &Class) -> Option<char> {
        let plain: Vec<char> = PLAIN
            .chars()
            .filter(|character| contains(class, *character))
            .collect();
        if !plain.is_empty() {
            return self.random.pick(&plain).copied();
        }
        let printable: Vec<char> = (' '..='~')
            .filter(|character| contains(class, *character))
            .collect();
        self.random.pick(&printable).copied()
    }
}

fn contains(class: &Class, character: char) -> bool {
    match class {
        Class::Unicode(class) => class
            .ranges()
            .iter()
            .any(|range| (range.start()..=range.end()).contains(&character)),
        Class::Bytes(class) => u8::try_from(character).is_ok_and(|byte| {
            class
                .ranges()
                .iter()
                .any(|range| (range.start()..=range.end()).contains(&byte))
        }),
    }
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
