-- The log. The first seven columns are those of the cqrs-es event stores, so that any cqrs-es program
-- can read it; the rest is ours. Stored text is what the digests cover: `json` keeps it, `jsonb` would not.
create table events (
    aggregate_type text collate "C"   not null,
    aggregate_id   text collate "C"   not null,
    sequence       bigint not null check (sequence >= 1),
    event_type     text collate "C"   not null,
    event_version  text collate "C"   not null,
    payload        json   not null,
    metadata       json   not null,
    position       bigint not null check (position >= 1),  -- 1, 2, 3 … without gaps, in order of commits
    event_id       text collate "C"   not null,
    occurred_at    bigint not null,                        -- microseconds since 1970
    actor          text collate "C"   not null,                        -- `user:<id>`, `admin:<role>`, `visitor` …
    subject        text collate "C",                                   -- whose key seals the personal fields
    salt           bytea  not null,                        -- makes a dropped content impossible to guess
    content_digest bytea  not null,                        -- SHA-256 of salt, payload and metadata
    leaf_hash      bytea  not null,                        -- RFC 6962 leaf hash of the event's leaf
    primary key (aggregate_type, aggregate_id, sequence)
);
create unique index events_by_position on events (position);
create index events_by_subject on events (subject, position);
create index events_by_type on events (event_type, position);

-- The head of the log: one row, locked by every writer, which is what gives the order.
create table log_head (
    only_row     bigint primary key check (only_row = 1),
    position     bigint not null,  -- of the last event; 0 for the empty log
    frontier     bytea  not null,  -- roots of the full subtrees of the Merkle tree, largest first
    writer_epoch bigint not null   -- counts the writers that ever opened the log
) with (fillfactor = 50);
insert into log_head values (1, 0, ''::bytea, 0);

-- A value that at most one holder has. A fold of the log like any projection.
create table claims (
    claim    text collate "C"   not null primary key,  -- `<kind>:<value>`
    kind     text collate "C"   not null,
    holder   text collate "C"   not null,              -- the aggregate's id
    position bigint not null               -- of the event that took it
);
create index claims_by_holder on claims (holder);

-- Messages that are still to be sent. Delivery state, not a projection: a row goes when it is sent.
create table outbox (
    id           text collate "C"   not null primary key,
    subject      text collate "C"   not null,  -- whose key seals the payload
    payload      text collate "C"   not null,  -- sealed
    created_at   bigint not null,
    attempts     bigint not null,
    next_attempt bigint not null,  -- microseconds since 1970
    last_error   text
);
create index outbox_by_next_attempt on outbox (next_attempt);
