//! Globs, as regular expressions: matching takes time in proportion to the text, whatever it holds.

/// More alternatives than this are refused.
const MOST_ALTERNATIVES: usize = 256;

/// Splits a comma list; the commas inside braces do not count.
pub(super) fn split(list: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut items = vec![String::new()];
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match items.last_mut() {
            Some(item) if c != ',' || depth > 0 => item.push(c),
            _ => items.push(String::new()),
        }
    }
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// Writes out `{a,b}`: one pattern for each alternative.
pub(super) fn expand(pattern: &str) -> Result<Vec<String>, &'static str> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(pattern) = open.pop() {
        if done.len() + open.len() >= MOST_ALTERNATIVES {
            return Err("it has too many alternatives");
        }
        let Some((start, end, commas)) = first_braces(&pattern)? else {
            done.push(pattern);
            continue;
        };
        let mut from = start + 1;
        for to in commas.into_iter().chain([end]) {
            open.push(format!("{}{}{}", &pattern[..start], &pattern[from..to], &pattern[end + 1..]));
            from = to + 1;
        }
    }
    Ok(done)
}

/// Where braces open and close, and the commas between their alternatives.
type Braces = (usize, usize, Vec<usize>);

/// The first outermost braces.
fn first_braces(pattern: &str) -> Result<Option<Braces>, &'static str> {
    let mut start = None;
    let mut depth = 0_usize;
    let mut commas = Vec::new();
    let mut escaped = false;
    for (at, c) in pattern.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (c, start) {
            ('\\', _) => escaped = true,
            ('{', _) => {
                depth += 1;
                start = start.or(Some(at));
            }
            ('}', None) => return Err("a brace is closed that was never opened"),
            ('}', Some(start)) => {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some((start, at, commas)));
                }
            }
            (',', Some(_)) if depth == 1 => commas.push(at),
            _ => {}
        }
    }
    if start.is_some() { Err("a brace is never closed") } else { Ok(None) }
}

/// The regular expression of a glob without braces, not anchored.
pub(super) fn expression(glob: &str) -> Result<String, &'static str> {
    let mut expression = String::new();
    let mut chars = glob.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                let mut stars = 1;
                while chars.next_if_eq(&'*').is_some() {
                    stars += 1;
                }
                expression += if stars > 1 { ".*" } else { "[^./]*" };
            }
            '?' => expression += "[^./]",
            '[' => class(&mut chars, &mut expression)?,
            '\\' => match chars.next() {
                Some(c) => expression += &regex::escape(c.encode_utf8(&mut [0; 4])),
                None => return Err("it ends in a backslash"),
            },
            c => expression += &regex::escape(c.encode_utf8(&mut [0; 4])),
        }
    }
    Ok(expression)
}

fn class(chars: &mut impl Iterator<Item = char>, expression: &mut String) -> Result<(), &'static str> {
    let members: Vec<char> = chars.by_ref().take_while(|c| *c != ']').collect();
    let (negated, members) = match members.split_first() {
        Some(('!', members)) => (true, members),
        _ => (false, &members[..]),
    };
    if members.is_empty() || members.contains(&'[') || members.contains(&'\\') {
        return Err("a character class is empty or not closed");
    }
    *expression += if negated { "[^" } else { "[" };
    for (at, c) in members.iter().enumerate() {
        let between = at > 0 && at + 1 < members.len();
        if *c == '-' && between {
            expression.push('-');
        } else {
            expression.extend(["\\x{", &format!("{:x}", u32::from(*c)), "}"]);
        }
    }
    expression.push(']');
    Ok(())
}
