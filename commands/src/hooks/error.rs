//! What can go wrong with a hook, in the words that its owner and the clients read.

/// Why a hook kept a command from being carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookError {
    /// The hook itself says no.
    #[error("{message}")]
    Refused {
        /// The HTTP status that it wishes for; none where it names none that is an error's.
        status: Option<u16>,
        /// Its message for people.
        message: String,
    },
    /// A second factor must not be tried any more.
    #[error("{0}")]
    MfaRejected(String),
    /// It took too long.
    #[error("Failed to reach hook within maximum time of 5.000000 seconds")]
    TimedOut,
    /// It could not be reached, several times over.
    #[error("Failed to reach hook after maximum retries")]
    Unreachable,
    /// It says that it is overloaded.
    #[error("Service currently unavailable due to hook")]
    Unavailable,
    /// It answered something else than JSON.
    #[error("Invalid JSON response. Received content-type: {0}")]
    ContentType(String),
    /// It does not say what it answered.
    #[error("Invalid Content-Type: Missing Content-Type header")]
    NoContentType,
    /// It answered more than anybody needs.
    #[error("Payload size exceeded size limit of 204800 bytes")]
    TooLarge,
    /// It does not read what we sent.
    #[error("Invalid payload sent to hook")]
    BadRequest,
    /// It does not take our signature, or wants a password.
    #[error("Hook requires authorization token")]
    Unauthorized,
    /// It answered with a status that means nothing here.
    #[error("Unexpected status code returned from hook: {0}")]
    Status(u16),
    /// The answer does not read.
    #[error("Error unmarshaling JSON output.")]
    NotJson,
    /// The answer has no claims.
    #[error("output claims field is missing")]
    NoClaims,
    /// The claims lack what every access token needs; one line each.
    #[error("output claims do not conform to the expected schema: \n{0}")]
    BadClaims(String),
    /// What we send does not write.
    #[error("the input of a hook does not write")]
    Input,
}

impl HookError {
    /// Whether the next try may go well.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut | Self::Unreachable | Self::Unavailable | Self::Unauthorized => true,
            Self::Refused { status, .. } => status.is_none_or(|status| status == 429 || status >= 500),
            Self::Status(status) => *status == 429 || *status >= 500,
            Self::MfaRejected(_)
            | Self::ContentType(_)
            | Self::NoContentType
            | Self::TooLarge
            | Self::BadRequest
            | Self::NotJson
            | Self::NoClaims
            | Self::BadClaims(_)
            | Self::Input => false,
        }
    }
}

impl HookError {
    /// What may stand in logs: a refusal's own words may name the person.
    pub fn for_log(&self) -> String {
        match self {
            Self::Refused { status: Some(status), .. } => format!("it refused with {status}"),
            Self::Refused { status: None, .. } | Self::MfaRejected(_) => "it refused".to_owned(),
            other => other.to_string(),
        }
    }
}
