-- The log. The first seven columns are those of the cqrs-es event stores, so that any cqrs-es program
-- can read it; the rest is ours. Stored text is what the digests cover: it is never rewritten.
create table events (
    aggregate_type text    not null,
    aggregate_id   text    not null,
    sequence       integer not null check (sequence >= 1),
    event_type     text    not null,
    event_version  text    not null,
    payload        text    not null,
    metadata       text    not null,
    position       integer not null check (position >= 1),  -- 1, 2, 3 … without gaps, in order of commits
    event_id       text    not null,
    occurred_at    integer not null,                        -- microseconds since 1970
    actor          text    not null,                        -- `user:<id>`, `admin:<role>`, `visitor` …
    subject        text,                                    -- whose key seals the personal fields
    salt           blob    not null,                        -- makes a dropped content impossible to guess
    content_digest blob    not null,                        -- SHA-256 of salt, payload and metadata
    leaf_hash      blob    not null,                        -- RFC 6962 leaf hash of the event's leaf
    primary key (aggregate_type, aggregate_id, sequence)
) strict;
create unique index events_by_position on events (position);
create index events_by_subject on events (subject, position);
create index events_by_type on events (event_type, position);

-- The head of the log: one row, locked by every writer, which is what gives the order.
create table log_head (
    only_row     integer primary key check (only_row = 1),
    position     integer not null,  -- of the last event; 0 for the empty log
    frontier     blob    not null,  -- roots of the full subtrees of the Merkle tree, largest first
    writer_epoch integer not null   -- counts the writers that ever opened the log
) strict;
insert into log_head values (1, 0, x'', 0);

-- A value that at most one holder has. A fold of the log like any projection.
create table claims (
    claim    text    not null primary key,  -- `<kind>:<value>`
    kind     text    not null,
    holder   text    not null,              -- the aggregate's id
    position integer not null               -- of the event that took it
) strict, without rowid;
create index claims_by_holder on claims (holder);

-- Messages that are still to be sent. Delivery state, not a projection: a row goes when it is sent.
create table outbox (
    id           text    not null primary key,
    subject      text    not null,  -- whose key seals the payload
    payload      text    not null,  -- sealed
    created_at   integer not null,
    attempts     integer not null,
    next_attempt integer not null,  -- microseconds since 1970
    last_error   text
) strict;
create index outbox_by_next_attempt on outbox (next_attempt);
