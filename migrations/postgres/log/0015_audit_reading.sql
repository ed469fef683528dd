-- Reading the log by who did it and by who is named in it. Both indexes leave out what the index by subject
-- has already, and with it nearly everything that happens often: sessions that go on pay nothing.
create index events_by_actor on events (actor, position)
    where actor <> 'visitor' and actor <> subject;
create index events_by_person on events ((payload ->> 'user'), position)
    where aggregate_type <> 'user' and aggregate_type <> 'session' and aggregate_type <> 'recipient'
        and subject <> 'user:' || (payload ->> 'user');
