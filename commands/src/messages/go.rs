//! Reads the Go templates that people bring and writes them as minijinja templates.
//!
//! Understood are values (`{{ .Data.full_name }}`, `{{ $.Email }}`), `if`, `else if`, `else`, `with`,
//! `range`, `end`, comments, trim marks, `and or not eq ne lt le gt ge len index html urlquery`,
//! parentheses and pipes. Anything else is an error that names the line. Lines stay where they are, so that
//! minijinja's own errors name the right ones too.

mod expression;

use super::html::{Escape, Misplaced, Scanner};
use expression::Expression;

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct GoError {
    /// The line, from 1.
    pub line: usize,
    /// The problem, in words.
    pub problem: String,
}

/// Which part of a mail a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// HTML: values are escaped for the place they stand in.
    Html,
    /// Plain text: values stand as they are.
    Text,
}

/// The name of the outermost `.` in the minijinja template.
pub(super) const ROOT: &str = "dot";

/// Translates a Go template.
pub(super) fn translate(source: &str, part: Part) -> Result<String, GoError> {
    let mut translator = Translator {
        out: String::with_capacity(source.len() * 2),
        scanner: (part == Part::Html).then(Scanner::new),
        blocks: Vec::new(),
    };
    let mut rest = source;
    let line_at = |rest: &str| 1 + source[..source.len() - rest.len()].matches('\n').count();
    while let Some(start) = rest.find("{{") {
        translator.text(&rest[..start]);
        rest = &rest[start..];
        let error = |problem: String| GoError { line: line_at(rest), problem };
        let end = action_end(&rest[2..]).ok_or_else(|| error("{{ is never closed by }}".to_owned()))?;
        translator.action(&rest[2..2 + end]).map_err(error)?;
        rest = &rest[2 + end + 2..];
    }
    translator.text(rest);
    match translator.blocks.pop() {
        Some(open) => Err(GoError {
            line: line_at(""),
            problem: format!("{{{{ {} }}}} has no {{{{ end }}}}", open.keyword),
        }),
        None => Ok(translator.out),
    }
}

/// Where the action ends that starts here: the first `}}` outside of quotes and comments.
fn action_end(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('-').unwrap_or(text).trim_start();
    if inner.starts_with("/*") {
        let comment = text.len() - inner.len();
        let close = comment + text[comment..].find("*/")?;
        return Some(close + text[close..].find("}}")?);
    }
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if open == c => quote = None,
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[at..].starts_with("}}") => return Some(at),
            Some(_) | None => {}
        }
    }
    None
}

struct Translator {
    out: String,
    /// Follows the HTML; absent for plain text.
    scanner: Option<Scanner>,
    blocks: Vec<Block>,
}

/// An open `if`, `with` or `range`.
struct Block {
    keyword: &'static str,
    /// What `.` means inside.
    dot: Option<String>,
    /// What closes it in minijinja.
    closing: &'static str,
    has_else: bool,
    /// The page in front of the block.
    before: Option<Scanner>,
    /// The page behind the branches so far.
    behind: Option<Scanner>,
}

/// An action without its braces: the words, the trim marks, and the line breaks to keep.
struct Action<'t> {
    body: &'t str,
    open: &'static str,
    close: &'static str,
    breaks: String,
}

impl Translator {
    fn text(&mut self, text: &str) {
        if let Some(scanner) = &mut self.scanner {
            scanner.feed(text);
        }
        // What would begin a block or comment in minijinja is plain text in Go.
        let mut rest = text;
        while let Some(at) = rest.find("{%").into_iter().chain(rest.find("{#")).min() {
            let (before, mark) = rest.split_at(at);
            let (mark, after) = mark.split_at(2);
            self.out += before;
            self.out.extend(["{{ \"", mark, "\" }}"]);
            rest = after;
        }
        self.out += rest;
    }

    fn action(&mut self, inner: &str) -> Result<(), String> {
        let action = Action::new(inner);
        let (word, rest) = split_word(action.body);
        match word {
            _ if action.body.starts_with("/*") => {
                self.out.extend(["{#", action.open, " ", &action.breaks, " ", action.close, "#}"]);
                Ok(())
            }
            "if" => {
                let condition = self.expression(rest)?;
                self.tag(&action, &format!("if {}", condition.code));
                self.open("if", None, "{% endif %}");
                Ok(())
            }
            "with" => {
                let dot = format!("d{}", self.blocks.len());
                let value = self.expression(rest)?;
                self.tag(&action, &format!("with {dot} = {}", value.code));
                self.out.extend(["{% if ", &dot, " %}"]);
                self.open("with", Some(dot), "{% endif %}{% endwith %}");
                Ok(())
            }
            "range" => {
                let dot = format!("d{}", self.blocks.len());
                let value = self.expression(rest)?;
                self.tag(&action, &format!("for {dot} in {}|go_each", value.code));
                self.open("range", Some(dot), "{% endfor %}");
                Ok(())
            }
            "else" => self.branch(&action, rest),
            "end" if rest.is_empty() => self.end(&action),
            "" if action.body.is_empty() => Err("{{ }} is empty".to_owned()),
            "define" | "template" | "block" | "break" | "continue" => {
                Err(format!("{{{{ {word} }}}} is not supported in mails"))
            }
            _ => self.value(&action),
        }
    }

    fn expression(&self, text: &str) -> Result<Expression, String> {
        let dot = self.blocks.iter().rev().find_map(|block| block.dot.as_deref()).unwrap_or(ROOT);
        Expression::parse(text, dot)
    }

    fn value(&mut self, action: &Action<'_>) -> Result<(), String> {
        let Expression { code, percent_encoded } = self.expression(action.body)?;
        let escape = match &mut self.scanner {
            Some(scanner) => scanner.escape().map_err(|e| e.to_string())?,
            None => Escape::Html,
        };
        let filter = match escape {
            Escape::UrlStart | Escape::Url | Escape::UrlQuery if percent_encoded => None,
            other => other.filter(),
        };
        let filter = filter.map(|name| format!("|{name}")).unwrap_or_default();
        let Action { open, close, breaks, .. } = action;
        self.out.extend(["{{", open, " ", &code, &filter, " ", breaks, close, "}}"]);
        Ok(())
    }

    fn tag(&mut self, action: &Action<'_>, code: &str) {
        let Action { open, close, breaks, .. } = action;
        self.out.extend(["{%", open, " ", code, " ", breaks, close, "%}"]);
    }

    fn open(&mut self, keyword: &'static str, dot: Option<String>, closing: &'static str) {
        let before = self.scanner.clone();
        self.blocks.push(Block { keyword, dot, closing, has_else: false, before, behind: None });
    }

    fn branch(&mut self, action: &Action<'_>, rest: &str) -> Result<(), String> {
        let (word, condition) = split_word(rest);
        let Some(block) = self.blocks.last_mut().filter(|block| !block.has_else) else {
            return Err("{{ else }} without {{ if }}".to_owned());
        };
        block.behind = join(block.behind.take(), self.scanner.take()).map_err(|e| e.to_string())?;
        self.scanner.clone_from(&block.before);
        match word {
            "" if rest.is_empty() => {
                block.has_else = true;
                block.dot = None;
                self.tag(action, "else");
            }
            "if" if block.keyword == "if" => {
                let condition = self.expression(condition)?;
                self.tag(action, &format!("elif {}", condition.code));
            }
            _ => return Err(format!("{{{{ else {rest} }}}} is not supported here")),
        }
        Ok(())
    }

    fn end(&mut self, action: &Action<'_>) -> Result<(), String> {
        let block = self.blocks.pop().ok_or("{{ end }} without {{ if }}")?;
        let mut behind = join(block.behind, self.scanner.take()).map_err(|e| e.to_string())?;
        if !block.has_else {
            behind = join(behind, block.before).map_err(|e| e.to_string())?;
        }
        self.scanner = behind;
        let Action { open, close, breaks, .. } = action;
        let inner = block.closing.trim_start_matches("{%").trim_end_matches("%}");
        self.out.extend(["{%", open, inner, breaks, close, "%}"]);
        Ok(())
    }
}

impl<'t> Action<'t> {
    fn new(inner: &'t str) -> Self {
        let (body, open) = match inner.strip_prefix('-') {
            Some(body) if body.starts_with(char::is_whitespace) => (body, "-"),
            _ => (inner, ""),
        };
        let (body, close) = match body.strip_suffix('-') {
            Some(body) if body.ends_with(char::is_whitespace) => (body, "-"),
            _ => (body, ""),
        };
        Self { body: body.trim(), open, close, breaks: "\n".repeat(inner.matches('\n').count()) }
    }
}

/// The keyword in front, and what follows.
fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    (&text[..end], text[end..].trim())
}

fn join(one: Option<Scanner>, two: Option<Scanner>) -> Result<Option<Scanner>, Misplaced> {
    match (one, two) {
        (Some(one), Some(two)) => one.join(&two).map(Some),
        (one, two) => Ok(one.or(two)),
    }
}

#[cfg(test)]
mod tests;
