//! Tests of the checks of a whole document.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

/// A document with `components` and `paths` in flow style, each on a line of its own.
fn document(paths: &str, components: &str) -> Document {
    let text = format!(
        "openapi: 3.1.0\ninfo: {{title: a, version: b}}\npaths:\n{paths}\ncomponents:\n{components}\n"
    );
    let document = Document::parse("api.yaml", text.as_bytes()).unwrap();
    document.check_header().unwrap();
    document
}

/// The report on such a document; empty if it is in order.
fn report(paths: &str, components: &str) -> String {
    let document = document(paths, components);
    check_references(&document, &document.root)
        .map_or_else(|error| error.to_string(), |()| String::new())
}

/// Paths and components without a fault.
const IN_ORDER: &[(&str, &str)] = &[
    // Schemas that contain themselves.
    (
        "  {}",
        "  schemas:\n    A: {properties: {a: {$ref: '#/components/schemas/A'}, b: {items: {$ref: '#/components/schemas/A'}}}}",
    ),
    (
        "  {}",
        "  schemas:\n    A: {allOf: [{$ref: '#/components/schemas/B'}], properties: {a: {$ref: '#/components/schemas/A'}}}\n    B: {oneOf: [{$ref: '#/components/schemas/A'}]}",
    ),
    // The same part included twice is no cycle.
    (
        "  {}",
        "  schemas:\n    A: {allOf: [{$ref: '#/components/schemas/B'}, {$ref: '#/components/schemas/B'}]}\n    B: {}",
    ),
    // Data isn't a reference.
    (
        "  {}",
        "  schemas:\n    A: {example: {$ref: x}, examples: [{$ref: x}], default: {$ref: x}, enum: [{$ref: x}], const: {$ref: x}, x-a: {$ref: x}}",
    ),
    (
        "  {}",
        "  schemas:\n    A: {properties: {$ref: {type: string}, default: {type: string}, x-a: {type: string}}}",
    ),
    (
        "  {}",
        "  examples:\n    A: {$ref: x, value: {$ref: y}}\n  x-b: {$ref: x}",
    ),
    (
        "  /a: {get: {responses: {200: {links: {x: {operationId: one, parameters: {a: {$ref: x}}}}}}}}",
        "  {}",
    ),
    ("  /a: {get: {responses: {x-a: {$ref: x}}}}", "  {}"),
    // Escapes, the whole document, anchors, names of schemas in a mapping.
    (
        "  {}",
        "  schemas:\n    a/b~c d: {}\n    B: {$ref: '#/components/schemas/a~1b~0c%20d'}",
    ),
    (
        "  {}",
        "  schemas:\n    A: {properties: {a: {$ref: '#'}, b: {$ref: '#here'}}}\n    B: {$anchor: here, discriminator: {propertyName: x, mapping: {y: A}}}",
    ),
    // The same template with other names, other methods.
    (
        "  /a/{x}: {get: {parameters: [{name: x, in: path}]}}\n  /a/{y}: {get: {parameters: [{name: y, in: path}]}}",
        "  {}",
    ),
    // Parameters of the path, through references and twice referred.
    (
        "  /a/{x}/{y}:\n    parameters: [{$ref: '#/components/parameters/X'}]\n    get: {parameters: [{name: y, in: path}, {name: q, in: query}]}",
        "  parameters:\n    X: {$ref: '#/components/parameters/Z'}\n    Z: {name: x, in: path}",
    ),
    (
        "  /a/{x}: {$ref: '#/components/pathItems/P'}",
        "  pathItems:\n    P: {get: {parameters: [{name: x, in: path}]}}",
    ),
    (
        "  /a/{x}.{y}: {parameters: [{name: x, in: path}, {name: y, in: path}], get: {}}\n  'x-{y}': {get: {$ref: x}}",
        "  {}",
    ),
];

#[test]
fn what_is_in_order_passes() {
    for (paths, components) in IN_ORDER {
        assert_eq!(report(paths, components), "", "{paths}\n{components}");
    }
}

#[test]
fn all_dangling_references_are_listed_at_once() {
    let mut paths = String::new();
    for i in 0..5 {
        paths += &format!(
            "  /a{i}: {{get: {{responses: {{default: {{$ref: '#/components/responses/None'}}}}}}}}\n"
        );
    }
    let schemas = "  schemas:\n    A: {$ref: '#/components/schemas/Gone'}\n    B: {discriminator: {mapping: {b: '#/components/schemas/Lost'}}}\n    C: {not: {$ref: '#nowhere'}}";
    let expected = "\
References that lead nowhere:
  #/components/responses/None: 5 uses
    api.yaml:4:37 (/paths/~1a0/get/responses/default/$ref)
    api.yaml:5:37 (/paths/~1a1/get/responses/default/$ref)
    api.yaml:6:37 (/paths/~1a2/get/responses/default/$ref)
    and 2 more
  #/components/schemas/Gone: 1 use
    api.yaml:12:9 (/components/schemas/A/$ref)
  #/components/schemas/Lost: 1 use
    api.yaml:13:35 (/components/schemas/B/discriminator/mapping/b)
  #nowhere: 1 use
    api.yaml:14:15 (/components/schemas/C/not/$ref)
Define each target in an overlay action, or mend the references in the document.";
    assert_eq!(report(&paths, schemas), expected);
}

#[test]
fn references_are_followed_wherever_they_can_stand() {
    let dangling = "{$ref: '#/none'}";
    let schemas = [
        "items: R",
        "not: R",
        "prefixItems: [R]",
        "anyOf: [{}, R]",
        "additionalProperties: R",
        "properties: {x-a: R}",
        "properties: {default: R}",
        "patternProperties: {a: R}",
        "$defs: {enum: R}",
        "dependentSchemas: {a: R}",
        "if: R",
        "propertyNames: R",
        "properties: {properties: {properties: {a: R}}}",
    ];
    let operations = [
        "parameters: [R]",
        "parameters: [{name: q, in: query, schema: R}]",
        "requestBody: R",
        "requestBody: {content: {a/b: {schema: R}}}",
        "responses: {default: R}",
        "responses: {200: {headers: {x-a: R}}}",
        "responses: {200: {links: {a: R}}}",
        "callbacks: {a: R}",
        "callbacks: {a: {'{$request.body}': {post: {requestBody: R}}}}",
        "requestBody: {content: {a/b: {encoding: {a: {headers: {b: R}}}}}}",
    ];
    let schemas = schemas.map(|schema| {
        (
            "  {}".to_owned(),
            format!("  schemas:\n    A: {{{}}}", schema.replace('R', dangling)),
        )
    });
    let operations = operations.map(|operation| {
        (
            format!("  /a: {{get: {{{}}}}}", operation.replace('R', dangling)),
            "  {}".to_owned(),
        )
    });
    for (paths, components) in schemas.into_iter().chain(operations) {
        let found = report(&paths, &components);
        assert!(
            found.contains("#/none: 1 use\n"),
            "{paths}\n{components}\n{found}"
        );
    }
}

/// Paths, components and what the report says.
const FAULTS: &[(&str, &str, &[&str])] = &[
    (
        "  {}",
        "  schemas:\n    A: {$ref: 'b.yaml#/B'}\n    B: {items: {$ref: 'https://x.example/s.json'}}\n    C: {$ref: B}\n    D: {$ref: [1]}",
        &[
            "References outside of the document:\n  b.yaml#/B: 1 use\n    api.yaml:7:9 (/components/schemas/A/$ref)\n  https://x.example/s.json: 1 use\n",
            "\n  B: 1 use\n",
            "External references are not supported: bundle",
            "`$ref` must be a text:\n    api.yaml:10:9 (/components/schemas/D/$ref)\nWrite it as",
        ],
    ),
    (
        "  /a: {get: {operationId: x}, put: {operationId: y}}\n  /b: {get: {operationId: x}}",
        "  {}",
        &[
            "Operation ids that occur more than once:\n  x\n    api.yaml:4:14 (/paths/~1a/get/operationId)\n    api.yaml:5:14 (/paths/~1b/get/operationId)\nGive each",
        ],
    ),
    (
        "  {}",
        "  schemas:\n    A: {allOf: [{$ref: '#/components/schemas/B'}]}\n    B: {allOf: [{}, {allOf: [{$ref: '#/components/schemas/A'}]}]}",
        &[
            "Schemas that include themselves",
            "  api.yaml:7:5 (/components/schemas/A): /components/schemas/A -> /components/schemas/B -> /components/schemas/A\n",
            "remove one of the references",
        ],
    ),
    (
        "  {}",
        "  schemas:\n    A: {$ref: '#/components/schemas/B'}\n    B: {$ref: '#/components/schemas/A'}\n    C: {$ref: '#/components/schemas/A'}",
        &["/components/schemas/A -> /components/schemas/B -> /components/schemas/A\n"],
    ),
    (
        "  {}",
        "  schemas:\n    A: {$ref: '#/components/schemas/A'}",
        &["api.yaml:7:5 (/components/schemas/A): /components/schemas/A -> /components/schemas/A\n"],
    ),
    (
        "  {}",
        "  schemas:\n    A: {$anchor: a, allOf: [{$ref: '#a'}]}",
        &["/components/schemas/A -> /components/schemas/A\n"],
    ),
    (
        "  /a/{x}: {get: {parameters: [{name: y, in: path}]}}",
        "  {}",
        &[
            "Path parameters that do not agree with their path:",
            "api.yaml:4:31 (/paths/~1a~1{x}/get/parameters/0): parameter `y` is declared in the path, but `/a/{x}` has no `{y}`",
            "api.yaml:4:12 (/paths/~1a~1{x}/get): `/a/{x}` has `{x}`, but no path parameter `x` is declared",
            "Add, rename or remove them",
        ],
    ),
    (
        "  /a: {parameters: [{$ref: '#/components/parameters/X'}]}",
        "  parameters:\n    X: {name: x, in: path}",
        &[
            "api.yaml:4:21 (/paths/~1a/parameters/0): parameter `x` is declared in the path, but `/a` has no `{x}`",
        ],
    ),
    (
        "  /a/{x}: {get: {parameters: [{name: x, in: query}]}}",
        "  {}",
        &["no path parameter `x` is declared"],
    ),
    (
        "  /a/{x: {}",
        "  {}",
        &["api.yaml:4:3 (/paths/~1a~1{x): unbalanced or empty braces in the path `/a/{x`"],
    ),
    (
        "  /a/{x}/{x}: {}",
        "  {}",
        &["`{x}` occurs twice in the path"],
    ),
];

#[test]
fn other_faults_are_named_with_place_and_remedy() {
    for (paths, components, parts) in FAULTS {
        let found = report(paths, components);
        for part in *parts {
            assert!(found.contains(part), "{found}\nlacks\n{part}");
        }
    }
}

#[test]
fn an_unresolved_parameter_is_reported_once() {
    let found = report(
        "  /a/{x}: {get: {parameters: [{$ref: '#/components/parameters/X'}]}}",
        "  {}",
    );
    assert!(
        found.starts_with("References that lead nowhere:") && !found.contains("agree"),
        "{found}"
    );
}

#[test]
fn the_overlaid_value_is_checked_with_the_places_of_the_document() {
    let document = document(
        "  {}",
        "  schemas:\n    A: {$ref: '#/components/schemas/B'}",
    );
    let mut root = document.root.clone();
    root["components"]["schemas"]["B"] = json!({"type": "string"});
    check_references(&document, &root).unwrap();
    root["components"]["schemas"]["C"] = json!({"items": {"$ref": "#/components/schemas/D"}});
    let error = check_references(&document, &root).unwrap_err().to_string();
    assert!(
        error.contains("api.yaml:6:3 (/components/schemas/C/items/$ref)"),
        "{error}"
    );
}

#[test]
fn long_chains_end_soon() {
    let schemas = |target: fn(usize) -> usize| {
        let lines = (0..20_000).map(|i| {
            format!(
                "    A{i}: {{allOf: [{{$ref: '#/components/schemas/A{}'}}]}}\n",
                target(i)
            )
        });
        format!("  schemas:\n{}", lines.collect::<String>())
    };
    let start = Instant::now();
    assert!(
        report("  {}", &schemas(|i| (i + 1) % 20_000)).contains("more) -> /components/schemas/A0")
    );
    assert!(
        report("  {}", &schemas(|i| i / 2))
            .contains("/components/schemas/A0 -> /components/schemas/A0")
    );
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn the_vendored_document_is_in_order_but_for_one_target() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let document = Document::load(&path).unwrap();
    let mut root = document.root.clone();
    root["components"]["schemas"]["FlatErrorResponse"] = json!({"type": "object"});
    check_references(&document, &root).unwrap();
}
