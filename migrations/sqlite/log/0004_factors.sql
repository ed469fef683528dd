-- Second factors and passkeys of a user: JSON lists, as documents show them.
alter table users add column factors text not null default '[]';
alter table users add column passkeys text not null default '[]';
