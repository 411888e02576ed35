//! Whether a document is one that this workspace can read at all.

use anyhow::{Result, bail};
use serde_json::Value;

use super::{Document, kind};

impl Document {
    /// Checks version, `info` and `paths`.
    pub(crate) fn check_header(&self) -> Result<()> {
        self.check_version()?;
        let info = match self.root.get("info") {
            Some(Value::Object(info)) => info,
            Some(other) => bail!(
                "{}: `info` is {}, not a mapping; write its title and version below it",
                self.at("/info"),
                kind(other)
            ),
            None => bail!(
                "{}: no `info`; add `info` with title and version",
                self.at("")
            ),
        };
        for key in ["title", "version"] {
            match info.get(key) {
                Some(Value::String(_)) => {}
                Some(other) => bail!(
                    "{}: `info.{key}` is {}, not a text; put it in quotes",
                    self.at(&format!("/info/{key}")),
                    kind(other)
                ),
                None => bail!("{}: no `info.{key}`; add it", self.at("/info")),
            }
        }
        match self.root.get("paths") {
            Some(Value::Object(_)) => Ok(()),
            Some(other) => bail!(
                "{}: `paths` is {}, not a mapping; write the paths below it",
                self.at("/paths"),
                kind(other)
            ),
            None if self.root.get("webhooks").is_some()
                || self.root.get("components").is_some() =>
            {
                bail!(
                    "{}: no `paths`: a valid document, but without operations there is no client to generate; give the document that has them",
                    self.at("")
                )
            }
            None => bail!(
                "{}: no `paths`; add the operations, or check that the file is complete",
                self.at("")
            ),
        }
    }

    /// Checks that it is OpenAPI 3.0 or 3.1.
    fn check_version(&self) -> Result<()> {
        if self.root.get("swagger").is_some() {
            bail!(
                "{}: a Swagger 2.0 document; convert it to OpenAPI 3.1 first",
                self.at("/swagger")
            );
        }
        let here = self.at("/openapi");
        match self.root.get("openapi") {
            None if self.root.get("overlay").is_some() => {
                bail!(
                    "{}: an overlay, not an OpenAPI document; give the document that it corrects",
                    self.at("/overlay")
                )
            }
            None => bail!(
                "{}: not an OpenAPI document: no `openapi` key; check that it is the right file",
                self.at("")
            ),
            Some(Value::Number(number)) => {
                bail!(
                    "{here}: the OpenAPI version is the number {number}, not a text; write the full version in quotes, such as '3.1.0'"
                )
            }
            Some(Value::String(version)) if is_supported(version) => Ok(()),
            Some(Value::String(version)) if version == "3.0" || version == "3.1" => {
                bail!(
                    "{here}: incomplete OpenAPI version `{version}`; write the full version, such as '{version}.0'"
                )
            }
            Some(Value::String(version)) => {
                bail!(
                    "{here}: OpenAPI version `{version}` is not supported; convert the document to 3.0.x or 3.1.x"
                )
            }
            Some(other) => bail!(
                "{here}: the OpenAPI version is {}, not a text; write it as '3.1.0'",
                kind(other)
            ),
        }
    }
}

/// Whether `version` is 3.0.x or 3.1.x.
fn is_supported(version: &str) -> bool {
    let patch = version
        .strip_prefix("3.0.")
        .or_else(|| version.strip_prefix("3.1."));
    patch.is_some_and(|patch| {
        let digits = patch.split_once('-').map_or(patch, |(digits, _)| digits);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document in `text`.
    fn parse(text: &str) -> Document {
        Document::parse("api.yaml", text.as_bytes()).unwrap()
    }

    /// The version, what follows `info` and what the message says, if there is one.
    const VERSIONS: &[(&str, &str, &str)] = &[
        ("openapi: 3.1.0\n", "paths: {}", ""),
        ("openapi: 3.0.3\n", "paths: {}", ""),
        ("openapi: 3.1.1-rc1\n", "paths: {}", ""),
        (
            "swagger: '2.0'\n",
            "paths: {}",
            "api.yaml:1:1 (/swagger): a Swagger 2.0 document; convert it",
        ),
        (
            "openapi: 3.1\n",
            "",
            "(/openapi): the OpenAPI version is the number 3.1, not a text; write the full version in quotes",
        ),
        (
            "openapi: '3.1'\n",
            "",
            "incomplete OpenAPI version `3.1`; write the full version, such as '3.1.0'",
        ),
        (
            "openapi: 3.2.0\n",
            "",
            "OpenAPI version `3.2.0` is not supported; convert",
        ),
        ("openapi: 4.0.0\n", "", "`4.0.0` is not supported"),
        ("openapi: 3.1.x\n", "", "`3.1.x` is not supported"),
        ("openapi: 3.10.0\n", "", "`3.10.0` is not supported"),
        ("openapi: [3]\n", "", "the OpenAPI version is a list"),
        (
            "overlay: 1.0.0\n",
            "",
            "(/overlay): an overlay, not an OpenAPI document",
        ),
        (
            "a: b\n",
            "",
            "api.yaml:1:1 (top level): not an OpenAPI document: no `openapi` key",
        ),
        ("openapi: 3.1.0\n", "", "no `paths`; add the operations"),
        (
            "openapi: 3.1.0\n",
            "components: {}",
            "no `paths`: a valid document, but without operations",
        ),
        (
            "openapi: 3.1.0\n",
            "paths: []",
            "api.yaml:3:1 (/paths): `paths` is a list, not a mapping",
        ),
    ];

    #[test]
    fn versions_and_paths() {
        let info = "info: {title: a, version: '1'}\n";
        for (version, rest, expected) in VERSIONS {
            let found = parse(&format!("{version}{info}{rest}")).check_header();
            match found {
                Ok(()) => assert_eq!(*expected, "", "{version}{rest}"),
                Err(error) => assert!(
                    !expected.is_empty() && error.to_string().contains(expected),
                    "{error} lacks {expected}"
                ),
            }
        }
    }

    #[test]
    fn info() {
        let cases = [
            ("", "no `info`; add"),
            ("info: x", "(/info): `info` is a text"),
            (
                "info: {version: '1'}",
                "api.yaml:2:1 (/info): no `info.title`; add it",
            ),
            (
                "info: {title: a, version: 1.0}",
                "api.yaml:2:18 (/info/version): `info.version` is a number, not a text; put it in quotes",
            ),
        ];
        for (info, expected) in cases {
            let error = parse(&format!("openapi: 3.1.0\n{info}\npaths: {{}}"))
                .check_header()
                .unwrap_err();
            assert!(
                error.to_string().contains(expected),
                "{error} lacks {expected}"
            );
        }
    }
}
