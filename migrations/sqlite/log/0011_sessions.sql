-- Sessions whose end moves on while they are used, administrators in a user's name, and where a user acts.
alter table sessions add column slides integer not null default 0;
alter table sessions add column impersonator text;
alter table sessions add column organization_id text;
alter table sessions add column team_id text;
