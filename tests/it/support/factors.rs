//! An authenticator app, and short ways to enroll and show second factors.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::{Person, Reply, TestServer};

/// The length of a time step, in seconds.
const STEP: u64 = 30;
/// How long a code may be on its way to the server, on a slow machine.
const ON_THE_WAY: Duration = Duration::from_secs(3);

/// An app that was shown a secret.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// The factor's id.
    pub(crate) factor: String,
    secret: String,
}

impl App {
    /// The code of so many steps from now. One of the past is the oldest that a server takes: it is made where its
    /// time does not end on the way.
    pub(crate) fn code(&self, steps: i64) -> String {
        let time = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let left = Duration::from_secs(STEP - time().as_secs() % STEP);
        if steps < 0 && left <= ON_THE_WAY {
            std::thread::sleep(left);
        }
        let now = time().as_secs();
        let secret = Secret::try_from_base32(&self.secret).unwrap();
        let app = Builder::new().with_secret(secret).build().unwrap();
        app.generate(now.checked_add_signed(steps * STEP.cast_signed()).unwrap()).to_string()
    }
}

impl App {
    /// The app that reads an address of `otpauth:`.
    pub(crate) fn reading(uri: &str) -> Self {
        let uri = url::Url::parse(uri).unwrap();
        let secret = uri.query_pairs().find(|(name, _)| name == "secret").unwrap().1.into_owned();
        Self { factor: String::new(), secret }
    }
}

impl TestServer {
    /// Enrolls an app.
    pub(crate) async fn enroll_app(&self, person: &Person, name: &str) -> App {
        let body = json!({ "factor_type": "totp", "friendly_name": name });
        let enrolled = self.post(person, "/factors", body).await.ok();
        App {
            factor: enrolled["id"].as_str().unwrap().to_owned(),
            secret: enrolled["totp"]["secret"].as_str().unwrap().to_owned(),
        }
    }

    /// Asks a factor; gives the challenge's id.
    pub(crate) async fn challenge(&self, person: &Person, factor: &str) -> String {
        let asked = self.post(person, &format!("/factors/{factor}/challenge"), json!({})).await.ok();
        asked["id"].as_str().unwrap().to_owned()
    }

    /// Answers a challenge with a code.
    pub(crate) async fn answer(&self, person: &Person, factor: &str, challenge: &str, code: &str) -> Reply {
        let body = json!({ "challenge_id": challenge, "code": code });
        self.post(person, &format!("/factors/{factor}/verify"), body).await
    }

    /// Asks an app and answers with its code of so many steps from now: no code is taken twice.
    pub(crate) async fn show_app(&self, person: &Person, app: &App, steps: i64) -> Person {
        let challenge = self.challenge(person, &app.factor).await;
        let reply = self.answer(person, &app.factor, &challenge, &app.code(steps)).await;
        Person::of_session(&reply.ok())
    }

    /// The person's factors, as they see them.
    pub(crate) async fn factors_of(&self, person: &Person) -> Vec<Value> {
        let user = self.get(person, "/user").await.ok();
        user["factors"].as_array().cloned().unwrap_or_default()
    }
}
