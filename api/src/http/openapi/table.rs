//! The words in which the groups write their operations down: method, path, who may call, what goes in,
//! and every status with what comes out.

use utoipa::openapi::path::HttpMethod;

/// An operation.
pub struct Operation {
    /// The method.
    pub method: HttpMethod,
    /// The path, with its variables in braces.
    pub path: &'static str,
    /// A name for generated clients.
    pub id: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// Who may call.
    pub auth: Auth,
    /// Parameters in the query.
    pub query: &'static [Field],
    /// The body.
    pub body: Body,
    /// What is answered when it went well.
    pub answers: &'static [(u16, Answer)],
    /// Refusals, all of them errors of the protocol.
    pub refusals: &'static [u16],
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    Anyone,
    /// Users, with their access token.
    User,
    /// Anybody, and users with their access token.
    MaybeUser,
    /// Administrators.
    Admin,
    /// OAuth clients.
    Client,
}

/// A name, with `?` behind it where the field may be absent, and what it holds.
pub type Field = (&'static str, Shape);

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A string.
    Text,
    /// An e-mail address.
    Email,
    /// A UUID.
    Uuid,
    /// A time as RFC 3339 writes it.
    Time,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Bool,
    /// An object whose keys are free.
    Object,
    /// Anything.
    Anything,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// An object with these fields, and others besides.
    Fields(&'static [Field]),
    /// One of several.
    Either(&'static [Shape]),
    /// That, or nothing.
    Nullable(&'static Shape),
    /// One of the shared documents.
    Named(&'static str),
}

/// What a request carries.
#[derive(Debug, Clone, Copy)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Shape),
    /// JSON, or nothing.
    OptionalJson(Shape),
    /// A form.
    Form(Shape),
    /// A form, or JSON.
    FormOrJson(Shape),
}

/// What an answer carries.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Shape),
    /// JSON in SCIM's dress (RFC 7644, section 8.1).
    Scim(Shape),
    /// XML.
    Xml,
    /// Plain text.
    Plain,
    /// Bytes.
    Bytes,
    /// A page for people.
    Html,
    /// Server-sent events.
    EventStream,
    /// Nothing but a `Location`.
    Redirect,
}

/// Starts an operation.
pub const fn operation(
    method: HttpMethod,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        auth: Auth::Anyone,
        query: &[],
        body: Body::None,
        answers: &[],
        refusals: &[],
    }
}

impl Operation {
    /// Who may call; anybody where nothing is said.
    #[must_use]
    pub const fn by(mut self, auth: Auth) -> Self {
        self.auth = auth;
        self
    }

    /// With these parameters in the query.
    #[must_use]
    pub const fn query(mut self, fields: &'static [Field]) -> Self {
        self.query = fields;
        self
    }

    /// With a body.
    #[must_use]
    pub const fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// What is answered when it went well.
    #[must_use]
    pub const fn answers(mut self, answers: &'static [(u16, Answer)]) -> Self {
        self.answers = answers;
        self
    }

    /// What it may be refused with.
    #[must_use]
    pub const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }
}
