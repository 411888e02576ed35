//! The table of rules: what can change, and what each change does to a program that talks to the server.

use std::fmt::Write as _;

use super::finding::Verdict;
use crate::surface::effect;

/// The list of rules, relative to the workspace.
#[cfg(test)]
pub(crate) const PAGE: &str = "xtask/RULES.md";

/// The beginning of the list.
const PREFACE: &str = "\
<!-- Written by `cargo xtask diff --rules > xtask/RULES.md`. -->
# Rules of `cargo xtask diff`

A rule is a kind of change. Its name never changes: reports and approvals use it.

- *wire* is the verdict for a program that is deployed and meets the new server. It depends on whether programs send the
  value or receive it; they receive webhooks and callbacks, and send the answers. The worst one counts if they do both,
  and none does if no operation uses the value.
- *source* is the verdict for somebody who upgrades the crate. It is that of the worst Rust item that follows from the
  change, as read from the code that is generated from both documents. The column says what may follow.

Verdicts, the worst first: `breaking`, `risky`, `compatible`, `docs`, `none`.

| rule | what | wire, sent | wire, received | source | why | reverse |
|---|---|---|---|---|---|---|
";

/// A kind of change.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its name in reports and approvals. It never changes.
    pub(crate) name: &'static str,
    /// The rule for the same change the other way round.
    pub(crate) reverse: Id,
    /// The verdict for what programs send.
    pub(crate) request: Verdict,
    /// The verdict for what programs receive.
    pub(crate) response: Verdict,
    /// What changed.
    pub(crate) what: &'static str,
    /// Why it is judged so.
    pub(crate) why: &'static str,
}

impl Id {
    /// The rule's entry in the table.
    pub(crate) fn rule(self) -> &'static Rule {
        // The table and the ids come from one list.
        &RULES[self as usize]
    }
}

/// The list of rules as a page of Markdown, made from the table.
pub(super) fn page() -> String {
    let mut out = PREFACE.to_owned();
    for rule in RULES {
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | {} | `{}` |",
            rule.name,
            rule.what,
            rule.request.name(),
            rule.response.name(),
            effect(rule.name),
            rule.why,
            rule.reverse.rule().name
        );
    }
    out
}

/// One line a rule: id, name, reverse, verdicts for request and response, what and why.
macro_rules! rules {
    ($($id:ident $name:literal <> $reverse:ident, $request:ident / $response:ident: $what:literal; $why:literal.)*) => {
        /// The rules, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Id {
            $(#[doc = $what] $id,)*
        }

        /// All rules.
        pub(crate) const RULES: &[Rule] = &[$(Rule {
            name: $name,
            reverse: Id::$reverse,
            request: Verdict::$request,
            response: Verdict::$response,
            what: $what,
            why: $why,
        },)*];
    };
}

rules! {
    // Operations
    OperationAdded "operation-added" <> OperationRemoved, Compatible / Compatible:
        "an operation is new"; "nobody calls it yet".
    OperationRemoved "operation-removed" <> OperationAdded, Breaking / Breaking:
        "an operation is gone"; "calls of it fail".
    OperationMoved "operation-moved" <> OperationMoved, Breaking / Breaking:
        "an operation has another method or path, or a webhook another name"; "calls go to the old place".
    OperationIdChanged "operation-id-changed" <> OperationIdChanged, None / None:
        "an operation has another `operationId`"; "it names the method of a client, and is never sent".
    OperationTagsChanged "operation-tags-changed" <> OperationTagsChanged, None / None:
        "an operation has other tags"; "they sort the methods of a client, and are never sent".
    TagRenamed "tag-renamed" <> TagRenamed, None / None:
        "a tag has another name in all operations"; "it sorts the methods of a client, and is never sent".
    Deprecated "deprecated" <> Undeprecated, Risky / Risky:
        "something is deprecated"; "it works, but may go".
    Undeprecated "undeprecated" <> Deprecated, Compatible / Compatible:
        "something is deprecated no more"; "it stays".
    WebhookAdded "webhook-added" <> WebhookRemoved, Compatible / Compatible:
        "a webhook is new"; "nobody waits for it yet".
    WebhookRemoved "webhook-removed" <> WebhookAdded, Breaking / Breaking:
        "a webhook is gone"; "programs wait for it in vain".
    CallbackAdded "callback-added" <> CallbackRemoved, Risky / Risky:
        "an operation has a new callback"; "the server sends what programs don't expect".
    CallbackRemoved "callback-removed" <> CallbackAdded, Breaking / Breaking:
        "a callback is gone"; "programs wait for it in vain".

    // Parameters
    RequiredParameterAdded "required-parameter-added" <> RequiredParameterRemoved, Breaking / Compatible:
        "a required parameter is new"; "programs do not send it".
    RequiredParameterRemoved "required-parameter-removed" <> RequiredParameterAdded, Risky / Breaking:
        "a required parameter is gone"; "it has no effect any more".
    OptionalParameterAdded "optional-parameter-added" <> OptionalParameterRemoved, Compatible / Compatible:
        "an optional parameter is new"; "it may be left out".
    OptionalParameterRemoved "optional-parameter-removed" <> OptionalParameterAdded, Risky / Risky:
        "an optional parameter is gone"; "it has no effect any more".
    ParameterBecameRequired "parameter-became-required" <> ParameterBecameOptional, Breaking / Compatible:
        "a parameter must be given"; "programs may leave it out".
    ParameterBecameOptional "parameter-became-optional" <> ParameterBecameRequired, Compatible / Risky:
        "a parameter may be left out"; "programs that send it go on".
    ParameterRenamed "parameter-renamed" <> ParameterRenamed, Breaking / Breaking:
        "a query, header or cookie parameter has another name"; "programs send the old one".
    PathParameterRenamed "path-parameter-renamed" <> PathParameterRenamed, None / None:
        "a path parameter has another name"; "its name is never sent, but names a setter".
    ParameterMoved "parameter-moved" <> ParameterMoved, Breaking / Breaking:
        "a parameter stands in another part of the request"; "programs send it in the old one".
    ParameterStyleChanged "parameter-style-changed" <> ParameterStyleChanged, Breaking / Breaking:
        "a parameter or header is written in another way"; "the other side reads it wrongly".
    EmptyValueAllowed "empty-value-allowed" <> EmptyValueRefused, Compatible / Risky:
        "a parameter may be empty"; "programs that send a value go on".
    EmptyValueRefused "empty-value-refused" <> EmptyValueAllowed, Risky / Compatible:
        "a parameter may not be empty"; "programs that send it empty may be refused".

    // Bodies
    RequiredBodyAdded "required-body-added" <> RequiredBodyRemoved, Breaking / Compatible:
        "a request has a required body"; "programs send none".
    RequiredBodyRemoved "required-body-removed" <> RequiredBodyAdded, Risky / Breaking:
        "a request has no body any more"; "what programs send has no effect".
    OptionalBodyAdded "optional-body-added" <> OptionalBodyRemoved, Compatible / Compatible:
        "a request may have a body"; "it may be left out".
    OptionalBodyRemoved "optional-body-removed" <> OptionalBodyAdded, Risky / Risky:
        "a request has no optional body any more"; "what programs send has no effect".
    BodyBecameRequired "body-became-required" <> BodyBecameOptional, Breaking / Compatible:
        "a body must be sent"; "programs may leave it out".
    BodyBecameOptional "body-became-optional" <> BodyBecameRequired, Compatible / Risky:
        "a body may be left out"; "programs that send it go on".
    MediaTypeAdded "media-type-added" <> MediaTypeRemoved, Compatible / Risky:
        "a body may have another media type"; "who receives it may not expect it".
    MediaTypeRemoved "media-type-removed" <> MediaTypeAdded, Breaking / Breaking:
        "a body may not have a media type any more"; "who relies on it is refused, or waits in vain".
    MediaTypeChanged "media-type-changed" <> MediaTypeChanged, Breaking / Breaking:
        "a body has another media type, with the same content"; "the old one is not understood".
    EncodingChanged "encoding-changed" <> EncodingChanged, Breaking / Breaking:
        "the parts of a form are encoded in another way"; "the other side reads them wrongly".

    // Responses
    SuccessStatusAdded "success-status-added" <> SuccessStatusRemoved, Compatible / Risky:
        "an operation has a new successful status"; "programs may take it for a failure, or read another body".
    SuccessStatusRemoved "success-status-removed" <> SuccessStatusAdded, Risky / Breaking:
        "an operation has a successful status no more"; "programs wait for it".
    ErrorStatusAdded "error-status-added" <> ErrorStatusRemoved, Compatible / Compatible:
        "an operation has a new error status"; "every status can come from anywhere".
    ErrorStatusRemoved "error-status-removed" <> ErrorStatusAdded, Risky / Risky:
        "an operation has an error status no more"; "programs that handle it may meet another one".
    StatusChanged "status-changed" <> StatusChanged, Breaking / Breaking:
        "an answer comes with another status"; "programs look for the old one".
    RequiredHeaderAdded "required-header-added" <> RequiredHeaderRemoved, Breaking / Compatible:
        "a required header is new"; "programs that send answers do not send it".
    RequiredHeaderRemoved "required-header-removed" <> RequiredHeaderAdded, Risky / Breaking:
        "a required header is gone"; "programs read it".
    OptionalHeaderAdded "optional-header-added" <> OptionalHeaderRemoved, Compatible / Compatible:
        "an optional header is new"; "it may be ignored".
    OptionalHeaderRemoved "optional-header-removed" <> OptionalHeaderAdded, Risky / Risky:
        "an optional header is gone"; "programs may read it".
    HeaderBecameRequired "header-became-required" <> HeaderBecameOptional, Breaking / Compatible:
        "a header is always there"; "programs that send answers may leave it out".
    HeaderBecameOptional "header-became-optional" <> HeaderBecameRequired, Compatible / Risky:
        "a header may be absent"; "programs may rely on it".

    // Properties
    RequiredPropertyAdded "required-property-added" <> RequiredPropertyRemoved, Breaking / Compatible:
        "a required property is new"; "programs do not send it".
    RequiredPropertyRemoved "required-property-removed" <> RequiredPropertyAdded, Risky / Breaking:
        "a required property is gone"; "programs rely on it".
    OptionalPropertyAdded "optional-property-added" <> OptionalPropertyRemoved, Compatible / Compatible:
        "an optional property is new"; "it may be left out, or ignored".
    OptionalPropertyRemoved "optional-property-removed" <> OptionalPropertyAdded, Risky / Risky:
        "an optional property is gone"; "it has no effect any more, or never comes".
    RequiredPropertyRefused "required-property-refused" <> RequiredPropertyAdmitted, Breaking / Breaking:
        "a required property is gone, and no others are admitted"; "requests that have it are refused".
    RequiredPropertyAdmitted "required-property-admitted" <> RequiredPropertyRefused, Breaking / Risky:
        "a required property is new where no others were admitted"; "programs do not send it, and strict ones refuse it".
    OptionalPropertyRefused "optional-property-refused" <> OptionalPropertyAdmitted, Breaking / Risky:
        "an optional property is gone, and no others are admitted"; "requests that have it are refused".
    OptionalPropertyAdmitted "optional-property-admitted" <> OptionalPropertyRefused, Compatible / Risky:
        "an optional property is new where no others were admitted"; "strict programs refuse it".
    PropertyRenamed "property-renamed" <> PropertyRenamed, Breaking / Breaking:
        "a property has another name"; "programs know the old one".
    PropertyBecameRequired "property-became-required" <> PropertyBecameOptional, Breaking / Compatible:
        "a property must be there"; "programs may leave it out".
    PropertyBecameOptional "property-became-optional" <> PropertyBecameRequired, Compatible / Risky:
        "a property may be absent"; "programs may rely on it".
    BecameReadOnly "became-read-only" <> NoLongerReadOnly, Risky / Compatible:
        "a value is set by the server only"; "what programs send has no effect".
    NoLongerReadOnly "no-longer-read-only" <> BecameReadOnly, Compatible / Compatible:
        "a value may be sent as well"; "it may be left out".
    BecameWriteOnly "became-write-only" <> NoLongerWriteOnly, Compatible / Breaking:
        "a value is never answered"; "programs may read it".
    NoLongerWriteOnly "no-longer-write-only" <> BecameWriteOnly, Compatible / Compatible:
        "a value is answered as well"; "it may be ignored".
    AdditionalPropertiesClosed "additional-properties-closed" <> AdditionalPropertiesOpened, Breaking / Compatible:
        "other properties are not admitted any more"; "requests that have some are refused".
    AdditionalPropertiesOpened "additional-properties-opened" <> AdditionalPropertiesClosed, Compatible / Risky:
        "other properties are admitted"; "strict programs refuse them".
    AdditionalPropertiesNarrowed "additional-properties-narrowed" <> AdditionalPropertiesWidened, Risky / Compatible:
        "other properties must fit a schema"; "requests may have others".
    AdditionalPropertiesWidened "additional-properties-widened" <> AdditionalPropertiesNarrowed, Compatible / Risky:
        "other properties may be anything"; "programs may expect a type".
    PatternPropertyAdded "pattern-property-added" <> PatternPropertyRemoved, Risky / Compatible:
        "properties whose name fits a pattern must fit a schema"; "requests may have others".
    PatternPropertyRemoved "pattern-property-removed" <> PatternPropertyAdded, Compatible / Risky:
        "properties whose name fits a pattern need not fit a schema"; "programs may expect a type".

    // Values
    TypeChanged "type-changed" <> TypeChanged, Breaking / Breaking:
        "a value has another type"; "neither side understands the other".
    TypeNarrowed "type-narrowed" <> TypeWidened, Breaking / Compatible:
        "a value has fewer types"; "programs may send the others".
    TypeWidened "type-widened" <> TypeNarrowed, Compatible / Breaking:
        "a value has more types"; "programs cannot read the new ones".
    BecameNullable "became-nullable" <> NoLongerNullable, Compatible / Risky:
        "a value may be `null`"; "programs may rely on a value".
    NoLongerNullable "no-longer-nullable" <> BecameNullable, Breaking / Compatible:
        "a value may not be `null`"; "programs may send it".
    FormatAdded "format-added" <> FormatRemoved, Risky / Compatible:
        "a value has a format"; "programs may send others".
    FormatRemoved "format-removed" <> FormatAdded, Compatible / Risky:
        "a value has no format any more"; "programs may rely on it".
    FormatWidened "format-widened" <> FormatNarrowed, Compatible / Risky:
        "a number's format has a wider range"; "programs may not be able to hold it".
    FormatNarrowed "format-narrowed" <> FormatWidened, Risky / Compatible:
        "a number's format has a smaller range"; "programs may send others".
    FormatChanged "format-changed" <> FormatChanged, Breaking / Breaking:
        "a value has another format"; "neither side understands the other".
    EnumValueAdded "enum-value-added" <> EnumValueRemoved, Compatible / Risky:
        "an enum has a new value"; "programs may not know it".
    EnumValueRemoved "enum-value-removed" <> EnumValueAdded, Breaking / Compatible:
        "an enum lacks a value"; "programs may send it".
    EnumAdded "enum-added" <> EnumRemoved, Breaking / Compatible:
        "only certain values are admitted"; "programs may send others".
    EnumRemoved "enum-removed" <> EnumAdded, Compatible / Risky:
        "all values are admitted"; "programs may know the listed ones only".
    ConstChanged "const-changed" <> ConstChanged, Breaking / Breaking:
        "a constant has another value"; "both sides look for the old one".
    BoundTightened "bound-tightened" <> BoundLoosened, Risky / Compatible:
        "a bound on a number, length or count is tighter"; "programs may send what is refused".
    BoundLoosened "bound-loosened" <> BoundTightened, Compatible / Risky:
        "a bound on a number, length or count is looser or gone"; "programs may rely on it".
    MultipleOfChanged "multiple-of-changed" <> MultipleOfChanged, Risky / Risky:
        "a number is a multiple of another one"; "what fitted may not fit".
    PatternAdded "pattern-added" <> PatternRemoved, Risky / Compatible:
        "a text must fit a pattern"; "programs may send others".
    PatternRemoved "pattern-removed" <> PatternAdded, Compatible / Risky:
        "a text need not fit a pattern"; "programs may rely on it".
    PatternChanged "pattern-changed" <> PatternChanged, Risky / Risky:
        "a text must fit another pattern"; "what fitted may not fit".
    DefaultAdded "default-added" <> DefaultRemoved, Risky / Risky:
        "an absent value has a default"; "leaving it out may mean something else".
    DefaultRemoved "default-removed" <> DefaultAdded, Risky / Risky:
        "an absent value has no default any more"; "leaving it out may mean something else".
    DefaultChanged "default-changed" <> DefaultChanged, Risky / Risky:
        "an absent value has another default"; "leaving it out means something else".

    // Unions
    UnionArmAdded "union-arm-added" <> UnionArmRemoved, Compatible / Risky:
        "a union has a new arm"; "programs may not know it".
    UnionArmRemoved "union-arm-removed" <> UnionArmAdded, Breaking / Compatible:
        "a union lacks an arm"; "programs may send it".
    UnionAdded "union-added" <> UnionRemoved, Breaking / Compatible:
        "a value must also fit one of several schemas"; "programs may send others".
    UnionRemoved "union-removed" <> UnionAdded, Compatible / Risky:
        "a value need not fit one of several schemas"; "programs may rely on it".
    OneOfBecameAnyOf "one-of-became-any-of" <> AnyOfBecameOneOf, Compatible / Risky:
        "a value may fit several arms"; "programs may look for one".
    AnyOfBecameOneOf "any-of-became-one-of" <> OneOfBecameAnyOf, Risky / Compatible:
        "a value may fit one arm only"; "programs may send what fits several".
    DiscriminatorAdded "discriminator-added" <> DiscriminatorRemoved, Compatible / Compatible:
        "a property tells the arms of a union apart"; "values are the same".
    DiscriminatorRemoved "discriminator-removed" <> DiscriminatorAdded, Risky / Risky:
        "no property tells the arms of a union apart any more"; "programs may rely on it".
    DiscriminatorChanged "discriminator-changed" <> DiscriminatorChanged, Breaking / Breaking:
        "another property tells the arms of a union apart"; "both sides look for the old one".
    DiscriminatorValueAdded "discriminator-value-added" <> DiscriminatorValueRemoved, Compatible / Risky:
        "a union's arm has another value of the discriminator"; "programs may not know it".
    DiscriminatorValueRemoved "discriminator-value-removed" <> DiscriminatorValueAdded, Breaking / Risky:
        "a union's arm lacks a value of the discriminator"; "programs may send it, or look for it".
    DiscriminatorValueChanged "discriminator-value-changed" <> DiscriminatorValueChanged, Breaking / Breaking:
        "a value of the discriminator stands for another arm"; "both sides take it for the old one".

    // Schemas and references
    SchemaAdded "schema-added" <> SchemaRemoved, None / None:
        "a component schema is new"; "its name is never sent; where it is used has findings of its own".
    SchemaRemoved "schema-removed" <> SchemaAdded, None / None:
        "a component schema is gone"; "its name is never sent; where it was used has findings of its own".
    SchemaRenamed "schema-renamed" <> SchemaRenamed, None / None:
        "a component schema has another name"; "it is never sent, but names a type".
    ReferenceChanged "reference-changed" <> ReferenceChanged, None / None:
        "another component schema stands in a place, and the old one is still there or the new one was before";
        "the verdict is that of the worst difference between the two".
    ReferenceBroken "reference-broken" <> ReferenceMended, Risky / Risky:
        "a `$ref` leads nowhere"; "nobody knows what is there".
    ReferenceMended "reference-mended" <> ReferenceBroken, Risky / Risky:
        "a `$ref` that led nowhere has a target"; "nobody knows what was there before".

    // Security and servers
    SecurityRequired "security-required" <> SecurityDropped, Breaking / Breaking:
        "an open operation needs credentials"; "programs send none".
    SecurityDropped "security-dropped" <> SecurityRequired, Compatible / Compatible:
        "an operation needs no credentials any more"; "they may be sent as well".
    SecurityAlternativeAdded "security-alternative-added" <> SecurityAlternativeRemoved, Compatible / Compatible:
        "other credentials do as well"; "the old ones do, too".
    SecurityAlternativeRemoved "security-alternative-removed" <> SecurityAlternativeAdded, Breaking / Breaking:
        "credentials do not suffice any more"; "programs send them".
    SecurityChanged "security-changed" <> SecurityChanged, Breaking / Breaking:
        "an operation needs other credentials"; "programs send the old ones".
    SecurityScopeAdded "security-scope-added" <> SecurityScopeRemoved, Breaking / Breaking:
        "credentials need another scope"; "programs may not have it".
    SecurityScopeRemoved "security-scope-removed" <> SecurityScopeAdded, Compatible / Compatible:
        "credentials need a scope less"; "it does no harm".
    SecuritySchemeAdded "security-scheme-added" <> SecuritySchemeRemoved, None / None:
        "a security scheme is new"; "operations that use it have findings of their own".
    SecuritySchemeRemoved "security-scheme-removed" <> SecuritySchemeAdded, None / None:
        "a security scheme is gone"; "operations that used it have findings of their own".
    SecuritySchemeRenamed "security-scheme-renamed" <> SecuritySchemeRenamed, None / None:
        "a security scheme has another name"; "it is never sent".
    SecuritySchemeChanged "security-scheme-changed" <> SecuritySchemeChanged, Breaking / Breaking:
        "credentials are sent or got in another way"; "programs use the old one".
    ServerAdded "server-added" <> ServerRemoved, Compatible / Compatible:
        "a server is new"; "the old ones remain".
    ServerRemoved "server-removed" <> ServerAdded, Risky / Risky:
        "a server is gone"; "programs may use it".
    ServerChanged "server-changed" <> ServerChanged, Breaking / Breaking:
        "the only server has another address"; "programs use the old one".
    ServerVariableChanged "server-variable-changed" <> ServerVariableChanged, Risky / Risky:
        "a variable of a server's address has other values"; "programs may use the old ones".

    // The rest
    DescriptionChanged "description-changed" <> DescriptionChanged, Docs / Docs:
        "a title, summary, description or comment reads otherwise"; "it is for readers".
    ExampleChanged "example-changed" <> ExampleChanged, Docs / Docs:
        "an example is new, gone or different"; "it is for readers".
    ExternalDocsChanged "external-docs-changed" <> ExternalDocsChanged, Docs / Docs:
        "a link to documentation is new, gone or different"; "it is for readers".
    InfoChanged "info-changed" <> InfoChanged, Docs / Docs:
        "the document's title, version or contact reads otherwise"; "it is for readers".
    TagChanged "tag-changed" <> TagChanged, Docs / Docs:
        "a tag is described otherwise, is new or gone"; "it is for readers".
    VersionOfOpenApiChanged "openapi-version-changed" <> VersionOfOpenApiChanged, None / None:
        "the document has another version of OpenAPI"; "it is about notation".
    ExtensionChanged "extension-changed" <> ExtensionChanged, None / None:
        "an extension (`x-...`) is new, gone or different"; "it is for tools; what it does to them is theirs to say".
    NotClassified "not-classified" <> NotClassified, Risky / Risky:
        "something changed that no rule judges"; "somebody must look at it".
}
