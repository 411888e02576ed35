//! Checks of a whole document: references, operation ids, inclusion cycles and path parameters.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::{Document, parameters, walk};

/// How many uses of one target are shown.
const USES_SHOWN: usize = 3;
/// How many cycles are shown, and how many schemas of each.
const CYCLES_SHOWN: usize = 20;

/// Checks `root`, which is `document` after the overlay. Reports everything that it finds at once; places are the document's.
pub(crate) fn check_references(document: &Document, root: &Value) -> Result<()> {
    let mut found = Found::default();
    walk::visit(root, &mut |pointer, map| found.take(pointer, map));
    let mut problems = Vec::new();
    malformed(document, &found, &mut problems);
    foreign(document, &found, &mut problems);
    dangling(document, root, &found, &mut problems);
    repeated_ids(document, &found, &mut problems);
    cycles(document, root, &found, &mut problems);
    parameters::check(document, root, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    bail!(problems.join("\n\n"));
}

/// Checks what a comparison with another edition relies on. A reference that leads nowhere is not refused: an overlay may
/// mend it, and its coming or going is a change.
pub(crate) fn check_comparable(document: &Document) -> Result<()> {
    let mut found = Found::default();
    walk::visit(&document.root, &mut |pointer, map| found.take(pointer, map));
    let mut problems = Vec::new();
    malformed(document, &found, &mut problems);
    foreign(document, &found, &mut problems);
    repeated_ids(document, &found, &mut problems);
    cycles(document, &document.root, &found, &mut problems);
    if problems.is_empty() {
        return Ok(());
    }
    bail!(problems.join("\n\n"));
}

/// What the walk collects.
#[derive(Default)]
struct Found {
    /// References by target: pointers to the `$ref` entries.
    references: BTreeMap<String, Vec<String>>,
    /// `$ref` entries that aren't text.
    malformed: Vec<String>,
    /// Explicit operation ids: pointers to the `operationId` entries.
    operation_ids: BTreeMap<String, Vec<String>>,
    /// Anchors: pointers to the mappings that have them.
    anchors: HashMap<String, String>,
    /// What each mapping includes: references' targets as written (`#...`) and pointers to `allOf` items (`/...`).
    inclusions: BTreeMap<String, Vec<String>>,
}

impl Found {
    /// Looks at one mapping of keywords.
    fn take(&mut self, pointer: &str, map: &Map<String, Value>) {
        match map.get("$ref") {
            Some(Value::String(target)) => {
                self.reference(target, format!("{pointer}/$ref"));
                if target.starts_with('#') {
                    self.include(pointer, target.clone());
                }
            }
            Some(_) => self.malformed.push(format!("{pointer}/$ref")),
            None => {}
        }
        if let Some(Value::Array(parts)) = map.get("allOf") {
            for index in 0..parts.len() {
                self.include(pointer, format!("{pointer}/allOf/{index}"));
            }
        }
        if let Some(Value::String(anchor)) = map.get("$anchor") {
            self.anchors
                .entry(anchor.clone())
                .or_insert_with(|| pointer.to_owned());
        }
        if let Some(Value::String(id)) = map.get("operationId") {
            let ids = self.operation_ids.entry(id.clone()).or_default();
            ids.push(format!("{pointer}/operationId"));
        }
        let mapping = map
            .get("discriminator")
            .and_then(|discriminator| discriminator.get("mapping"));
        for (name, target) in mapping.and_then(Value::as_object).into_iter().flatten() {
            // Other values are names of schemas.
            if let Some(target) = target.as_str().filter(|target| target.starts_with('#')) {
                let place = format!("{pointer}/discriminator/mapping/{}", walk::escape(name));
                self.reference(target, place);
            }
        }
    }

    /// Adds a reference.
    fn reference(&mut self, target: &str, place: String) {
        self.references
            .entry(target.to_owned())
            .or_default()
            .push(place);
    }

    /// Adds an inclusion.
    fn include(&mut self, pointer: &str, target: String) {
        self.inclusions
            .entry(pointer.to_owned())
            .or_default()
            .push(target);
    }

    /// The pointer that a local reference stands for.
    fn pointer(&self, target: &str) -> Option<String> {
        let pointer = walk::local_pointer(target)?;
        if pointer.is_empty() || pointer.starts_with('/') {
            Some(pointer.into_owned())
        } else {
            self.anchors.get(&*pointer).cloned()
        }
    }
}

/// Reports `$ref` entries that aren't text.
fn malformed(document: &Document, found: &Found, problems: &mut Vec<String>) {
    if found.malformed.is_empty() {
        return;
    }
    let mut text = String::from("`$ref` must be a text:");
    list_uses(document, &found.malformed, &mut text);
    text.push_str("\nWrite it as '#/components/...'.");
    problems.push(text);
}

/// Reports references into other files.
fn foreign(document: &Document, found: &Found, problems: &mut Vec<String>) {
    let targets = found
        .references
        .iter()
        .filter(|(target, _)| !target.starts_with('#'));
    list_targets(
        document,
        targets,
        "outside of the document",
        "External references are not supported: bundle the document into one file first.",
        problems,
    );
}

/// Reports references that lead nowhere.
fn dangling(document: &Document, root: &Value, found: &Found, problems: &mut Vec<String>) {
    let leads_nowhere = |target: &str| {
        found
            .pointer(target)
            .is_none_or(|pointer| root.pointer(&pointer).is_none())
    };
    let targets = found
        .references
        .iter()
        .filter(|(target, _)| target.starts_with('#') && leads_nowhere(target));
    list_targets(
        document,
        targets,
        "that lead nowhere",
        "Define each target in an overlay action, or mend the references in the document.",
        problems,
    );
}

/// Adds a problem that lists targets, in the order of their first use.
fn list_targets<'a>(
    document: &Document,
    targets: impl Iterator<Item = (&'a String, &'a Vec<String>)>,
    what: &str,
    remedy: &str,
    problems: &mut Vec<String>,
) {
    let mut targets: Vec<_> = targets.collect();
    if targets.is_empty() {
        return;
    }
    targets.sort_by_cached_key(|(_, uses)| {
        uses.iter()
            .filter_map(|pointer| document.place(pointer))
            .min()
    });
    let mut text = format!("References {what}:");
    for (target, uses) in targets {
        let plural = if uses.len() == 1 { "" } else { "s" };
        // Writing to a string can't fail.
        let _ = write!(text, "\n  {target}: {} use{plural}", uses.len());
        list_uses(document, uses, &mut text);
    }
    text.push('\n');
    text.push_str(remedy);
    problems.push(text);
}

/// Lists the first few of `pointers` in the order of the document.
fn list_uses(document: &Document, pointers: &[String], text: &mut String) {
    let mut pointers: Vec<_> = pointers.iter().collect();
    pointers.sort_by_cached_key(|pointer| document.place(pointer));
    for pointer in pointers.iter().take(USES_SHOWN) {
        let _ = write!(text, "\n    {}", document.at(pointer));
    }
    if pointers.len() > USES_SHOWN {
        let _ = write!(text, "\n    and {} more", pointers.len() - USES_SHOWN);
    }
}

/// Reports explicit operation ids that occur more than once.
fn repeated_ids(document: &Document, found: &Found, problems: &mut Vec<String>) {
    let mut text = String::new();
    for (id, pointers) in found
        .operation_ids
        .iter()
        .filter(|(_, pointers)| pointers.len() > 1)
    {
        let mut places: Vec<_> = pointers.iter().collect();
        places.sort_by_cached_key(|pointer| document.place(pointer));
        let _ = write!(text, "\n  {id}");
        for pointer in places {
            let _ = write!(text, "\n    {}", document.at(pointer));
        }
    }
    if !text.is_empty() {
        problems.push(format!(
            "Operation ids that occur more than once:{text}\nGive each operation an id of its own in an overlay action."
        ));
    }
}

/// Reports schemas that include themselves, and references that lead only to each other.
fn cycles(document: &Document, root: &Value, found: &Found, problems: &mut Vec<String>) {
    let mut edges: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (from, targets) in &found.inclusions {
        let pointers = targets
            .iter()
            .filter_map(|target| match target.strip_prefix('/') {
                Some(_) => Some(target.clone()),
                None => found
                    .pointer(target)
                    .filter(|pointer| root.pointer(pointer).is_some()),
            });
        edges.insert(
            from.clone(),
            pointers.map(|pointer| canonical(&pointer)).collect(),
        );
    }
    let cycles = find_cycles(&edges);
    if cycles.is_empty() {
        return;
    }
    let mut text = String::from(
        "Schemas that include themselves, through `allOf` or through references alone:",
    );
    for cycle in cycles.iter().take(CYCLES_SHOWN) {
        // `/components/schemas/A/allOf/0` says no more than the schema that it is part of.
        let is_part = |pointer: &&&str| pointer.rsplit('/').nth(1) == Some("allOf");
        let mut names: Vec<_> = cycle
            .iter()
            .filter(|pointer| !is_part(pointer))
            .copied()
            .collect();
        if names.is_empty() {
            names.clone_from(cycle);
        }
        let first = names.first().copied().unwrap_or_default();
        let hidden = names.len().saturating_sub(CYCLES_SHOWN);
        names.truncate(CYCLES_SHOWN);
        let chain = names.join(" -> ");
        let gap = if hidden > 0 {
            format!(" -> ({hidden} more)")
        } else {
            String::new()
        };
        let _ = write!(text, "\n  {}: {chain}{gap} -> {first}", document.at(first));
    }
    if cycles.len() > CYCLES_SHOWN {
        text.push_str("\n  and more");
    }
    text.push_str("\nNo value can be described so: remove one of the references in an overlay action, or mend the document.");
    problems.push(text);
}

/// One spelling for each pointer: `/a~0b` and the like as [`walk::escape`] writes them.
fn canonical(pointer: &str) -> String {
    let tokens = pointer
        .split('/')
        .map(|token| walk::escape(&walk::unescape(token)));
    tokens.collect::<Vec<_>>().join("/")
}

/// Finds a cycle through each edge that leads back, depth first and without recursion, since chains can be long.
fn find_cycles(edges: &BTreeMap<String, Vec<String>>) -> Vec<Vec<&str>> {
    let mut cycles = Vec::new();
    let mut done: HashSet<&str> = HashSet::new();
    for start in edges.keys() {
        // The nodes on the way from `start`, each with the number of edges that were followed, and their positions.
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        let mut positions: HashMap<&str, usize> = HashMap::from([(start.as_str(), 0)]);
        while let Some((node, followed)) = way.last_mut() {
            let next = edges.get(*node).and_then(|targets| targets.get(*followed));
            *followed += 1;
            let Some(next) = next else {
                done.insert(node);
                positions.remove(node);
                way.pop();
                continue;
            };
            if done.contains(next.as_str()) {
                continue;
            }
            if let Some(&position) = positions.get(next.as_str()) {
                let cycle = way.iter().skip(position).map(|(node, _)| *node);
                // A hostile document could have very many; one more than is shown suffices.
                if cycles.len() <= CYCLES_SHOWN {
                    cycles.push(cycle.collect());
                }
            } else {
                positions.insert(next, way.len());
                way.push((next, 0));
            }
        }
    }
    cycles
}
