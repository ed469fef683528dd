-- Sessions whose end moves on while they are used, administrators in a user's name, and where a user acts.
alter table sessions add column slides boolean not null default false;
alter table sessions add column impersonator text collate "C";
alter table sessions add column organization_id text collate "C";
alter table sessions add column team_id text collate "C";
