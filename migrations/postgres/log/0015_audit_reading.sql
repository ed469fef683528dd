-- Reading the log by who did it and by who is named in it. Both indexes leave out what the index by subject
-- has already, and with it nearly everything that happens often: sessions that go on pay nothing.
create index events_by_actor on events (actor, position)
    where actor <> 'visitor' and actor <> subject;
-- By the text and not by `->>`, which fails over any text in the payload that holds U+0000.
create index events_by_person on events ((substring(payload::text from '"user":"([0-9a-f-]{36})"')), position)
    where aggregate_type <> 'user' and aggregate_type <> 'session' and aggregate_type <> 'recipient'
        and subject <> 'user:' || (substring(payload::text from '"user":"([0-9a-f-]{36})"'));
