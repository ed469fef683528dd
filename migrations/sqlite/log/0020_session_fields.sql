-- What applications keep with a session, in fields that its owner declares.
alter table sessions add column fields text not null default '{}';  -- JSON
