-- How many keys were destroyed: a node that has seen fewer lets go of those it keeps at hand.
create table key_destructions (
    only_row integer primary key check (only_row = 1),
    keys     integer not null
) strict;
insert into key_destructions values (1, 0);
