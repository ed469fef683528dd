-- Lists of administrators: every order is one of an index, or of several. What few users have stands in an
-- index of those few; whoever has it not stands in the order of ids. `deleted_at` goes along where lists walk
-- or count, so that closed accounts are passed by without a look at their rows, and `created_at` so that those
-- whom a condition leaves are sorted as lists are by themselves.
create index users_by_id on users (aud, id, deleted_at);
create index users_by_change on users (aud, updated_at, id, deleted_at, created_at);
create index users_confirmed on users (aud, id, deleted_at, created_at, email_confirmed_at)
    where email_confirmed_at is not null;
create index users_unconfirmed on users (aud, id, deleted_at, created_at, email_confirmed_at)
    where email_confirmed_at is null;
create index users_by_shown_name on users (aud, display_username, id, deleted_at, created_at)
    where display_username is not null;
create index users_by_phone on users (aud, phone, id, deleted_at, created_at)
    where phone is not null;
create index users_with_phone on users (aud, id, deleted_at, created_at, phone_confirmed_at)
    where phone_confirmed_at is not null;
create index users_by_ban_reason on users (aud, ban_reason, id, deleted_at, created_at)
    where ban_reason is not null;

-- Those that were there, with what goes along. (A rebuild gives an index its second name.)
drop index if exists users_by_created_at;
drop index if exists users_by_created_at__2;
create index users_by_created_at on users (aud, created_at, id, deleted_at);
drop index if exists users_by_name;
drop index if exists users_by_name__2;
create index users_by_name on users (aud, name, id, deleted_at, created_at);
drop index if exists users_by_email;
drop index if exists users_by_email__2;
create index users_by_email on users (aud, email, id, deleted_at, created_at);
drop index if exists users_by_username;
drop index if exists users_by_username__2;
create index users_by_username on users (aud, username, id, deleted_at, created_at)
    where username is not null;
drop index if exists users_with_roles;
drop index if exists users_with_roles__2;
create index users_with_roles on users (aud, admin_roles, id, deleted_at, created_at)
    where admin_roles is not null;
drop index if exists users_with_ban;
drop index if exists users_with_ban__2;
create index users_with_ban on users (aud, banned_until, id, deleted_at, created_at)
    where banned_until is not null;
drop index if exists users_with_two_factor;
drop index if exists users_with_two_factor__2;
create index users_with_two_factor on users (aud, id, deleted_at, created_at)
    where two_factor = 1;
drop index if exists users_without_name;
drop index if exists users_without_name__2;
create index users_without_name on users (aud, id, deleted_at, created_at)
    where is_anonymous = 1;
drop index if exists users_closed;
drop index if exists users_closed__2;
create index users_closed on users (aud, deleted_at, id)
    where deleted_at is not null;
