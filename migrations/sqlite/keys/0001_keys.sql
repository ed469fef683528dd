-- Keys lie apart from the log, so that a copy of one is not a copy of both.
-- Every key is wrapped by the master key (AES-256-GCM, the row's name as associated data).

-- One key a person or period. Destroying it erases what it sealed, everywhere; the row stays, empty, so
-- that no other key is ever made for the same subject.
create table subject_keys (
    subject    text not null primary key,  -- `user:<id>`, `period:<year-month>`
    wrapped    blob not null,
    created_at integer not null                 -- microseconds since 1970
) strict;

-- The server's own secrets: token keys, signing keys, and a check of the master key itself.
create table server_keys (
    name       text not null primary key,
    wrapped    blob not null,
    created_at integer not null
) strict;
