//! The hook that decides what stands in access tokens.

use std::fmt::Write as _;
use std::net::IpAddr;

use evident_domain::UserId;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{HookError, Hooks};
use crate::tokens::Claims;

/// Claims as a hook wants them, by name. They are signed as they are.
#[derive(Clone, PartialEq)]
pub struct HookClaims(Map<String, Value>);

#[derive(Serialize)]
struct Input<'a> {
    user_id: UserId,
    claims: &'a Claims,
    authentication_method: &'a str,
}

/// The claims that every access token has, or may have, and their types in JSON.
const SCHEMA: [(&str, &[&str], bool); 16] = [
    ("aal", &["string"], true),
    ("amr", &["array"], false),
    ("app_metadata", &["object"], false),
    ("aud", &["string", "array"], true),
    ("email", &["string"], true),
    ("exp", &["integer"], true),
    ("iat", &["integer"], true),
    ("is_anonymous", &["boolean"], true),
    ("iss", &["string"], false),
    ("jti", &["string"], false),
    ("nbf", &["integer"], false),
    ("phone", &["string"], true),
    ("role", &["string"], true),
    ("session_id", &["string"], true),
    ("sub", &["string"], true),
    ("user_metadata", &["object"], false),
];

impl Hooks {
    /// Whether a hook decides what stands in access tokens.
    pub(crate) fn shapes_tokens(&self) -> bool {
        self.custom_access_token.is_some()
    }

    /// What the hook makes of the claims of a token; none where there is no hook.
    pub(crate) async fn shape(
        &self,
        ip: Option<IpAddr>,
        user: UserId,
        claims: &Claims,
        method: &str,
    ) -> Result<Option<HookClaims>, HookError> {
        let Some(endpoint) = &self.custom_access_token else { return Ok(None) };
        let input = Input { user_id: user, claims, authentication_method: method };
        let output = self.ask(endpoint, "customize-access-token", ip, input).await?;
        HookClaims::of(output).map(Some)
    }
}

impl HookClaims {
    /// The claims of a hook's output.
    fn of(output: Option<Value>) -> Result<Self, HookError> {
        let claims = match output {
            Some(Value::Object(mut fields)) => fields.remove("claims"),
            _ => None,
        };
        match claims {
            None | Some(Value::Null) => Err(HookError::NoClaims),
            Some(Value::Object(claims)) => {
                let faults = faults(&claims);
                if faults.is_empty() { Ok(Self(claims)) } else { Err(HookError::BadClaims(faults)) }
            }
            Some(_) => Err(HookError::NotJson),
        }
    }

    /// When the token ends, in Unix seconds.
    pub(crate) fn exp(&self) -> Option<i64> {
        self.0.get("exp")?.as_i64()
    }

    /// The claims.
    pub(crate) fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// Personal data stay out of logs.
impl std::fmt::Debug for HookClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HookClaims(…)")
    }
}

/// One line for each thing that no access token can be without.
fn faults(claims: &Map<String, Value>) -> String {
    let mut faults = String::new();
    let missing = SCHEMA.iter().filter(|(name, _, needed)| *needed && !claims.contains_key(*name));
    for (name, _, _) in missing {
        // Writing to a text cannot fail.
        let _ = writeln!(faults, "- (root): {name} is required");
    }
    for (name, types, _) in SCHEMA {
        let Some(value) = claims.get(name) else { continue };
        let given = type_of(value);
        if !types.contains(&given) {
            let expected = if types.len() == 1 { types[0].to_owned() } else { types.join("/") };
            let _ = writeln!(faults, "- {name}: Invalid type. Expected: {expected}, given: {given}");
        }
    }
    faults
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn whole() -> Value {
        json!({
            "aud": "authenticated", "exp": 1_795_232_661, "iat": 1_795_229_061, "sub": "1", "email": "",
            "phone": "", "role": "authenticated", "aal": "aal1", "session_id": "2", "is_anonymous": false,
        })
    }

    #[test]
    fn claims_may_grow_and_lose_what_nobody_needs() {
        let mut claims = whole();
        claims["plan"] = json!("pro");
        let taken = HookClaims::of(Some(json!({ "claims": claims }))).unwrap();
        assert_eq!(taken.as_map()["plan"], "pro");
        assert_eq!(taken.exp(), Some(1_795_232_661));
    }

    #[test]
    fn no_claims_are_no_token() {
        for output in [None, Some(json!({})), Some(json!({"claims": null})), Some(Value::Null)] {
            assert_eq!(HookClaims::of(output), Err(HookError::NoClaims));
        }
        assert_eq!(HookClaims::of(Some(json!({"claims": "x"}))), Err(HookError::NotJson));
    }

    #[test]
    fn what_every_token_needs_is_there_and_of_its_type() {
        let mut claims = whole();
        claims.as_object_mut().unwrap().remove("email");
        claims["exp"] = json!("soon");
        claims["aud"] = json!(5);
        claims["iat"] = json!(1.5);
        let error = HookClaims::of(Some(json!({ "claims": claims }))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "output claims do not conform to the expected schema: \n- (root): email is required\n- aud: Invalid type. Expected: string/array, given: integer\n- exp: Invalid type. Expected: integer, given: string\n- iat: Invalid type. Expected: integer, given: number\n"
        );
    }
}
