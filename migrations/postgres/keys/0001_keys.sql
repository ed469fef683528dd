-- Keys lie apart from the log, so that a copy of one is not a copy of both.
-- Every key is wrapped by the master key (AES-256-GCM, the row's name as associated data).

-- One key a person or period. Destroying it erases what it sealed, everywhere; the row stays, empty, so
-- that no other key is ever made for the same subject.
create table subject_keys (
    subject    text collate "C" not null primary key,  -- `user:<id>`, `period:<year-month>`
    wrapped    bytea not null,
    created_at bigint not null                 -- microseconds since 1970
);

-- The server's own secrets: token keys, signing keys, and a check of the master key itself.
create table server_keys (
    name       text collate "C" not null primary key,
    wrapped    bytea not null,
    created_at bigint not null
);
