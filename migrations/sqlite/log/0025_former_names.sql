-- The names of logs that this one was restored from and is not: it never takes one of them.
create table tree_former (
    origin text not null primary key
) strict, without rowid;
