//! Second factors and passkeys.

use serde_json::{Value, json};
use totp_rs::Totp;

use super::row::{Row, by};
use super::world::{World, text};
use crate::support::{Anonymous, Person, Reply};

pub(super) const ROWS: &[Row] = &[
    Row::of("POST /factors", by!(enroll)).but("Factors are unique by name only where they have one."),
    Row::of("POST /factors/{factor_id}/challenge", by!(challenge)),
    Row::of("POST /factors/{factor_id}/verify", by!(verify)).but("A code is taken once."),
    Row::of("DELETE /factors/{factor_id}", by!(unenroll)),
    Row::of("POST /passkeys/authentication/options", by!(begin_sign_in)),
    Row::tested_in("POST /passkeys/authentication/verify", "tests/it/passkeys.rs"),
    Row::of("POST /passkeys/registration/options", by!(begin_registration)),
    Row::tested_in("POST /passkeys/registration/verify", "tests/it/passkeys.rs"),
    Row::of("GET /passkeys", by!(list)),
    Row::tested_in("PATCH /passkeys/{passkey_id}", "tests/it/passkeys.rs"),
    Row::tested_in("DELETE /passkeys/{passkey_id}", "tests/it/passkeys.rs"),
];

async fn enroll(world: &World) -> Reply {
    let person = world.person().await;
    enrolled_by(world, &person).await
}

async fn enrolled_by(world: &World, person: &Person) -> Reply {
    let body = json!({ "factor_type": "totp", "friendly_name": "telephone" });
    world.server.post(person, "/factors", body).await
}

/// Somebody with a factor that is not proven yet.
pub(super) async fn with_factor(world: &World) -> (Person, Value) {
    let person = world.person().await;
    let factor = enrolled_by(world, &person).await.ok();
    (person, factor)
}

async fn challenge(world: &World) -> Reply {
    let (person, factor) = with_factor(world).await;
    world.server.post_empty(&person, &format!("/factors/{}/challenge", text(&factor, "/id"))).await
}

async fn verify(world: &World) -> Reply {
    let (person, factor) = with_factor(world).await;
    proven(world, &person, &factor).await
}

/// Proves the factor by the code of this moment.
async fn proven(world: &World, person: &Person, factor: &Value) -> Reply {
    let path = format!("/factors/{}", text(factor, "/id"));
    let challenge = world.server.post_empty(person, &format!("{path}/challenge")).await.ok();
    let totp = Totp::from_url(text(factor, "/totp/uri")).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let body = json!({ "challenge_id": challenge["id"], "code": totp.generate(now.as_secs()).to_string() });
    world.server.post(person, &format!("{path}/verify"), body).await
}

async fn unenroll(world: &World) -> Reply {
    let (person, factor) = with_factor(world).await;
    world.server.delete(&person, &format!("/factors/{}", text(&factor, "/id")), None).await
}

async fn begin_sign_in(world: &World) -> Reply {
    world.server.post(&Anonymous, "/passkeys/authentication/options", json!({})).await
}

async fn begin_registration(world: &World) -> Reply {
    let person = world.person().await;
    world.server.post_empty(&person, "/passkeys/registration/options").await
}

async fn list(world: &World) -> Reply {
    let person = world.person().await;
    world.server.get(&person, "/passkeys").await
}
