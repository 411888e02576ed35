//! Extensions and CA certificates: files that sessions use.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::{Answer, Outcome, Refusal};
use crate::call::Call;
use crate::document::Part;
use crate::resources::{Routes, check_name, find};
use crate::time::Time;
use crate::world::{Record, World};

pub(crate) const ROUTES: Routes = &[
    ("POST /v1/extensions", upload),
    ("GET /v1/extensions", list),
    ("GET /v1/extensions/{id}", get),
    ("DELETE /v1/extensions/{id}", delete),
    ("POST /v1/certificates", upload_certificate),
    ("GET /v1/certificates", list_certificates),
    ("DELETE /v1/certificates/{name}", delete_certificate),
];

/// Characters of a name, by the document's prose.
const NAME_LENGTH: usize = 255;
/// Characters of the description of a certificate.
const DESCRIPTION_LENGTH: usize = 1_000;
/// What the names of certificate files end in.
const CERTIFICATES: [&str; 4] = [".pem", ".crt", ".der", ".cer"];
/// How ZIP archives begin.
const ZIP: &[u8] = b"PK\x03\x04";

/// Its archive is the blob of the same id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Extension {
    pub(crate) id: String,
    name: String,
    created: Time,
}

impl Record for Extension {
    const KIND: &'static str = "extensions";

    fn id(&self) -> &str {
        &self.id
    }
}

impl Extension {
    /// The archive is not unpacked: the manifest is made from the name.
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "manifest": { "name": self.name, "version": "1.0.0", "manifest_version": 3, "permissions": [] },
            "createdAt": self.created.text(),
            "updatedAt": self.created.text(),
        })
    }
}

/// Its file is the blob with its UUID; by its name it is known.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Certificate {
    uuid: String,
    pub(crate) name: String,
    description: Option<String>,
    created: Time,
}

impl Record for Certificate {
    const KIND: &'static str = "certificates";

    fn id(&self) -> &str {
        &self.name
    }
}

impl Certificate {
    fn json(&self) -> Value {
        json!({
            "id": self.uuid,
            "name": self.name,
            "description": self.description,
            "createdAt": self.created.text(),
        })
    }
}

/// The part `name`, which must have 1 to 255 characters.
fn name(call: &Call<'_>) -> Result<String, Refusal> {
    let name = call.field("name").unwrap_or_default();
    if name.is_empty() || name.chars().count() > NAME_LENGTH {
        return Err(Refusal::bad(format!(
            "body.name: must have 1 to {NAME_LENGTH} characters"
        )));
    }
    Ok(name)
}

/// The part `file`, which must not be empty.
fn file<'a>(call: &Call<'a>) -> Result<&'a Part, Refusal> {
    call.part("file")
        .filter(|part| !part.bytes.is_empty())
        .ok_or_else(|| {
            Refusal::bad("body.file: is missing or empty; send the file as a part of the form")
        })
}

/// Keeps the bytes of a new record; `undo` removes the record if there is no room for them.
fn keep(
    world: &mut World,
    id: &str,
    bytes: Bytes,
    undo: impl FnOnce(&mut World),
) -> Result<(), Refusal> {
    let kept = world.blobs.put(id, bytes);
    if kept.is_err() {
        undo(world);
    }
    kept
}

fn upload(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = name(call)?;
    let file = file(call)?;
    if !file.bytes.starts_with(ZIP) && !world.config.lenient {
        return Err(Refusal::bad(
            "body.file: is no ZIP archive; pack the extension with its manifest.json",
        ));
    }
    let extension = Extension {
        id: world.ids.uuid(),
        name,
        created: world.now,
    };
    let (id, json) = (extension.id.clone(), extension.json());
    world.tables.extensions.add(extension)?;
    keep(world, &id, file.bytes.clone(), |world| {
        world.tables.extensions.remove(&id);
    })?;
    Ok(Answer::data(json))
}

fn list(world: &mut World, _: &Call<'_>) -> Outcome {
    let extensions: Vec<Value> = world
        .tables
        .extensions
        .iter()
        .map(Extension::json)
        .collect();
    Ok(Answer::data(json!(extensions)))
}

fn get(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("id");
    let extension = find(&world.tables.extensions, "extension", id)?;
    // By the document this answer has no envelope, unlike that of the upload.
    Ok(Answer::json(extension.json()))
}

fn delete(world: &mut World, call: &Call<'_>) -> Outcome {
    let id = call.path("id");
    world
        .tables
        .extensions
        .remove(id)
        .ok_or_else(|| Refusal::missing("extension", id))?;
    world.blobs.remove(id);
    // By the document this answer has the envelope twice.
    Ok(Answer::data(json!({ "data": { "status": "success" } })))
}

fn upload_certificate(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = name(call)?;
    check_name("body.name", &name, NAME_LENGTH)?;
    let file = file(call)?;
    let file_name = file
        .file_name
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if !CERTIFICATES.iter().any(|end| file_name.ends_with(end)) {
        let known = CERTIFICATES.join(", ");
        return Err(Refusal::bad(format!(
            "body.file: the name of the file must end in one of {known}"
        )));
    }
    let description = call.field("description");
    if description
        .as_ref()
        .is_some_and(|text| text.chars().count() > DESCRIPTION_LENGTH)
    {
        return Err(Refusal::bad(format!(
            "body.description: must have at most {DESCRIPTION_LENGTH} characters"
        )));
    }
    if world.tables.certificates.contains(&name) {
        return Err(Refusal::conflict(format!(
            "body.name: there is a certificate `{name}` already; choose another name, or delete that one"
        )));
    }
    let certificate = Certificate {
        uuid: world.ids.uuid(),
        name: name.clone(),
        description,
        created: world.now,
    };
    let (id, json) = (certificate.uuid.clone(), certificate.json());
    world.tables.certificates.add(certificate)?;
    keep(world, &id, file.bytes.clone(), |world| {
        world.tables.certificates.remove(&name);
    })?;
    Ok(Answer::data(json))
}

fn list_certificates(world: &mut World, _: &Call<'_>) -> Outcome {
    let certificates: Vec<Value> = world
        .tables
        .certificates
        .iter()
        .map(Certificate::json)
        .collect();
    Ok(Answer::data(json!(certificates)))
}

fn delete_certificate(world: &mut World, call: &Call<'_>) -> Outcome {
    let name = call.path("name");
    let removed = world.tables.certificates.remove(name);
    let removed = removed.ok_or_else(|| Refusal::missing("certificate", name))?;
    world.blobs.remove(&removed.uuid);
    Ok(Answer::done())
}
