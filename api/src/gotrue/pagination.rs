//! Pages of lists: which one is asked for, and the headers that lead to the others.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use evident_projections::views::Direction;
use url::form_urlencoded::Serializer;

use super::error::GotrueError;
use super::incoming::Incoming;
use super::params::Params;

const TOTAL: HeaderName = HeaderName::from_static("x-total-count");

/// How many entries a page has when nobody says so.
const DEFAULT_PER_PAGE: u64 = 50;

/// The page that a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Its number; the first is 1.
    pub page: u64,
    /// How many entries a page has; at least 1.
    pub per_page: u32,
    /// The order.
    pub direction: Direction,
}

impl Paging {
    /// Reads `page`, `per_page` and `sort`.
    ///
    /// # Errors
    /// In the words of Supabase Auth; a page without entries is refused.
    pub fn read(params: &Params) -> Result<Self, GotrueError> {
        let page = number(params, "page")?.unwrap_or(1).max(1);
        let per_page = number(params, "per_page")?.unwrap_or(DEFAULT_PER_PAGE);
        if per_page == 0 {
            return Err(GotrueError::validation(
                "Bad Pagination Parameters: per_page must be greater than 0",
            ));
        }
        let per_page = u32::try_from(per_page).unwrap_or(u32::MAX);
        Ok(Self { page, per_page, direction: direction(params)? })
    }

    /// How many entries stand before the page.
    pub fn offset(&self) -> u64 {
        (self.page - 1).saturating_mul(u64::from(self.per_page))
    }

    /// The headers of a page: how many entries there are, and where the other pages are.
    pub(super) fn head(&self, headers: &mut HeaderMap, incoming: &Incoming, total: u64) {
        headers.insert(TOTAL, HeaderValue::from(total));
        if let Ok(link) = HeaderValue::try_from(self.link(&incoming.path, &incoming.params, total)) {
            headers.insert(header::LINK, link);
        }
    }

    /// The `Link` header: the next page where there is one, and the last. It names the path and the
    /// query of the request, keys in alphabetical order.
    pub fn link(&self, path: &str, params: &Params, total: u64) -> String {
        let last = total.div_ceil(u64::from(self.per_page));
        let link = |page: u64, relation: &str| {
            let page = page.to_string();
            let mut query: Vec<(&str, &str)> = params.iter().filter(|(key, _)| *key != "page").collect();
            query.push(("page", &page));
            // Equal keys keep their order.
            query.sort_by_key(|(key, _)| *key);
            let query = Serializer::new(String::new()).extend_pairs(query).finish();
            format!("<{path}?{query}>; rel=\"{relation}\"")
        };
        let last_link = link(last, "last");
        if self.page < last { format!("{}, {last_link}", link(self.page + 1, "next")) } else { last_link }
    }
}

/// A number of the query; an empty one counts as absent.
fn number(params: &Params, key: &str) -> Result<Option<u64>, GotrueError> {
    let Some(text) = params.get(key).filter(|text| !text.is_empty()) else { return Ok(None) };
    // Rust takes a plus, Go does not.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let problem = match text.parse() {
        Ok(number) if digits => return Ok(Some(number)),
        _ if digits => "value out of range",
        _ => "invalid syntax",
    };
    Err(GotrueError::validation(format!(
        "Bad Pagination Parameters: strconv.ParseUint: parsing {text:?}: {problem}"
    )))
}

/// The order of the first `sort`; all of them have to read.
fn direction(params: &Params) -> Result<Direction, GotrueError> {
    let mut chosen = None;
    for sort in params.all("sort") {
        let (field, direction) = sort.split_once(' ').unwrap_or((sort, "desc"));
        if field != "created_at" {
            return Err(GotrueError::validation(format!(
                "Bad Sort Parameters: bad field for sort '{field}'"
            )));
        }
        let read = if direction.eq_ignore_ascii_case("asc") {
            Direction::Ascending
        } else if direction.eq_ignore_ascii_case("desc") {
            Direction::Descending
        } else {
            return Err(GotrueError::validation(format!(
                "Bad Sort Parameters: bad direction for sort '{direction}', only 'asc' and 'desc' allowed"
            )));
        };
        chosen.get_or_insert(read);
    }
    Ok(chosen.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Paging, String> {
        Paging::read(&Params::parse(query)).map_err(|error| error.message().to_owned())
    }

    fn link(query: &str, total: u64) -> String {
        let params = Params::parse(query);
        Paging::read(&params).unwrap().link("/admin/users", &params, total)
    }

    #[test]
    fn nothing_asked_is_the_first_page_of_fifty_newest_first() {
        let first = Paging { page: 1, per_page: 50, direction: Direction::Descending };
        assert_eq!(read(""), Ok(first));
        assert_eq!(read("page=&per_page="), Ok(first));
        assert_eq!(read("page=0"), Ok(first));
        assert_eq!(read("sort=created_at"), Ok(first));
        assert_eq!(first.offset(), 0);
    }

    #[test]
    fn a_page_of_any_size_can_be_asked_for() {
        let page = read("page=3&per_page=7&sort=created_at+ASC&sort=created_at+desc").unwrap();
        assert_eq!(page, Paging { page: 3, per_page: 7, direction: Direction::Ascending });
        assert_eq!(page.offset(), 14);
        let huge = read("page=18446744073709551615&per_page=18446744073709551615").unwrap();
        assert_eq!((huge.per_page, huge.offset()), (u32::MAX, u64::MAX));
    }

    #[test]
    fn what_does_not_read_is_refused_in_the_peers_words() {
        for (query, message) in [
            ("page=-1", r#"Bad Pagination Parameters: strconv.ParseUint: parsing "-1": invalid syntax"#),
            ("page=x", r#"Bad Pagination Parameters: strconv.ParseUint: parsing "x": invalid syntax"#),
            (
                "per_page=%2B1",
                r#"Bad Pagination Parameters: strconv.ParseUint: parsing "+1": invalid syntax"#,
            ),
            (
                "page=99999999999999999999",
                r#"Bad Pagination Parameters: strconv.ParseUint: parsing "99999999999999999999": value out of range"#,
            ),
            ("per_page=0", "Bad Pagination Parameters: per_page must be greater than 0"),
            ("sort=email+asc", "Bad Sort Parameters: bad field for sort 'email'"),
            ("sort=", "Bad Sort Parameters: bad field for sort ''"),
            (
                "sort=created_at+up",
                "Bad Sort Parameters: bad direction for sort 'up', only 'asc' and 'desc' allowed",
            ),
        ] {
            assert_eq!(read(query), Err(message.to_owned()), "{query}");
        }
    }

    #[test]
    fn links_lead_to_the_next_and_the_last_page() {
        assert_eq!(link("", 18), r#"</admin/users?page=1>; rel="last""#);
        assert_eq!(
            link("page=2&per_page=2", 18),
            r#"</admin/users?page=3&per_page=2>; rel="next", </admin/users?page=9&per_page=2>; rel="last""#
        );
        assert_eq!(link("page=99&per_page=10", 18), r#"</admin/users?page=2&per_page=10>; rel="last""#);
        assert_eq!(link("filter=jack", 1), r#"</admin/users?filter=jack&page=1>; rel="last""#);
        assert_eq!(link("page=&per_page=", 18), r#"</admin/users?page=1&per_page=>; rel="last""#);
        assert_eq!(link("", 0), r#"</admin/users?page=0>; rel="last""#);
        assert_eq!(
            link("sort=created_at+asc&per_page=1", 18),
            "</admin/users?page=2&per_page=1&sort=created_at+asc>; rel=\"next\", \
             </admin/users?page=18&per_page=1&sort=created_at+asc>; rel=\"last\""
        );
    }

    #[test]
    fn a_link_cannot_be_broken_out_of() {
        let link = link("filter=%3E%22%0D%0AX%3A+y", 1);
        assert_eq!(link, r#"</admin/users?filter=%3E%22%0D%0AX%3A+y&page=1>; rel="last""#);
    }
}
