//! Tables to `OpenAPI`.

use std::collections::BTreeSet;

use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ComponentsBuilder, Content, Deprecated, HeaderBuilder, InfoBuilder, License, OpenApi,
    OpenApiBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema, Server,
};

use super::table::{Answer, Auth, Body, Field, Operation, Shape};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// What may go wrong everywhere: a fault, too much to do, too long.
const FAULTS: [u16; 3] = [500, 503, 504];

/// What the operations of a document share.
#[derive(Clone)]
pub(crate) struct Surface {
    /// What the document describes.
    pub description: &'static str,
    /// Where the paths begin.
    pub servers: Vec<String>,
    /// Name and shape of the documents that operations share; `Error` is what refusals carry.
    pub documents: &'static [(&'static str, Shape)],
    /// Refusals that may carry nothing.
    pub bare_refusals: &'static [u16],
    /// How users show who they are: name and scheme, one of them is enough.
    pub users: Vec<(&'static str, SecurityScheme)>,
    /// How administrators do.
    pub administrators: Vec<(&'static str, SecurityScheme)>,
    /// How OAuth clients do, where there are any.
    pub clients: Vec<(&'static str, SecurityScheme)>,
}

impl Surface {
    fn requirements(&self, auth: Auth) -> Vec<SecurityRequirement> {
        let (optional, schemes) = match auth {
            Auth::Anyone => (false, &[][..]),
            Auth::User => (false, &self.users[..]),
            Auth::MaybeUser => (true, &self.users[..]),
            Auth::Admin => (false, &self.administrators[..]),
            Auth::Client => (true, &self.clients[..]),
        };
        let named = schemes.iter().map(|(name, _)| SecurityRequirement::new::<_, _, String>(*name, []));
        optional.then(SecurityRequirement::default).into_iter().chain(named).collect()
    }
}

/// A scheme with a token in the `Authorization` header.
pub(crate) fn bearer(about: &str, format: Option<&str>) -> SecurityScheme {
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.bearer_format = format.map(str::to_owned);
    scheme.description = Some(about.to_owned());
    SecurityScheme::Http(scheme)
}

/// Collects operations.
pub(crate) struct Writer {
    surface: Surface,
    paths: PathsBuilder,
    groups: Vec<&'static str>,
    statuses: BTreeSet<u16>,
}

impl Writer {
    /// An empty document.
    pub(crate) fn new(surface: Surface) -> Self {
        Self { surface, paths: PathsBuilder::new(), groups: Vec::new(), statuses: BTreeSet::from(FAULTS) }
    }

    /// And this operation.
    pub(crate) fn add(&mut self, group: &'static str, operation: &Operation) {
        let described = self.described(group, operation);
        // To us a variable with an asterisk takes the path's whole rest; documents cannot say that.
        self.put(group, operation, &operation.path.replace("{*", "{"), described);
    }

    /// And it again, at another path.
    pub(crate) fn add_alias(&mut self, group: &'static str, operation: &Operation, path: &str) {
        let mut alias = self.described(group, operation);
        alias.operation_id = Some(format!("{}Alias", operation.id));
        alias.deprecated = Some(Deprecated::True);
        self.put(group, operation, path, alias);
    }

    fn put(
        &mut self,
        group: &'static str,
        operation: &Operation,
        path: &str,
        described: utoipa::openapi::path::Operation,
    ) {
        if !self.groups.contains(&group) {
            self.groups.push(group);
        }
        self.statuses.extend(operation.refusals);
        let item = PathItem::new(operation.method.clone(), described);
        // Items of one path are merged.
        self.paths = std::mem::take(&mut self.paths).path(path, item);
    }

    fn described(&self, group: &str, operation: &Operation) -> utoipa::openapi::path::Operation {
        let mut builder = OperationBuilder::new()
            .tag(group)
            .operation_id(Some(operation.id))
            .summary(Some(operation.summary));
        for name in variables(operation.path) {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(schema(&Shape::Text)));
            builder = builder.parameter(parameter);
        }
        for (name, shape) in operation.query {
            let parameter = ParameterBuilder::new()
                .name(bare(name))
                .parameter_in(ParameterIn::Query)
                .required(if is_optional(name) { Required::False } else { Required::True })
                .schema(Some(schema(shape)));
            builder = builder.parameter(parameter);
        }
        for requirement in self.surface.requirements(operation.auth) {
            builder = builder.security(requirement);
        }
        builder = builder.request_body(body(operation.body));
        for (status, answer) in operation.answers {
            builder = builder.response(status.to_string(), answered(*status, *answer));
        }
        for status in operation.refusals.iter().chain(&FAULTS) {
            builder = builder.response(status.to_string(), Ref::from_response_name(refusal_name(*status)));
        }
        builder.build()
    }

    /// The document.
    pub(crate) fn finish(self) -> OpenApi {
        let info = InfoBuilder::new()
            .title("Evident")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(self.surface.description))
            .license(Some(License::new("Apache-2.0")));
        let tags = self.groups.iter().map(|group| TagBuilder::new().name(*group).build());
        OpenApiBuilder::new()
            .info(info.build())
            .servers(Some(self.surface.servers.iter().map(Server::new)))
            .paths(self.paths.build())
            .components(Some(components(&self.surface, &self.statuses)))
            .tags(Some(tags.collect::<Vec<_>>()))
            .build()
    }
}

fn components(surface: &Surface, statuses: &BTreeSet<u16>) -> Components {
    let mut components = ComponentsBuilder::new();
    for (name, shape) in surface.documents {
        components = components.schema(*name, schema(shape));
    }
    for status in statuses {
        let bare = surface.bare_refusals.contains(status);
        components = components.response(refusal_name(*status), refusal(*status, bare));
    }
    for (name, scheme) in surface.users.iter().chain(&surface.administrators).chain(&surface.clients) {
        components = components.security_scheme(*name, scheme.clone());
    }
    components.build()
}

/// The variables in a path.
fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
}

fn body(body: Body) -> Option<utoipa::openapi::request_body::RequestBody> {
    let (kinds, shape, required): (&[&str], _, _) = match body {
        Body::None => return None,
        Body::Json(shape) => (&[JSON], shape, Required::True),
        Body::OptionalJson(shape) => (&[JSON], shape, Required::False),
        Body::Form(shape) => (&[FORM], shape, Required::True),
        Body::FormOrJson(shape) => (&[FORM, JSON], shape, Required::True),
    };
    let mut builder = RequestBodyBuilder::new().required(Some(required));
    for kind in kinds {
        builder = builder.content(*kind, Content::new(Some(schema(&shape))));
    }
    Some(builder.build())
}

fn answered(status: u16, answer: Answer) -> Response {
    let builder = ResponseBuilder::new().description(phrase(status));
    match answer {
        Answer::Empty => builder.build(),
        Answer::Json(shape) => builder.content(JSON, Content::new(Some(schema(&shape)))).build(),
        Answer::Scim(shape) => {
            builder.content("application/scim+json", Content::new(Some(schema(&shape)))).build()
        }
        Answer::Xml => builder.content("application/xml", Content::new(Some(schema(&Shape::Text)))).build(),
        Answer::Plain => builder.content("text/plain", Content::new(Some(schema(&Shape::Text)))).build(),
        Answer::Bytes => {
            builder.content("application/octet-stream", Content::new(Some(schema(&Shape::Text)))).build()
        }
        Answer::Html => builder.content("text/html", Content::new(Some(schema(&Shape::Text)))).build(),
        Answer::EventStream => {
            builder.content("text/event-stream", Content::new(Some(schema(&Shape::Text)))).build()
        }
        Answer::Redirect => {
            let header = HeaderBuilder::new().schema(Some(schema(&Shape::Text))).build();
            builder.header("Location", header).build()
        }
    }
}

fn refusal_name(status: u16) -> String {
    format!("Refused{status}")
}

fn refusal(status: u16, bare: bool) -> Response {
    let refusal = ResponseBuilder::new().description(phrase(status));
    if bare {
        return refusal.build();
    }
    refusal.content(JSON, Content::new(Some(schema(&Shape::Named("Error"))))).build()
}

fn phrase(status: u16) -> String {
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    status.canonical_reason().unwrap_or_default().to_owned()
}

fn bare(name: &str) -> &str {
    name.trim_end_matches('?')
}

fn is_optional(name: &str) -> bool {
    name.ends_with('?')
}

fn schema(shape: &Shape) -> RefOr<Schema> {
    let typed = |kind: Type| ObjectBuilder::new().schema_type(SchemaType::new(kind));
    let text = |format| typed(Type::String).format(Some(format));
    match shape {
        Shape::Text => typed(Type::String).into(),
        Shape::Email => text(SchemaFormat::Custom("email".to_owned())).into(),
        Shape::Uuid => text(SchemaFormat::Custom("uuid".to_owned())).into(),
        Shape::Time => text(SchemaFormat::KnownFormat(KnownFormat::DateTime)).into(),
        Shape::Number => typed(Type::Number).into(),
        Shape::Integer => typed(Type::Integer).into(),
        Shape::Bool => typed(Type::Boolean).into(),
        Shape::Object => typed(Type::Object).into(),
        Shape::Anything => ObjectBuilder::new().schema_type(SchemaType::AnyValue).into(),
        Shape::Word(words) => typed(Type::String).enum_values(Some(words.iter().copied())).into(),
        Shape::List(item) => ArrayBuilder::new().items(schema(item)).into(),
        Shape::Fields(fields) => object(fields),
        Shape::Either(shapes) => {
            let either = shapes.iter().fold(AnyOfBuilder::new(), |any, shape| any.item(schema(shape)));
            RefOr::T(either.into())
        }
        Shape::Nullable(shape) => {
            let null = ObjectBuilder::new().schema_type(SchemaType::new(Type::Null));
            RefOr::T(AnyOfBuilder::new().item(schema(shape)).item(null).into())
        }
        Shape::Named(name) => RefOr::Ref(Ref::from_schema_name(*name)),
    }
}

fn object(fields: &[Field]) -> RefOr<Schema> {
    let mut builder = ObjectBuilder::new().schema_type(SchemaType::new(Type::Object));
    for (name, shape) in fields {
        builder = builder.property(bare(name), schema(shape));
        if !is_optional(name) {
            builder = builder.required(*name);
        }
    }
    builder.into()
}

/// The method as HTTP writes it.
pub fn method_name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Patch => "PATCH",
        _ => "",
    }
}
