-- The OAuth server: clients, what users granted to them, and the sessions that they have.

create table oauth_clients (
    id            text    not null primary key,
    registration  text    not null,    -- manual or dynamic
    name          text,
    uri           text,
    logo_uri      text,
    redirect_uris text    not null,    -- JSON: where codes may be sent
    grant_types   text    not null,    -- JSON: what may be exchanged for tokens
    auth_method   text    not null,    -- how it proves that it is the one
    created_at    integer not null,
    updated_at    integer not null,
    position      integer not null     -- of the event that registered it: the order of the list
) strict;
create index oauth_clients_by_position on oauth_clients (position);

create table oauth_consents (
    id         text    not null primary key,
    user_id    text    not null,
    client_id  text    not null,
    scopes     text    not null,    -- JSON
    granted_at integer not null
) strict;
create index oauth_consents_by_user on oauth_consents (user_id, granted_at);

-- The client that has the session, and what it may; null: the user has it.
alter table sessions add column client_id text;
alter table sessions add column scopes text;
