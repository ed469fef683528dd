-- Organizations, and what they have. Who members are stands in `users` alone.
create table organizations (
    id         text collate "C"    not null primary key,
    name       text collate "C"    not null,
    slug       text collate "C"    not null,
    logo       text collate "C",
    metadata   json,               -- JSON
    created_at bigint not null
);
create index organizations_by_slug on organizations (slug);

create table members (
    id              text collate "C"    not null primary key,
    organization_id text collate "C"    not null,
    user_id         text collate "C"    not null,
    role            text collate "C"    not null,  -- with commas in between
    created_at      bigint not null
);
create index members_by_organization on members (organization_id, created_at, id);
create index members_by_user on members (user_id, organization_id);

-- Open or not. Those of a person who was forgotten have no row.
create table invitations (
    id              text collate "C"    not null primary key,
    organization_id text collate "C"    not null,
    email           text collate "C"    not null,
    user_id         text collate "C",              -- who is meant, where it is known
    role            text collate "C"    not null,  -- with commas in between
    teams           json    not null,  -- a list of ids
    status          text collate "C"    not null,  -- pending, accepted, rejected, canceled
    inviter_id      text collate "C"    not null,
    created_at      bigint not null,
    expires_at      bigint not null
);
create index invitations_by_organization on invitations (organization_id, created_at, id);
create index invitations_by_email on invitations (email, created_at);
create index invitations_by_user on invitations (user_id) where user_id is not null;

create table teams (
    id              text collate "C"    not null primary key,
    organization_id text collate "C"    not null,
    name            text collate "C"    not null,
    created_at      bigint not null,
    updated_at      bigint
);
create index teams_by_organization on teams (organization_id, created_at, id);

create table team_members (
    id              text collate "C"    not null primary key,  -- follows from team and user
    organization_id text collate "C"    not null,
    team_id         text collate "C"    not null,
    user_id         text collate "C"    not null,
    created_at      bigint not null
);
create index team_members_by_organization on team_members (organization_id);
create index team_members_by_team on team_members (team_id, created_at, id);
create index team_members_by_user on team_members (user_id, created_at);

create table organization_roles (
    id              text collate "C"    not null primary key,
    organization_id text collate "C"    not null,
    role            text collate "C"    not null,
    permissions     json    not null,  -- the actions of each resource
    created_at      bigint not null,
    updated_at      bigint
);
create index organization_roles_by_organization on organization_roles (organization_id, created_at, id);
