-- Organizations, and what they have. Who members are stands in `users` alone.
create table organizations (
    id         text    not null primary key,
    name       text    not null,
    slug       text    not null,
    logo       text,
    metadata   text,               -- JSON
    created_at integer not null
) strict;
create index organizations_by_slug on organizations (slug);

create table members (
    id              text    not null primary key,
    organization_id text    not null,
    user_id         text    not null,
    role            text    not null,  -- with commas in between
    created_at      integer not null
) strict;
create index members_by_organization on members (organization_id, created_at, id);
create index members_by_user on members (user_id, organization_id);

-- Open or not. Those of a person who was forgotten have no row.
create table invitations (
    id              text    not null primary key,
    organization_id text    not null,
    email           text    not null,
    user_id         text,              -- who is meant, where it is known
    role            text    not null,  -- with commas in between
    teams           text    not null,  -- JSON: a list of ids
    status          text    not null,  -- pending, accepted, rejected, canceled
    inviter_id      text    not null,
    created_at      integer not null,
    expires_at      integer not null
) strict;
create index invitations_by_organization on invitations (organization_id, created_at, id);
create index invitations_by_email on invitations (email, created_at);
create index invitations_by_user on invitations (user_id) where user_id is not null;

create table teams (
    id              text    not null primary key,
    organization_id text    not null,
    name            text    not null,
    created_at      integer not null,
    updated_at      integer
) strict;
create index teams_by_organization on teams (organization_id, created_at, id);

create table team_members (
    id              text    not null primary key,  -- follows from team and user
    organization_id text    not null,
    team_id         text    not null,
    user_id         text    not null,
    created_at      integer not null
) strict;
create index team_members_by_organization on team_members (organization_id);
create index team_members_by_team on team_members (team_id, created_at, id);
create index team_members_by_user on team_members (user_id, created_at);

create table organization_roles (
    id              text    not null primary key,
    organization_id text    not null,
    role            text    not null,
    permissions     text    not null,  -- JSON: the actions of each resource
    created_at      integer not null,
    updated_at      integer
) strict;
create index organization_roles_by_organization on organization_roles (organization_id, created_at, id);
