-- Lists of administrators: every order is one of an index, or of several. What few users have stands in an
-- index of those few; whoever has it not stands in the order of ids. `deleted_at` goes along where lists walk
-- or count, so that closed accounts are passed by without a look at their rows, and `created_at` so that those
-- whom a condition leaves are sorted as lists are by themselves.
--
-- None has `updated_at`: a sign-in changes it and nothing else that an index has, so the row's new version stands
-- beside the old one and no index is touched (a heap-only tuple). With an index of it every sign-in would write
-- to all of them.
create index users_by_id on users (aud, id, deleted_at);
create index users_confirmed on users (aud, id, deleted_at, created_at)
    where email_confirmed_at is not null;
create index users_unconfirmed on users (aud, id, deleted_at, created_at)
    where email_confirmed_at is null;
create index users_by_shown_name on users (aud, display_username, id, deleted_at, created_at)
    where display_username is not null;
create index users_by_phone on users (aud, phone, id, deleted_at, created_at)
    where phone is not null;
create index users_with_phone on users (aud, id, deleted_at, created_at)
    where phone_confirmed_at is not null;
create index users_by_ban_reason on users (aud, ban_reason, id, deleted_at, created_at)
    where ban_reason is not null;

-- Those that were there, with what goes along.
drop index users_by_created_at;
create index users_by_created_at on users (aud, created_at, id, deleted_at);
drop index users_by_name;
create index users_by_name on users (aud, name, id, deleted_at, created_at);
drop index users_by_email;
create index users_by_email on users (aud, email, id, deleted_at, created_at);
drop index users_by_username;
create index users_by_username on users (aud, username, id, deleted_at, created_at)
    where username is not null;
drop index users_with_roles;
create index users_with_roles on users (aud, admin_roles, id, deleted_at, created_at)
    where admin_roles is not null;
drop index users_with_ban;
create index users_with_ban on users (aud, banned_until, id, deleted_at, created_at)
    where banned_until is not null;
drop index users_with_two_factor;
create index users_with_two_factor on users (aud, id, deleted_at, created_at)
    where two_factor;
drop index users_without_name;
create index users_without_name on users (aud, id, deleted_at, created_at)
    where is_anonymous;
drop index users_closed;
create index users_closed on users (aud, deleted_at, id)
    where deleted_at is not null;
