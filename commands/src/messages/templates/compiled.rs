//! A template that is read, compiled and tried out.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use minijinja::{Environment, Value};
use url::Url;

use super::values::{environment, sample, sms_values, values};
use super::{RenderedMail, TemplateError, TemplateSource};
use crate::messages::go::{self, Part};
use crate::messages::{MailTemplate, builtin};

/// Template files over this many bytes are refused.
const LARGEST_FILE: u64 = 1_000_000;
/// Longest subject, in characters.
pub(super) const LONGEST_SUBJECT: usize = 250;

/// The parts of one template, as `subject`, `html` and maybe `text`.
#[derive(Debug)]
pub(super) struct Compiled {
    parts: Environment<'static>,
    has_text: bool,
}

impl Compiled {
    pub(super) fn load(template: MailTemplate, source: &TemplateSource) -> Result<Self, TemplateError> {
        let subject = source.subject.as_deref().unwrap_or_else(|| builtin::subject(template));
        let mut compiled = Self { parts: environment(), has_text: true };
        compiled.add("subject", &format!("{template} (subject)"), go(subject, Part::Text))?;
        match &source.body {
            None => {
                compiled.add("html", template.name(), go(&builtin::html(template), Part::Html))?;
                compiled.add("text", template.name(), go(&builtin::text(template), Part::Text))?;
            }
            Some(body) => {
                let is_jinja = body.extension().is_some_and(|ending| ending == "j2" || ending == "jinja");
                let translate = |text: String, part| if is_jinja { Ok(text) } else { go(&text, part) };
                compiled.add("html", &body.display().to_string(), translate(read(body)?, Part::Html))?;
                let beside = text_beside(body);
                compiled.has_text = beside != *body && beside.is_file();
                if compiled.has_text {
                    compiled.add(
                        "text",
                        &beside.display().to_string(),
                        translate(read(&beside)?, Part::Text),
                    )?;
                }
            }
        }
        let files = |part: Option<&str>| match (&source.body, part) {
            (_, Some("subject")) => format!("{template} (subject)"),
            (Some(body), Some("text")) => text_beside(body).display().to_string(),
            (Some(body), _) => body.display().to_string(),
            (None, _) => template.name().to_owned(),
        };
        compiled.render(&values(&sample())).map_err(|error| Self::broken(&files(error.name()), &error))?;
        Ok(compiled)
    }

    /// A template whose body was fetched.
    pub(super) fn of_html(
        template: MailTemplate,
        source: &TemplateSource,
        url: &Url,
        html: &str,
    ) -> Result<Self, TemplateError> {
        let subject = source.subject.as_deref().unwrap_or_else(|| builtin::subject(template));
        let mut compiled = Self { parts: environment(), has_text: false };
        compiled.add("subject", &format!("{template} (subject)"), go(subject, Part::Text))?;
        compiled.add("html", url.as_str(), go(html, Part::Html))?;
        compiled.render(&values(&sample())).map_err(|error| Self::broken(url.as_str(), &error))?;
        Ok(compiled)
    }

    pub(super) fn sms(text: &str) -> Result<Self, TemplateError> {
        let name = "of text messages";
        let mut compiled = Self { parts: environment(), has_text: true };
        compiled.add("text", name, go(text, Part::Text))?;
        compiled.part("text", &sms_values("123456")).map_err(|error| Self::broken(name, &error))?;
        Ok(compiled)
    }

    fn add(
        &mut self,
        part: &'static str,
        name: &str,
        source: Result<String, go::GoError>,
    ) -> Result<(), TemplateError> {
        let source = source.map_err(|go::GoError { line, problem }| TemplateError::Broken {
            name: name.to_owned(),
            line,
            problem,
        })?;
        self.parts.add_template_owned(part, source).map_err(|error| Self::broken(name, &error))
    }

    pub(super) fn render(&self, values: &Value) -> Result<RenderedMail, minijinja::Error> {
        Ok(RenderedMail {
            subject: one_line(&self.part("subject", values)?),
            html: self.part("html", values)?,
            text: if self.has_text { Some(self.part("text", values)?) } else { None },
        })
    }

    pub(super) fn part(&self, part: &str, values: &Value) -> Result<String, minijinja::Error> {
        self.parts.get_template(part)?.render(values)
    }

    pub(super) fn broken(name: &str, error: &minijinja::Error) -> TemplateError {
        let problem = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        TemplateError::Broken { name: name.to_owned(), line: error.line().unwrap_or(1), problem }
    }
}

fn go(source: &str, part: Part) -> Result<String, go::GoError> {
    go::translate(source, part)
}

/// The file that holds the text part of a body.
pub(super) fn text_beside(body: &Path) -> PathBuf {
    body.with_extension("txt")
}

fn read(path: &Path) -> Result<String, TemplateError> {
    let unreadable = |cause: String| TemplateError::Unreadable { path: path.display().to_string(), cause };
    let file = fs::File::open(path).map_err(|e| unreadable(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| unreadable(e.to_string()))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(unreadable(format!("it is larger than {LARGEST_FILE} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))
}

/// A subject: one line without control characters, not too long.
fn one_line(subject: &str) -> String {
    let spaced: String = subject
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    let words: Vec<_> = spaced.split_whitespace().collect();
    words.join(" ").chars().take(LONGEST_SUBJECT).collect()
}
