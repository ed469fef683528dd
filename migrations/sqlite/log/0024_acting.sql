-- Reading the log by who acted with somebody else's name or role beside their own: administrators by their id
-- (`admin:<role>:<id>`), and who acts in another's name (`user:<user>:by:<admin>`), by both. Nearly no event is
-- in these indexes.
create index events_by_admin on events (substr(actor, length(actor) - 35), position)
    where substr(actor, 1, 6) = 'admin:' and length(actor) > 42;
create index events_by_impersonator on events (substr(actor, length(actor) - 35), position)
    where length(actor) = 81 and substr(actor, 42, 4) = ':by:';
create index events_by_impersonated on events (substr(actor, 1, 41), position)
    where length(actor) = 81 and substr(actor, 42, 4) = ':by:';
