-- Providers that administrators register, and the look for an identity by its address.

create table providers (
    id            text collate "C" not null primary key,
    identifier    text collate "C" not null,
    provider_type text collate "C" not null,
    definition    json not null,       -- all that may be shown
    client_secret text collate "C" not null,    -- enciphered under a key of the server
    created_at    bigint not null,
    updated_at    bigint not null
);
create unique index providers_by_identifier on providers (identifier);

create index identities_by_email on identities (email) where email is not null;
