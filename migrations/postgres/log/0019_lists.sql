-- Lists of administrators: every order is one of an index, or of several. What few users have stands in an
-- index of those few; whoever has it not stands in the order of ids. `deleted_at` goes along where lists walk
-- or count, so that closed accounts are passed by without a look at their rows.
--
-- None has `updated_at`: a sign-in changes it and nothing else that an index has, so its new row stands beside the
-- old one and no index is touched (a heap-only tuple). With an index of it every sign-in would write to all.
create index users_by_id on users (aud, id, deleted_at);
create index users_confirmed on users (aud, id, deleted_at) where email_confirmed_at is not null;
create index users_unconfirmed on users (aud, id, deleted_at) where email_confirmed_at is null;
create index users_by_shown_name on users (aud, display_username, id, deleted_at) where display_username is not null;
create index users_by_phone on users (aud, phone, id, deleted_at) where phone is not null;
create index users_with_phone on users (aud, id, deleted_at) where phone_confirmed_at is not null;
create index users_by_ban_reason on users (aud, ban_reason, id) where ban_reason is not null;

-- The same in the order of their ids, not of their creation, and with `deleted_at`.
drop index users_by_username;
create index users_by_username on users (aud, username, id, deleted_at) where username is not null;
drop index users_with_roles;
create index users_with_roles on users (aud, admin_roles, id) where admin_roles is not null;
drop index users_with_ban;
create index users_with_ban on users (aud, banned_until, id) where banned_until is not null;
drop index users_with_two_factor;
create index users_with_two_factor on users (aud, id, deleted_at) where two_factor;
drop index users_without_name;
create index users_without_name on users (aud, id, deleted_at) where is_anonymous;
drop index users_closed;
create index users_closed on users (aud, deleted_at, id) where deleted_at is not null;
drop index users_by_created_at;
create index users_by_created_at on users (aud, created_at, id, deleted_at);
