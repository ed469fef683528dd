//! `/scim/v2`: the documents by which a SCIM client finds out what the server can (RFC 7643, section 5,
//! RFC 7644, section 4): nothing yet, as with Supabase Auth. Errors are SCIM documents, except that the whole is off.

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::app::App;
use super::error::{ErrorCode, GotrueError};
use super::incoming::Incoming;
use super::reply;

const SCIM: HeaderValue = HeaderValue::from_static("application/scim+json");
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const CONFIGURATION: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

type Answer = Result<Response<Body>, GotrueError>;

/// SCIM is on. A handler that takes it runs only then.
#[derive(Debug)]
pub(super) struct ScimOn;

impl FromRequestParts<App> for ScimOn {
    type Rejection = GotrueError;

    async fn from_request_parts(_: &mut Parts, app: &App) -> Result<Self, GotrueError> {
        if app.settings().sso.scim_enabled {
            Ok(Self)
        } else {
            Err(GotrueError::not_found(ErrorCode::FeatureDisabled, "SCIM server is disabled"))
        }
    }
}

#[derive(Serialize)]
struct ListResponse {
    schemas: [&'static str; 1],
    #[serde(rename = "totalResults")]
    total_results: u64,
    #[serde(rename = "startIndex")]
    start_index: u64,
    #[serde(rename = "itemsPerPage")]
    items_per_page: u64,
    #[serde(rename = "Resources")]
    resources: [(); 0],
}

#[derive(Serialize)]
struct ScimError {
    schemas: [&'static str; 1],
    detail: &'static str,
    status: &'static str,
}

/// `GET /scim/v2/ServiceProviderConfig`
pub(super) async fn service_provider_config(State(app): State<App>, _: ScimOn) -> Answer {
    let no = || json!({ "supported": false });
    let location =
        format!("{}/scim/v2/ServiceProviderConfig", app.settings().site.external_url.trim_end_matches('/'));
    scim(
        StatusCode::OK,
        &json!({
            "schemas": [CONFIGURATION],
            "patch": no(),
            "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
            "filter": { "supported": false, "maxResults": 0 },
            "changePassword": no(),
            "sort": no(),
            "etag": no(),
            "authenticationSchemes": [{
                "type": "oauthbearertoken",
                "name": "OAuth Bearer Token",
                "description": "Authentication scheme using the OAuth Bearer Token Standard",
                "specUri": "http://www.rfc-editor.org/info/rfc6750",
                "primary": true,
            }],
            "meta": { "resourceType": "ServiceProviderConfig", "location": location },
        }),
    )
}

/// `GET /scim/v2/ResourceTypes` and `GET /scim/v2/Schemas`: none. RFC 7644 wants a filter refused here.
pub(super) async fn nothing_to_list(_: ScimOn, incoming: Incoming) -> Answer {
    if incoming.params.get("filter").is_some() {
        return refusal(StatusCode::FORBIDDEN, "403", "Filtering is not supported on this endpoint");
    }
    let (start_index, resources) = (1, []);
    let none = ListResponse { schemas: [LIST], total_results: 0, start_index, items_per_page: 0, resources };
    scim(StatusCode::OK, &none)
}

/// Anything else below `/scim/v2`.
pub(super) async fn not_there(_: ScimOn) -> Answer {
    refusal(StatusCode::NOT_FOUND, "404", "Endpoint or resource does not exist")
}

fn refusal(status: StatusCode, text: &'static str, detail: &'static str) -> Answer {
    scim(status, &ScimError { schemas: [ERROR], detail, status: text })
}

fn scim(status: StatusCode, document: &impl Serialize) -> Answer {
    let mut response = reply::json(document)?;
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, SCIM);
    Ok(response)
}
