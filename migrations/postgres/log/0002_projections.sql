-- Projections: every row here follows from the events. Times are microseconds since 1970.
-- A rebuild makes each table anew beside the live one and swaps them by name; it copies the definitions
-- it finds.

-- What each projection was last built from.
create table projections (
    name     text collate "C" not null primary key,
    version  bigint not null,  -- of the fold
    position bigint not null,  -- of the last event at the time
    built_at bigint not null
);

-- Who is rebuilding just now; one at a time.
create table projection_rebuild (
    only_row bigint primary key check (only_row = 1),
    owner    text collate "C" not null,
    beat     bigint not null   -- moves while the owner is alive
);

create table users (
    id                       text collate "C" not null primary key,
    aud                      text collate "C" not null,
    role                     text collate "C" not null,
    email                    text collate "C",
    email_confirmed_at       bigint,
    invited_at               bigint,
    phone                    text collate "C",
    phone_confirmed_at       bigint,
    confirmation_sent_at     bigint,
    recovery_sent_at         bigint,
    new_email                text collate "C",
    email_change_sent_at     bigint,
    new_phone                text collate "C",
    phone_change_sent_at     bigint,
    reauthentication_sent_at bigint,
    last_sign_in_at          bigint,
    app_metadata             json not null,
    user_metadata            json not null,
    created_at               bigint not null,
    updated_at               bigint not null,
    banned_until             bigint,            -- the last second of the year 9999: without end
    ban_reason               text collate "C",
    deleted_at               bigint,
    is_anonymous             boolean not null,
    has_password             boolean not null,
    search                   text collate "C" not null    -- address and full name in lower case, a line each
) with (fillfactor = 80);
create index users_by_new_email on users (new_email) where new_email is not null;
create index users_by_new_phone on users (new_phone) where new_phone is not null;
create index users_by_created_at on users (aud, created_at, id);

-- The three-letter pieces of a text: a text that contains another has all its pieces. (What pg_trgm
-- does, without asking for an extension.)
create function search_pieces(text) returns text[] language sql immutable strict parallel safe cost 1000
    return array(select distinct substr($1, i, 3) from generate_series(1, length($1) - 2) as i);
create index users_by_search on users using gin (search_pieces(search));

-- How many users of an audience were created in a stretch of time of 2^level microseconds. Lists take
-- their total from here, and skip to a far page without walking there.
create table user_counts (
    bucket text collate "C" not null primary key,  -- `<level>:<start>:<aud>`
    aud    text collate "C" not null,
    level  bigint not null,
    start  bigint not null,
    users  bigint not null
);
create index user_counts_by_start on user_counts (aud, level, start, users);

create table identities (
    identity_id     text collate "C" not null primary key,
    user_id         text collate "C" not null,
    provider        text collate "C" not null,
    provider_id     text collate "C" not null,
    identity_data   json not null,
    email           text collate "C",
    last_sign_in_at bigint,
    created_at      bigint not null,
    updated_at      bigint not null,
    position        bigint not null    -- of the event that linked it: the order of a user's identities
);
create index identities_by_user on identities (user_id, position);

-- Sessions that live. A revoked one has no row.
create table sessions (
    id           text collate "C" not null primary key,
    user_id      text collate "C" not null,
    created_at   bigint not null,
    updated_at   bigint not null,
    refreshed_at bigint,
    aal          text collate "C" not null,
    amr          json not null,    -- JSON: what was proven and when, newest first
    generation   bigint not null,    -- the number of the refresh token that is good now
    user_agent   text collate "C",
    ip           text collate "C",
    not_after    bigint
) with (fillfactor = 80);
create index sessions_by_user on sessions (user_id, created_at, id);

-- Wrong passwords and codes by account, known or not.
create table sign_in_failures (
    account  text collate "C" not null primary key,  -- keyed hash of the address or number
    failures bigint not null,              -- in a row, each within the idle time of the one before
    last_at  bigint not null
);

-- Who was forgotten: their keys are destroyed again at every start.
create table erased_subjects (
    subject   text collate "C" not null primary key,
    erased_at bigint not null,
    position  bigint not null
);
create index erased_subjects_by_position on erased_subjects (position);
