-- Projections: every row here follows from the events. Times are microseconds since 1970.
-- A rebuild makes each table anew beside the live one and swaps them by name; it copies the definitions
-- it finds. On SQLite the indexes then keep a second name (`…__2`), as an index cannot be renamed there.

-- What each projection was last built from.
create table projections (
    name     text    not null primary key,
    version  integer not null,  -- of the fold
    position integer not null,  -- of the last event at the time
    built_at integer not null
) strict;

-- Who is rebuilding just now; one at a time.
create table projection_rebuild (
    only_row integer primary key check (only_row = 1),
    owner    text    not null,
    beat     integer not null   -- moves while the owner is alive
) strict;

create table users (
    id                       text    not null primary key,
    aud                      text    not null,
    role                     text    not null,
    email                    text,
    email_confirmed_at       integer,
    invited_at               integer,
    phone                    text,
    phone_confirmed_at       integer,
    confirmation_sent_at     integer,
    recovery_sent_at         integer,
    new_email                text,
    email_change_sent_at     integer,
    new_phone                text,
    phone_change_sent_at     integer,
    reauthentication_sent_at integer,
    last_sign_in_at          integer,
    app_metadata             text    not null,
    user_metadata            text    not null,
    created_at               integer not null,
    updated_at               integer not null,
    banned_until             integer,            -- the last second of the year 9999: without end
    ban_reason               text,
    deleted_at               integer,
    is_anonymous             integer not null,
    has_password             integer not null,
    search                   text    not null    -- address and full name in lower case, a line each
) strict;
create index users_by_new_email on users (new_email) where new_email is not null;
create index users_by_new_phone on users (new_phone) where new_phone is not null;
create index users_by_created_at on users (aud, created_at, id);
-- Holds all that a filtered list looks at, so that it reads this and not the rows.
create index users_by_search on users (aud, search, created_at, id);

-- How many users of an audience were created in a stretch of time of 2^level microseconds. Lists take
-- their total from here, and skip to a far page without walking there.
create table user_counts (
    bucket text    not null primary key,  -- `<level>:<start>:<aud>`
    aud    text    not null,
    level  integer not null,
    start  integer not null,
    users  integer not null
) strict, without rowid;
create index user_counts_by_start on user_counts (aud, level, start, users);

create table identities (
    identity_id     text    not null primary key,
    user_id         text    not null,
    provider        text    not null,
    provider_id     text    not null,
    identity_data   text    not null,
    email           text,
    last_sign_in_at integer,
    created_at      integer not null,
    updated_at      integer not null,
    position        integer not null    -- of the event that linked it: the order of a user's identities
) strict;
create index identities_by_user on identities (user_id, position);

-- Sessions that live. A revoked one has no row.
create table sessions (
    id           text    not null primary key,
    user_id      text    not null,
    created_at   integer not null,
    updated_at   integer not null,
    refreshed_at integer,
    aal          text    not null,
    amr          text    not null,    -- JSON: what was proven and when, newest first
    generation   integer not null,    -- the number of the refresh token that is good now
    user_agent   text,
    ip           text,
    not_after    integer
) strict, without rowid;
create index sessions_by_user on sessions (user_id, created_at, id);

-- Wrong passwords and codes by account, known or not.
create table sign_in_failures (
    account  text    not null primary key,  -- keyed hash of the address or number
    failures integer not null,              -- in a row, each within the idle time of the one before
    last_at  integer not null
) strict, without rowid;

-- Who was forgotten: their keys are destroyed again at every start.
create table erased_subjects (
    subject   text    not null primary key,
    erased_at integer not null,
    position  integer not null
) strict, without rowid;
create index erased_subjects_by_position on erased_subjects (position);
