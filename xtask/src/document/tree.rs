//! Builds the value and the tree of places from the events of a YAML or JSON reader.
//!
//! It holds no recursion and counts what it builds, so that neither nesting nor aliases can exhaust the machine.

use std::collections::HashMap;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::Place;

/// The most nodes that a document may have once its aliases are expanded. The real one has some twenty thousand.
const NODE_LIMIT: usize = 500_000;
/// The most bytes of keys and texts once aliases are expanded.
const TEXT_LIMIT: usize = 64 * 1024 * 1024;
/// The deepest nesting.
pub(super) const DEPTH_LIMIT: usize = 256;

/// Why a reader stopped.
#[derive(Debug)]
pub(super) enum Failure {
    /// The text isn't of this format; it may be of another.
    Syntax {
        /// Where reading stopped.
        place: Place,
        /// The whole message.
        message: String,
    },
    /// The text is of this format, but isn't taken.
    Refused(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error)
    }
}

/// A node's place and those of the nodes below it; runs parallel to the value.
#[derive(Debug)]
pub(super) struct Node {
    /// Line, from 1.
    line: u32,
    /// Column, from 1.
    column: u32,
    /// Children.
    below: Below,
}

/// Children of a [`Node`].
#[derive(Debug)]
enum Below {
    /// A scalar, or an alias, whose place stands for all that it expands to.
    Nothing,
    /// A list's items.
    Items(Box<[Node]>),
    /// A mapping's entries, sorted by key. Their place is the key's.
    Entries(Box<[(Box<str>, Node)]>),
}

impl Node {
    /// A node at `place`.
    fn new(place: Place, below: Below) -> Self {
        Self {
            line: u32::try_from(place.line).unwrap_or(u32::MAX),
            column: u32::try_from(place.column).unwrap_or(u32::MAX),
            below,
        }
    }

    /// Where the node stands.
    pub(super) fn place(&self) -> Place {
        Place {
            line: self.line as usize,
            column: self.column as usize,
        }
    }

    /// The child under `token`, which is unescaped.
    pub(super) fn child(&self, token: &str) -> Option<&Self> {
        match &self.below {
            Below::Nothing => None,
            Below::Items(items) => items.get(token.parse::<usize>().ok()?),
            Below::Entries(entries) => {
                let index = entries
                    .binary_search_by(|(key, _)| (**key).cmp(token))
                    .ok()?;
                entries.get(index).map(|(_, node)| node)
            }
        }
    }
}

/// What a subtree costs.
#[derive(Clone, Copy, Default)]
struct Size {
    /// Number of nodes.
    nodes: usize,
    /// Bytes of keys and texts.
    bytes: usize,
    /// Levels of lists and mappings.
    height: usize,
}

impl Size {
    /// Adds a child's size to its parent's.
    fn add(&mut self, child: Self) {
        self.nodes += child.nodes;
        self.bytes += child.bytes;
        self.height = self.height.max(child.height + 1);
    }
}

/// A list or mapping being read.
struct Frame {
    /// Children so far.
    content: Content,
    /// Where it began.
    place: Place,
    /// Its anchor's number, 0 for none.
    anchor: usize,
    /// What it costs so far.
    size: Size,
}

/// Children of a [`Frame`].
enum Content {
    /// A list's.
    List(Vec<Value>, Vec<Node>),
    /// A mapping's, and the key that waits for its value.
    Mapping(
        Map<String, Value>,
        Vec<(Box<str>, Node)>,
        Option<(String, Place)>,
    ),
}

/// Takes events, gives a value and its places.
pub(super) struct Builder<'n> {
    /// The document's name in messages.
    name: &'n str,
    /// The lists and mappings that are open.
    frames: Vec<Frame>,
    /// Complete anchored nodes.
    anchors: HashMap<usize, (Value, Size)>,
    /// What has been built in all.
    total: Size,
    /// The result.
    root: Option<(Value, Node)>,
}

impl<'n> Builder<'n> {
    /// An empty builder; `name` is shown in messages.
    pub(super) fn new(name: &'n str) -> Self {
        Self {
            name,
            frames: Vec::new(),
            anchors: HashMap::new(),
            total: Size::default(),
            root: None,
        }
    }

    /// Whether a list or mapping is open.
    pub(super) fn is_open(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Whether the innermost open node is a mapping that waits for a key.
    pub(super) fn expects_key(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(Frame {
                content: Content::Mapping(_, _, None),
                ..
            })
        )
    }

    /// What was read, if there was anything.
    pub(super) fn finish(self) -> Option<(Value, Node)> {
        self.root
    }

    /// Takes a scalar.
    pub(super) fn scalar(&mut self, value: Value, place: Place, anchor: usize) -> Result<()> {
        let size = Size {
            nodes: 1,
            bytes: value.as_str().map_or(0, str::len),
            height: 0,
        };
        self.charge(size, place)?;
        self.keep(anchor, &value, size, place)?;
        self.attach(value, Below::Nothing, place, size);
        Ok(())
    }

    /// Takes a mapping's key.
    pub(super) fn key(&mut self, key: String, place: Place) -> Result<()> {
        let size = Size {
            bytes: key.len(),
            ..Size::default()
        };
        self.charge(size, place)?;
        let Some(Frame {
            content: Content::Mapping(map, places, pending),
            size: sum,
            ..
        }) = self.frames.last_mut()
        else {
            bail!("{}: a key outside of a mapping", at(self.name, place));
        };
        if map.contains_key(&key) {
            let first = places.iter().find(|(other, _)| **other == *key);
            let first = first.map_or(place, |(_, node)| node.place());
            bail!(
                "{}: duplicate key `{key}`, first at {}:{}; remove or rename one of the two",
                at(self.name, place),
                first.line,
                first.column
            );
        }
        sum.bytes += key.len();
        *pending = Some((key, place));
        Ok(())
    }

    /// Opens a list.
    pub(super) fn begin_list(&mut self, place: Place, anchor: usize) -> Result<()> {
        self.begin(Content::List(Vec::new(), Vec::new()), place, anchor)
    }

    /// Opens a mapping.
    pub(super) fn begin_mapping(&mut self, place: Place, anchor: usize) -> Result<()> {
        self.begin(
            Content::Mapping(Map::new(), Vec::new(), None),
            place,
            anchor,
        )
    }

    /// Opens a list or mapping.
    fn begin(&mut self, content: Content, place: Place, anchor: usize) -> Result<()> {
        let size = Size {
            nodes: 1,
            ..Size::default()
        };
        self.charge(size, place)?;
        if self.frames.len() >= DEPTH_LIMIT {
            bail!(too_deep(self.name, place));
        }
        self.frames.push(Frame {
            content,
            place,
            anchor,
            size,
        });
        Ok(())
    }

    /// Closes the innermost list or mapping.
    pub(super) fn end(&mut self) -> Result<()> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let (value, below) = match frame.content {
            Content::List(values, nodes) => (Value::Array(values), Below::Items(nodes.into())),
            Content::Mapping(map, mut entries, _) => {
                entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
                (Value::Object(map), Below::Entries(entries.into()))
            }
        };
        self.keep(frame.anchor, &value, frame.size, frame.place)?;
        self.attach(value, below, frame.place, frame.size);
        Ok(())
    }

    /// Takes an alias: a copy of the node that its anchor stands for.
    pub(super) fn alias(&mut self, anchor: usize, place: Place) -> Result<()> {
        let Some((_, size)) = self.anchors.get(&anchor) else {
            bail!(
                "{}: an anchor contains an alias to itself; write the value out",
                at(self.name, place)
            );
        };
        let size = *size;
        self.charge(size, place)?;
        if self.frames.len() + size.height > DEPTH_LIMIT {
            bail!(too_deep(self.name, place));
        }
        if let Some((value, _)) = self.anchors.get(&anchor) {
            let value = value.clone();
            self.attach(value, Below::Nothing, place, size);
        }
        Ok(())
    }

    /// Keeps a copy of an anchored node. The copy is paid for as well, or nested anchors would be free.
    fn keep(&mut self, anchor: usize, value: &Value, size: Size, place: Place) -> Result<()> {
        if anchor != 0 {
            self.charge(size, place)?;
            self.anchors.insert(anchor, (value.clone(), size));
        }
        Ok(())
    }

    /// Keeps a scalar key that has an anchor.
    pub(super) fn keep_key(&mut self, anchor: usize, key: &str, place: Place) -> Result<()> {
        let size = Size {
            nodes: 1,
            bytes: key.len(),
            height: 0,
        };
        self.keep(anchor, &Value::from(key), size, place)
    }

    /// Counts what is about to be built.
    fn charge(&mut self, size: Size, place: Place) -> Result<()> {
        self.total.nodes += size.nodes;
        self.total.bytes += size.bytes;
        if self.total.nodes > NODE_LIMIT || self.total.bytes > TEXT_LIMIT {
            bail!(
                "{}: the document is too large: more than {NODE_LIMIT} nodes or {TEXT_LIMIT} bytes of text \
                 with aliases expanded; write out or remove the aliases, or split the document",
                at(self.name, place)
            );
        }
        Ok(())
    }

    /// Puts a complete node where it belongs.
    fn attach(&mut self, value: Value, below: Below, place: Place, size: Size) {
        match self.frames.last_mut() {
            None => self.root = Some((value, Node::new(place, below))),
            Some(frame) => {
                frame.size.add(size);
                match &mut frame.content {
                    Content::List(values, nodes) => {
                        values.push(value);
                        nodes.push(Node::new(place, below));
                    }
                    Content::Mapping(map, entries, pending) => {
                        if let Some((key, place)) = pending.take() {
                            entries.push((key.as_str().into(), Node::new(place, below)));
                            map.insert(key, value);
                        }
                    }
                }
            }
        }
    }
}

/// The start of a message: `openapi.yaml:12:5`.
pub(super) fn at(name: &str, place: Place) -> String {
    format!("{name}:{}:{}", place.line, place.column)
}

/// The message for a document that is nested too deeply.
pub(super) fn too_deep(name: &str, place: Place) -> String {
    format!(
        "{}: nested deeper than {DEPTH_LIMIT} levels; flatten the document there",
        at(name, place)
    )
}
