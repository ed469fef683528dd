-- What proofs are made of, and what was signed. Tiles follow from the log; checkpoints do not: a signature
-- that was given is kept, so that no other one is ever given for a tree of that size.
create table tree_tiles (
    level  bigint not null,  -- 0 are the leaves' hashes
    number bigint not null,
    hashes bytea  not null,  -- 256 hashes, one after the other: only full tiles are kept
    root   bytea  not null,  -- the root of the subtree over them, a hash of the level above
    primary key (level, number)
);
-- Hashes do not compress.
alter table tree_tiles alter column hashes set storage external;

create table tree_checkpoints (
    size      bigint primary key,
    root      bytea  not null,
    note      text   not null,    -- the signed note, without cosignatures
    signed_at bigint not null     -- microseconds since 1970
);

create table tree_cosignatures (
    size    bigint not null references tree_checkpoints (size),
    witness text collate "C" not null,  -- its verifier key
    line    text   not null,            -- its signature line, as it came
    primary key (size, witness)
);

create table tree_identity (
    only_row bigint primary key check (only_row = 1),
    origin   text   not null      -- the log's name in its checkpoints
);
