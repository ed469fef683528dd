-- The OAuth server: clients, what users granted to them, and the sessions that they have.

create table oauth_clients (
    id            text collate "C" not null primary key,
    registration  text collate "C" not null,    -- manual or dynamic
    name          text collate "C",
    uri           text collate "C",
    logo_uri      text collate "C",
    redirect_uris json not null,    -- where codes may be sent
    grant_types   json not null,    -- what may be exchanged for tokens
    auth_method   text collate "C" not null,    -- how it proves that it is the one
    created_at    bigint not null,
    updated_at    bigint not null,
    position      bigint not null     -- of the event that registered it: the order of the list
);
create index oauth_clients_by_position on oauth_clients (position);

create table oauth_consents (
    id         text collate "C" not null primary key,
    user_id    text collate "C" not null,
    client_id  text collate "C" not null,
    scopes     json not null,
    granted_at bigint not null
);
create index oauth_consents_by_user on oauth_consents (user_id, granted_at);

-- The client that has the session, and what it may; null: the user has it.
alter table sessions add column client_id text collate "C";
alter table sessions add column scopes text collate "C";
