//! Reads and applies OpenAPI Overlays, 1.0 and 1.1.

use std::cmp::Ordering;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use roas_overlay::common::apply::{compile_path, locate, merge_json, remove_at};
use roas_overlay::{v1_0, v1_1};
use serde_json::{Map, Value};

use crate::document::{Document, escape, kind};

/// An overlay as read.
#[derive(Debug)]
pub(crate) struct Overlay {
    /// The file's text as a tree.
    document: Document,
    /// Which of the two specifications it follows.
    version: Version,
    /// Its actions, in order.
    actions: Vec<Action>,
}

/// Versions of the specification that differ in what an action may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// 1.0.x: targets are mappings and lists; an update of a list is one entry to append.
    V1_0,
    /// 1.1.x: also scalars as targets, `copy`, and lists appended to lists.
    V1_1,
}

/// One action.
#[derive(Debug)]
struct Action {
    /// JSONPath of the nodes that it changes.
    target: String,
    /// What it is for.
    description: Option<String>,
    /// What it does.
    change: Change,
}

/// What an action does to each node.
#[derive(Debug)]
enum Change {
    /// Merges a value.
    Update(Value),
    /// Merges the value of another node.
    Copy(String),
    /// Removes the node.
    Remove,
}

/// What an overlay did.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Each action's outcome, in order.
    pub(crate) actions: Vec<AppliedAction>,
}

/// What one action did.
#[derive(Debug)]
pub(crate) struct AppliedAction {
    /// Its number in the overlay, from 0.
    pub(crate) index: usize,
    /// Its target.
    pub(crate) target: String,
    /// Its description.
    pub(crate) description: Option<String>,
    /// `update`, `remove` or `copy`.
    pub(crate) kind: &'static str,
    /// The number of nodes that the target selected.
    pub(crate) matched: usize,
    /// Whether the document is another one after the action.
    pub(crate) changed: bool,
    /// Where it stands: `openapi.overlay.yaml:LINE:COLUMN`.
    pub(crate) place: String,
}

impl Applied {
    /// The actions that matched nothing: what they corrected is gone.
    pub(crate) fn stale(&self) -> impl Iterator<Item = &AppliedAction> {
        self.actions.iter().filter(|action| action.matched == 0)
    }

    /// The actions that matched but changed nothing: what they correct is already so.
    pub(crate) fn superfluous(&self) -> impl Iterator<Item = &AppliedAction> {
        self.actions
            .iter()
            .filter(|action| action.matched > 0 && !action.changed)
    }
}

impl Overlay {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        Self::from_document(Document::load(path)?)
    }

    /// Reads bytes of YAML or JSON; `name` is shown in messages.
    #[cfg(test)]
    pub(crate) fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        Self::from_document(Document::parse(name, bytes)?)
    }

    /// Checks the tree's shape and takes the actions out of it.
    fn from_document(document: Document) -> Result<Self> {
        let (version, actions) = read_actions(&document)?;
        Ok(Self {
            document,
            version,
            actions,
        })
    }

    /// SHA-256 in hex of the overlay's text.
    pub(crate) fn sha256(&self) -> &str {
        &self.document.sha256
    }

    /// Applies all actions to `root`, or none of them.
    pub(crate) fn apply(&self, root: &mut Value) -> Result<Applied> {
        let mut working = root.clone();
        let mut actions = Vec::with_capacity(self.actions.len());
        for (index, action) in self.actions.iter().enumerate() {
            let pointer = format!("/actions/{index}");
            let (matched, changed) = self.apply_action(action, &mut working).map_err(|error| {
                anyhow!(
                    "{}: target `{}`: {error}",
                    self.document.at(&pointer),
                    action.target
                )
            })?;
            actions.push(AppliedAction {
                index,
                target: action.target.clone(),
                description: action.description.clone(),
                kind: match action.change {
                    Change::Update(_) => "update",
                    Change::Copy(_) => "copy",
                    Change::Remove => "remove",
                },
                matched,
                changed,
                place: self.document.location(&pointer),
            });
        }
        *root = working;
        Ok(Applied { actions })
    }

    /// Whether most of the actions find something in `root`, whether or not they can be applied to it.
    pub(crate) fn is_for(&self, root: &Value) -> bool {
        let finds = |action: &&Action| {
            select(root, &action.target).is_ok_and(|pointers| !pointers.is_empty())
        };
        2 * self.actions.iter().filter(finds).count() > self.actions.len()
    }

    /// Applies one action; gives the number of matched nodes and whether anything changed.
    fn apply_action(&self, action: &Action, root: &mut Value) -> Result<(usize, bool)> {
        let pointers = select(root, &action.target)?;
        if pointers.is_empty() {
            return Ok((0, false));
        }
        self.check_kinds(root, &pointers, &action.change)?;
        let copied;
        let update = match &action.change {
            Change::Remove => {
                remove(root, &pointers)?;
                return Ok((pointers.len(), true));
            }
            Change::Update(update) => update,
            Change::Copy(source) => {
                copied = copy_source(root, source)?;
                &copied
            }
        };
        let mut changed = false;
        for pointer in &pointers {
            if let Some(node) = root.pointer_mut(pointer) {
                changed |= self.merge(node, update, pointer)?;
            }
        }
        Ok((pointers.len(), changed))
    }

    /// Refuses nodes that the specification doesn't let an action change.
    fn check_kinds(&self, root: &Value, pointers: &[String], change: &Change) -> Result<()> {
        let class = |value: &Value| match value {
            Value::Object(_) => 0,
            Value::Array(_) => 1,
            _ => 2,
        };
        let mut first = None;
        for pointer in pointers {
            let Some(value) = root.pointer(pointer) else {
                continue;
            };
            if self.version == Version::V1_0 && class(value) == 2 {
                bail!(
                    "it selects {} at {pointer}, which overlay 1.0 cannot change; \
                     select the mapping or list that holds it, or write `overlay: 1.1.0`",
                    kind(value)
                );
            }
            let (first_pointer, first_value) = *first.get_or_insert((pointer, value));
            if !matches!(change, Change::Remove) && class(first_value) != class(value) {
                bail!(
                    "it selects nodes of different kinds: {} at {first_pointer}, {} at {pointer}; write an action for each",
                    kind(first_value),
                    kind(value)
                );
            }
        }
        Ok(())
    }

    /// Merges `update` into the selected `node`; says whether that changes it.
    fn merge(&self, node: &mut Value, update: &Value, pointer: &str) -> Result<bool> {
        if let Value::Array(items) = node {
            match update {
                Value::Array(more) if self.version == Version::V1_1 => {
                    items.extend(more.iter().cloned());
                    return Ok(!more.is_empty());
                }
                entry => items.push(entry.clone()),
            }
            return Ok(true);
        }
        let changes = changes(node, update, pointer)?;
        merge_json(node, update);
        Ok(changes)
    }
}

/// The nodes that a JSONPath selects, each once.
fn select(root: &Value, path: &str) -> Result<Vec<String>> {
    let compiled = compile_path(path)
        .map_err(|reason| anyhow!("not a JSONPath of RFC 9535: {reason}; correct it"))?;
    let mut pointers = locate(root, &compiled);
    let mut seen = std::collections::HashSet::new();
    pointers.retain(|pointer| seen.insert(pointer.clone()));
    Ok(pointers)
}

/// The one node that `copy` selects.
fn copy_source(root: &Value, path: &str) -> Result<Value> {
    let pointers = select(root, path)?;
    match pointers.as_slice() {
        [pointer] => root
            .pointer(pointer)
            .cloned()
            .ok_or_else(|| anyhow!("`copy` found nothing at {pointer}")),
        [] => bail!("`copy: {path}` selects nothing; select one node that exists"),
        _ => bail!(
            "`copy: {path}` selects {} nodes; select exactly one",
            pointers.len()
        ),
    }
}

/// Removes nodes, the last ones first, so that the positions of the others in their lists stay right.
fn remove(root: &mut Value, pointers: &[String]) -> Result<()> {
    let mut pointers: Vec<_> = pointers.iter().collect();
    pointers.sort_by(|a, b| compare(b, a));
    for pointer in pointers {
        if !remove_at(root, pointer) {
            bail!("it selects the whole document, which cannot be removed; select what is to go");
        }
    }
    Ok(())
}

/// Compares pointers token by token, list positions as numbers.
fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('/'), b.split('/'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<usize>(), b.parse::<usize>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Whether merging `update` changes `node`; an error if the two don't go together.
fn changes(node: &Value, update: &Value, pointer: &str) -> Result<bool> {
    match (node, update) {
        (Value::Object(entries), Value::Object(update)) => {
            let mut changed = false;
            for (key, update) in update {
                changed |= match entries.get(key) {
                    None => true,
                    Some(entry) => changes(entry, update, &format!("{pointer}/{}", escape(key)))?,
                };
            }
            Ok(changed)
        }
        (Value::Array(_), Value::Array(more)) => Ok(!more.is_empty()),
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => bail!(
            "{} cannot be merged into {} at {}; remove the old value in an action before this one",
            kind(update),
            kind(node),
            if pointer.is_empty() {
                "the top level"
            } else {
                pointer
            }
        ),
        _ => Ok(node != update),
    }
}

/// Reads version and actions.
fn read_actions(document: &Document) -> Result<(Version, Vec<Action>)> {
    let root = document.mapping(&document.root, "")?;
    let version = version(document, root)?;
    document.check_keys(root, "", &["overlay", "info", "extends", "actions"])?;
    check_info(document, root, version)?;
    if let Some(extends) = root.get("extends")
        && !extends.is_string()
    {
        bail!(
            "{}: `extends` is {}, not a text; write a URI reference",
            document.at("/extends"),
            kind(extends)
        );
    }
    let actions = match root.get("actions") {
        Some(Value::Array(actions)) if actions.is_empty() => {
            bail!(
                "{}: the overlay has no actions; add one",
                document.at("/actions")
            )
        }
        Some(Value::Array(actions)) => actions,
        Some(other) => bail!(
            "{}: `actions` is {}, not a list; write each action as a list item",
            document.at("/actions"),
            kind(other)
        ),
        None => bail!("{}: no `actions`; add the list of actions", document.at("")),
    };
    let actions = actions
        .iter()
        .enumerate()
        .map(|(index, value)| action(document, value, index, version));
    Ok((version, actions.collect::<Result<_>>()?))
}

/// Reads the version, which also says whether this is an overlay at all.
fn version(document: &Document, root: &Map<String, Value>) -> Result<Version> {
    let here = document.at("/overlay");
    match root.get("overlay") {
        Some(Value::String(version)) if version.parse::<v1_0::Version>().is_ok() => {
            Ok(Version::V1_0)
        }
        Some(Value::String(version)) if version.parse::<v1_1::Version>().is_ok() => {
            Ok(Version::V1_1)
        }
        Some(Value::String(version)) => bail!(
            "{here}: overlay version `{version}` is not supported; write an overlay of version 1.0.0 or 1.1.0"
        ),
        Some(other) => bail!(
            "{here}: the overlay version is {}, not a text; write the full version, such as 1.1.0",
            kind(other)
        ),
        None if root.contains_key("openapi") => bail!(
            "{}: an OpenAPI document, not an overlay; give the overlay's file",
            document.at("/openapi")
        ),
        None => bail!(
            "{}: not an overlay: no `overlay` key; check that it is the right file",
            document.at("")
        ),
    }
}

/// Checks title and version of the overlay itself.
fn check_info(document: &Document, root: &Map<String, Value>, version: Version) -> Result<()> {
    let Some(value) = root.get("info") else {
        bail!(
            "{}: no `info`; add `info` with title and version",
            document.at("")
        );
    };
    let info = document.mapping(value, "/info")?;
    match version {
        Version::V1_0 => document.check_keys(info, "/info", &["title", "version"])?,
        Version::V1_1 => {
            document.check_keys(info, "/info", &["title", "version", "description"])?
        }
    }
    serde_json::from_value::<v1_1::Info>(value.clone()).map_err(|error| {
        anyhow!(
            "{}: `info` is not as it must be: {error}; correct it",
            document.at("/info")
        )
    })?;
    Ok(())
}

/// Reads one action.
fn action(document: &Document, value: &Value, index: usize, version: Version) -> Result<Action> {
    let pointer = format!("/actions/{index}");
    let at = |key: &str| document.at(&format!("{pointer}/{key}"));
    let here = document.at(&pointer);
    let map = document.mapping(value, &pointer)?;
    match version {
        Version::V1_0 if map.contains_key("copy") => bail!(
            "{}: `copy` needs `overlay: 1.1.0`; change the version or write an `update`",
            at("copy")
        ),
        Version::V1_0 => document.check_keys(
            map,
            &pointer,
            &["target", "description", "update", "remove"],
        )?,
        Version::V1_1 => document.check_keys(
            map,
            &pointer,
            &["target", "description", "update", "remove", "copy"],
        )?,
    }
    let model = serde_json::from_value::<v1_1::Action>(value.clone())
        .map_err(|error| anyhow!("{here}: the action is not as it must be: {error}; correct it"))?;
    for (key, path) in [
        ("target", Some(&model.target)),
        ("copy", model.copy.as_ref()),
    ] {
        if let Some(Err(reason)) = path.map(|path| compile_path(path)) {
            let path = path.map_or("", String::as_str);
            bail!(
                "{}: `{path}` is not a JSONPath of RFC 9535: {reason}; correct it",
                at(key)
            );
        }
    }
    // Taken from the tree, because the model can't tell `update: null` from none.
    let update = map.get("update").cloned();
    let change = match (update, model.copy, model.remove) {
        (None, None, Some(true)) => Change::Remove,
        (Some(update), None, None | Some(false)) => Change::Update(update),
        (None, Some(copy), None | Some(false)) => Change::Copy(copy),
        (None, None, _) => bail!(
            "{here}: the action does nothing; give it one of {}",
            one_of(version)
        ),
        _ => bail!(
            "{here}: the action has more than one of {}; write an action for each",
            one_of(version)
        ),
    };
    Ok(Action {
        target: model.target,
        description: model.description,
        change,
    })
}

/// What an action can do, in words.
fn one_of(version: Version) -> &'static str {
    match version {
        Version::V1_0 => "`update` and `remove: true`",
        Version::V1_1 => "`update`, `copy` and `remove: true`",
    }
}
