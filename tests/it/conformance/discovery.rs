//! What the server says of itself.

use super::row::{Row, by};
use super::world::World;
use crate::support::{Anonymous, Reply};

pub(super) const ROWS: &[Row] = &[
    Row::of("GET /health", by!(health)),
    Row::of("GET /settings", by!(settings)),
    Row::of("GET /.well-known/jwks.json", by!(keys)),
    Row::of("GET /.well-known/openid-configuration", by!(openid))
        .but("Without an issuer it falls back to the external address."),
    Row::of("GET /.well-known/oauth-authorization-server", by!(oauth)),
    Row::of("GET /scim/v2/ServiceProviderConfig", by!(scim_configuration)),
    Row::of("GET /scim/v2/ResourceTypes", by!(scim_types)),
    Row::of("GET /scim/v2/Schemas", by!(scim_schemas)),
];

async fn health(world: &World) -> Reply {
    world.server.get(&Anonymous, "/health").await
}

async fn settings(world: &World) -> Reply {
    world.server.get(&Anonymous, "/settings").await
}

async fn keys(world: &World) -> Reply {
    world.server.get(&Anonymous, "/.well-known/jwks.json").await
}

async fn openid(world: &World) -> Reply {
    world.server.get(&Anonymous, "/.well-known/openid-configuration").await
}

async fn oauth(world: &World) -> Reply {
    world.server.get(&Anonymous, "/.well-known/oauth-authorization-server").await
}

async fn scim_configuration(world: &World) -> Reply {
    world.server.get(&Anonymous, "/scim/v2/ServiceProviderConfig").await
}

async fn scim_types(world: &World) -> Reply {
    world.server.get(&Anonymous, "/scim/v2/ResourceTypes").await
}

async fn scim_schemas(world: &World) -> Reply {
    world.server.get(&Anonymous, "/scim/v2/Schemas").await
}
