-- The same pieces, without the sorting out of those that are there twice: an index does that itself, and a search
-- asks for the same whether it names a piece once or twice.
create or replace function search_pieces(text) returns text[] language sql immutable strict parallel safe cost 1000
    return array(select substr($1, i, 3) from generate_series(1, length($1) - 2) as i);
