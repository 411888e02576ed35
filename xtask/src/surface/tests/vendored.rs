//! The vendored document against an edited copy of itself.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Told, assert_sound, lines};
use crate::codegen::{self, Options};
use crate::surface::{Edition, Kind, verify};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn edition(options: &Options) -> (Value, Edition) {
    let run = codegen::run(&workspace(), options).unwrap();
    let edition = Edition::of(&run.lowered, &run.output).unwrap();
    (run.document.root, edition)
}

static VENDORED: LazyLock<(Value, Edition)> = LazyLock::new(|| edition(&Options::default()));

const STATUS: &str = "/components/schemas/BatchSessionItemSchema/properties/status/enum";
const INDEX: &str = "/components/schemas/BatchSessionItemSchema/properties/item_index/type";

/// The copy.
fn edited() -> Edition {
    let text = VENDORED.0.to_string();
    let text = text.replace(
        "#/components/schemas/ClipboardRequestSchema",
        "#/components/schemas/ClipboardText",
    );
    let mut root: Value = serde_json::from_str(&text).unwrap();
    let schemas = root.pointer_mut("/components/schemas").unwrap();
    schemas["SessionConfig"]["properties"]["color"] = json!({ "type": "string", "enum": ["red"] });
    schemas["CopyResponseSchema"]["properties"] = json!({});
    schemas["ClipboardText"] = schemas["ClipboardRequestSchema"].take();
    schemas
        .as_object_mut()
        .unwrap()
        .remove("ClipboardRequestSchema");
    *root.pointer_mut(STATUS).unwrap() =
        json!(["pending", "processing", "completed", "failed", "paused"]);
    *root.pointer_mut(INDEX).unwrap() = json!("string");
    let paths = root["paths"].as_object_mut().unwrap();
    paths["/v1/sessions/history"]["get"]["parameters"][0]["name"] = json!("since");
    paths.remove("/v1/sessions/{sessionId}/paste").unwrap();
    let profiles = paths.remove("/v1/profiles/{name}").unwrap();
    paths.insert("/v2/profiles/{name}".to_owned(), profiles);
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    std::fs::write(&document, root.to_string()).unwrap();
    let (_, edition) = edition(&Options {
        document: Some(document),
        ..Options::default()
    });
    edition
}

/// What a comparison of the documents finds.
fn causes() -> Vec<Told> {
    let schema = |rest: &str| format!("/components/schemas/{rest}");
    let profile =
        |version: &str, rest: &str| format!("/paths/~1{version}~1profiles~1{{name}}/{rest}");
    let since = "/paths/~1v1~1sessions~1history/get/parameters/0";
    let told = |rule: &str, old: String, new: String| Told(rule.to_owned(), old, new);
    vec![
        told(
            "optional-property-added",
            schema("SessionConfig"),
            schema("SessionConfig/properties/color"),
        ),
        told(
            "optional-property-removed",
            schema("CopyResponseSchema/properties/text"),
            schema("CopyResponseSchema"),
        ),
        told(
            "schema-renamed",
            schema("ClipboardRequestSchema"),
            schema("ClipboardText"),
        ),
        told("enum-value-removed", STATUS.to_owned(), STATUS.to_owned()),
        told("enum-value-added", STATUS.to_owned(), STATUS.to_owned()),
        told("parameter-renamed", since.to_owned(), since.to_owned()),
        told(
            "operation-removed",
            "/paths/~1v1~1sessions~1{sessionId}~1paste/post".to_owned(),
            "/paths".to_owned(),
        ),
        told(
            "operation-moved",
            profile("v1", "get"),
            profile("v2", "get"),
        ),
        told(
            "operation-moved",
            profile("v1", "delete"),
            profile("v2", "delete"),
        ),
        told("type-changed", INDEX.to_owned(), INDEX.to_owned()),
    ]
}

#[test]
fn each_item_has_an_origin() {
    let edition = &VENDORED.1;
    for (path, item) in &edition.surface.items {
        // These follow from what they are part of.
        let implied = matches!(item.kind, Kind::New | Kind::From | Kind::Constant)
            || path.ends_with("::Unknown");
        assert!(implied || edition.origins.pointer(path).is_some(), "{path}");
    }
    for path in edition.origins.all() {
        assert!(edition.surface.items.contains_key(path), "{path}");
    }
    // All but what the overlay adds.
    let all: Vec<_> = edition
        .origins
        .all()
        .filter_map(|path| edition.origins.pointer(path))
        .collect();
    let lacking = all
        .iter()
        .filter(|at| VENDORED.0.pointer(at).is_none())
        .count();
    assert!(lacking * 50 < all.len(), "{lacking} of {}", all.len());
    // The overlay takes parameters away, but places are those of the published document.
    let metrics = edition
        .origins
        .pointer("builder::GetSessionsHistory::metrics")
        .unwrap();
    assert_eq!(VENDORED.0.pointer(metrics).unwrap()["name"], "metrics");
}

#[test]
fn an_edited_copy_is_explained() {
    let (new, causes) = (edited(), causes());
    let verified = verify(&causes, &VENDORED.1, &new);
    assert_sound(&verified, "edited copy");
    assert_eq!(
        lines(&verified),
        [
            "breaking > Client::delete_profile = Client::delete_v2_profiles_by_name",
            "breaking > Client::get_profile = Client::get_v2_profiles_by_name",
            "breaking - Client::paste",
            "breaking ~ builder::Copy::send",
            "breaking > builder::DeleteProfile = builder::DeleteV2ProfilesByName",
            "breaking > builder::GetSessionsHistory::from_date = builder::GetSessionsHistory::since",
            "breaking > builder::GetProfile = builder::GetV2ProfilesByName",
            "breaking - builder::Paste",
            "compatible ~ operations::copy",
            "breaking > operations::delete_profile = operations::delete_v2_profiles_by_name",
            "breaking > operations::get_profile = operations::get_v2_profiles_by_name",
            "breaking - operations::paste",
            "breaking ~ types::BatchSessionItemSchema::item_index",
            // The overlay gives several enums one name, and another one still lists `cancelled`.
            "compatible + types::BatchStatus::Paused",
            "breaking > types::ClipboardRequestSchema = types::ClipboardText",
            "breaking - types::CopyResponseSchema",
            "breaking - types::PasteRequestSchema",
            "breaking - types::PasteResponse",
            "breaking + types::SessionConfig::color",
            "compatible + types::SessionConfigColor",
        ]
    );
    assert!(verified.notation.is_empty());
    assert_eq!(verified, verify(&causes, &VENDORED.1, &new));
    // What nothing explains is reported.
    let mut causes = causes;
    causes.retain(|Told(rule, ..)| rule != "type-changed");
    let verified = verify(&causes, &VENDORED.1, &new);
    let paths: Vec<_> = verified
        .unexplained
        .iter()
        .map(|index| verified.changes[*index].path())
        .collect();
    assert_eq!(paths, ["types::BatchSessionItemSchema::item_index"]);
}
