-- Second factors and passkeys of a user: JSON lists, as documents show them.
alter table users add column factors json not null default '[]';
alter table users add column passkeys json not null default '[]';
