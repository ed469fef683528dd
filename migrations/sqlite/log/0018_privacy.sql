-- Failed sign-ins by the keyed hash of the address or number: whoever is forgotten, and retention, find
-- them by it.
create index events_by_failed_account on events (payload ->> '$.account')
    where event_type = 'attempt.sign_in_failed';
create index sign_in_failures_by_time on sign_in_failures (last_at);

-- Sessions in which an administrator acts for somebody end when the administrator is forgotten.
create index sessions_by_impersonator on sessions (impersonator) where impersonator is not null;

-- How far retention has come, for each class of events. It can be lost: it begins again then.
create table retention_progress (
    class    text    not null primary key,
    position integer not null,  -- up to here everything was looked at
    holds    text    not null,  -- the legal holds that counted then
    dropped  integer not null,  -- contents, since the beginning
    ran_at   integer not null   -- microseconds since 1970
) strict;
