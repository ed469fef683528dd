-- Which events are entries of the audit log, and what they are called there: a letter for each position, and a row for
-- 2^8 of them, instead of a row and entries of indexes for each. It stands in audit_actions
-- (projections/src/folds/audit_actions.rs), and who did it in audit_authors where that is not the event's subject.
drop table audit_entries;
drop table if exists audit_entries_shadow;
drop table if exists audit_entries_old;
delete from projections where name = 'audit_entries';
delete from projection_shadows where name = 'audit_entries';

create table audit_actions (
    number  text not null primary key,  -- of the row, 16 digits: its first position divided by 2^8
    letters text not null               -- one for each of its positions, a dot where no entry stands
) strict, without rowid;

create table audit_authors (
    entry text not null primary key,  -- the event's position, 16 digits
    actor text not null               -- `user:<id>`, `admin:<role>`, `operator` …
) strict, without rowid;
create index audit_authors_by_actor on audit_authors (actor, entry);
