-- Providers that administrators register, and the look for an identity by its address.

create table providers (
    id            text    not null primary key,
    identifier    text    not null,
    provider_type text    not null,
    definition    text    not null,    -- JSON: all that may be shown
    client_secret text    not null,    -- enciphered under a key of the server
    created_at    integer not null,
    updated_at    integer not null
) strict, without rowid;
create unique index providers_by_identifier on providers (identifier);

create index identities_by_email on identities (email) where email is not null;
