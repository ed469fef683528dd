-- How many rows each projection had when it was built, and their digest (see projections/src/digest.rs).
alter table projections add column rows   integer;
alter table projections add column digest text;

-- How far the shadow tables of a rebuild go that is under way or was interrupted: it goes on from there.
-- Not a projection: the shadows go when they take the place of the live tables, or are given up.
create table projection_shadows (
    name       text not null primary key,  -- of the projection
    version    integer not null,   -- of the fold that fills it
    definition text not null,   -- digest of the definitions it was made from
    position   integer not null,   -- the shadow holds everything up to here
    rows       integer not null,
    digest     text not null,
    begun_at   integer not null
) strict;
