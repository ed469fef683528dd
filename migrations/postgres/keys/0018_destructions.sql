-- How many keys were destroyed: a node that has seen fewer lets go of those it keeps at hand.
create table key_destructions (
    only_row bigint primary key check (only_row = 1),
    keys     bigint not null
) with (fillfactor = 50);
insert into key_destructions values (1, 0);
