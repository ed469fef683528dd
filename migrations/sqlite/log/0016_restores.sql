-- Whether an archive was restored whose keys are not all seen to: those of persons that did not travel with
-- it count as destroyed, before anybody makes new ones.
create table restores (
    only_row integer primary key check (only_row = 1)
) strict;
