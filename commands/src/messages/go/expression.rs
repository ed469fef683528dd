//! The expressions inside `{{ … }}`.

use super::ROOT;

/// Parentheses deeper than this are refused.
const DEEPEST: usize = 32;

/// An expression as minijinja writes it, always one operand: a name with steps, a literal, or something
/// in parentheses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expression {
    pub(super) code: String,
    /// The value went through `urlquery` last.
    pub(super) percent_encoded: bool,
}

impl From<String> for Expression {
    fn from(code: String) -> Self {
        Self { code, percent_encoded: false }
    }
}

impl Expression {
    /// Reads an expression; `dot` is what `.` means here.
    pub(super) fn parse(text: &str, dot: &str) -> Result<Self, String> {
        let mut parser = Parser { rest: text, dot, depth: 0 };
        let expression = parser.pipeline()?;
        match parser.rest {
            "" => Ok(expression),
            rest => Err(format!("{rest:?} is not understood here")),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
    dot: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    /// `command | function | function …`
    fn pipeline(&mut self) -> Result<Expression, String> {
        let mut value = self.command(None)?;
        while self.take("|") {
            value = self.command(Some(value))?;
        }
        Ok(value)
    }

    /// A function with its arguments, or one operand.
    fn command(&mut self, piped: Option<Expression>) -> Result<Expression, String> {
        self.skip_space();
        let name = self.peek_word();
        let is_function = !name.is_empty() && literal(name).is_none();
        if is_function {
            self.rest = &self.rest[name.len()..];
        }
        let mut operands = Vec::new();
        loop {
            self.skip_space();
            if self.rest.is_empty() || self.rest.starts_with(['|', ')']) {
                break;
            }
            operands.push(self.operand()?);
        }
        operands.extend(piped.map(|value| value.code));
        if is_function {
            return call(name, &operands);
        }
        match <[String; 1]>::try_from(operands) {
            Ok([operand]) => Ok(operand.into()),
            Err(none) if none.is_empty() => Err("a value is missing".to_owned()),
            Err(_) => Err("only functions take arguments".to_owned()),
        }
    }

    fn operand(&mut self) -> Result<String, String> {
        if self.take("(") {
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err("too many parentheses".to_owned());
            }
            let inner = self.pipeline()?;
            if !self.take(")") {
                return Err("( is never closed by )".to_owned());
            }
            self.depth -= 1;
            return self.steps(inner.code);
        }
        if let Some(rest) = self.rest.strip_prefix('$') {
            self.rest = rest;
            return match self.peek_word() {
                "" => self.steps(ROOT.to_owned()),
                name => Err(format!("the variable ${name} is not supported, only $ itself")),
            };
        }
        if self.rest.starts_with('.') {
            let dot = self.dot.to_owned();
            return if self.is_step() {
                self.steps(dot)
            } else {
                self.rest = &self.rest[1..];
                Ok(dot)
            };
        }
        if self.rest.starts_with(['"', '`']) {
            return self.string();
        }
        let word = self.peek_word();
        if let Some(literal) = literal(word) {
            self.rest = &self.rest[word.len()..];
            return Ok(literal.to_owned());
        }
        self.number()
    }

    fn is_step(&self) -> bool {
        self.rest
            .strip_prefix('.')
            .is_some_and(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'))
    }

    /// `.Data.full_name` behind an operand.
    fn steps(&mut self, mut code: String) -> Result<String, String> {
        while self.is_step() {
            self.rest = &self.rest[1..];
            let name = self.peek_word();
            self.rest = &self.rest[name.len()..];
            code.extend(["[\"", name, "\"]"]);
        }
        match self.rest.chars().next() {
            None | Some('|' | ')') => Ok(code),
            Some(c) if c.is_whitespace() => Ok(code),
            Some(c) => Err(format!("{c:?} is not understood behind a name")),
        }
    }

    fn string(&mut self) -> Result<String, String> {
        let mut chars = self.rest.char_indices();
        let quote = chars.next().map(|(_, c)| c);
        let mut value = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                c if Some(c) == quote => {
                    self.rest = &self.rest[at + 1..];
                    return serde_json::to_string(&value).map_err(|e| e.to_string());
                }
                '\\' if quote == Some('"') => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 't')) => '\t',
                    Some((_, 'r')) => '\r',
                    Some((_, c @ ('"' | '\\' | '\''))) => c,
                    _ => return Err("this escape in a string is not supported".to_owned()),
                }),
                c => value.push(c),
            }
        }
        Err("a string is never closed".to_owned())
    }

    fn number(&mut self) -> Result<String, String> {
        let end =
            self.rest.find(|c: char| c.is_whitespace() || matches!(c, '|' | ')')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.parse::<i64>().is_err()
            && !(word.contains('.') && word.parse::<f64>().is_ok_and(f64::is_finite))
        {
            return Err(format!("{word:?} is not understood here"));
        }
        self.rest = rest;
        Ok(format!("({word})"))
    }

    fn peek_word(&self) -> &'t str {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        if word.starts_with(|c: char| c.is_numeric()) { "" } else { word }
    }

    fn take(&mut self, mark: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

fn literal(word: &str) -> Option<&'static str> {
    match word {
        "true" => Some("true"),
        "false" => Some("false"),
        "nil" => Some("none"),
        _ => None,
    }
}

fn call(name: &str, operands: &[String]) -> Result<Expression, String> {
    let code = match (name, operands) {
        ("and" | "or", [_, ..]) => format!("({})", operands.join(&format!(" {name} "))),
        ("not", [value]) => format!("(not {value})"),
        ("eq", [value, others @ ..]) if !others.is_empty() => {
            let each: Vec<_> = others.iter().map(|other| format!("{value} == {other}")).collect();
            format!("({})", each.join(" or "))
        }
        ("ne", [one, two]) => format!("({one} != {two})"),
        ("lt", [one, two]) => format!("({one} < {two})"),
        ("le", [one, two]) => format!("({one} <= {two})"),
        ("gt", [one, two]) => format!("({one} > {two})"),
        ("ge", [one, two]) => format!("({one} >= {two})"),
        ("len", [value]) => format!("({value}|go_len)"),
        ("index", [value, keys @ ..]) => {
            keys.iter().fold(value.clone(), |value, key| format!("{value}[{key}]"))
        }
        // Every value of an HTML part is escaped in the end, and a text part needs no escaping.
        ("html", [value]) => value.clone(),
        ("urlquery", [value]) => {
            return Ok(Expression { code: format!("({value}|go_percent_encode)"), percent_encoded: true });
        }
        (
            "and" | "or" | "not" | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "len" | "index" | "html"
            | "urlquery",
            _,
        ) => {
            return Err(format!("the function {name} has the wrong number of arguments"));
        }
        _ => return Err(format!("the function {name} is not supported")),
    };
    Ok(code.into())
}
