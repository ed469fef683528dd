-- Which events are entries of the audit log. What an entry tells is read from the event.
create table audit_entries (
    entry  text not null primary key,  -- the event's position, 16 digits
    action text not null,              -- `login`, `user_modified` …
    actor  text                        -- `user:<id>`, `admin:<role>`, `visitor` …; null: the event's subject
) strict, without rowid;
create index audit_entries_by_action on audit_entries (action, entry);
create index audit_entries_by_actor on audit_entries (actor, entry) where actor is not null;

-- How many entries of an action stand in a stretch of 2^14 positions. Lists take their total from here,
-- and skip to a far page without walking there.
create table audit_counts (
    bucket  text    not null primary key,  -- `<stretch>:<action>`
    action  text    not null,
    stretch integer not null,
    entries integer not null
) strict, without rowid;
