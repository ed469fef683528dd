-- What proofs are made of, and what was signed. Tiles follow from the log; checkpoints do not: a signature
-- that was given is kept, so that no other one is ever given for a tree of that size.
create table tree_tiles (
    level  integer not null,  -- 0 are the leaves' hashes
    number integer not null,
    hashes blob    not null,  -- 256 hashes, one after the other: only full tiles are kept
    root   blob    not null,  -- the root of the subtree over them, a hash of the level above
    primary key (level, number)
) strict;

create table tree_checkpoints (
    size      integer primary key,
    root      blob    not null,
    note      text    not null,    -- the signed note, without cosignatures
    signed_at integer not null     -- microseconds since 1970
) strict;

create table tree_cosignatures (
    size    integer not null references tree_checkpoints (size),
    witness text    not null,      -- its verifier key
    line    text    not null,      -- its signature line, as it came
    primary key (size, witness)
) strict, without rowid;

create table tree_identity (
    only_row integer primary key check (only_row = 1),
    origin   text    not null      -- the log's name in its checkpoints
) strict;
