-- What Better Auth's plugins keep of a user.
alter table users add column admin_roles      text;           -- `admin,user`; null: the default roles
alter table users add column username         text;           -- in lower case
alter table users add column display_username text;
alter table users add column name             text not null default '';  -- `user_metadata.name` in lower case
alter table users add column mail_factor      integer not null default 0;
alter table users add column two_factor       integer not null default 0;

-- Lists of administrators: sorted and searched by name and address, and filtered by what few users are.
create index users_by_name on users (aud, name, id, deleted_at);
create index users_by_email on users (aud, email, id, deleted_at);
create index users_by_username on users (username) where username is not null;
create index users_with_roles on users (aud, admin_roles, created_at, id) where admin_roles is not null;
create index users_with_ban on users (aud, banned_until, created_at, id) where banned_until is not null;
create index users_with_two_factor on users (aud, created_at, id) where two_factor = 1;
create index users_without_name on users (aud, created_at, id) where is_anonymous = 1;
create index users_closed on users (aud, id) where deleted_at is not null;
