//! How mails read: built-in templates, and the ones that the operator put in their place.

mod compiled;
mod remote;
mod values;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::SystemTime,
};

use tokio::sync::Mutex;
use url::Url;

use super::{Mail, MailTemplate, builtin};
use compiled::{Compiled, text_beside};
use remote::Fetched;
pub use remote::RemoteTemplates;
use values::{sms_values, values};

/// What the operator wrote in place of a built-in mail. By default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateSource {
    subject: Option<String>,
    body: Option<PathBuf>,
    remote: Option<Url>,
}

/// Why a template cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// What should be a web address is none.
    #[error("the template {0:?} is neither a file nor a web address")]
    Location(String),
    /// The file cannot be read.
    #[error("the template file {path} cannot be read: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The template is broken.
    #[error("the template {name} is broken in line {line}: {problem}")]
    Broken {
        /// The file, or which setting it is.
        name: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
}

/// A mail as it will be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line.
    pub subject: String,
    /// The HTML part.
    pub html: String,
    /// The text part; none for an own template without a `.txt` file beside it.
    pub text: Option<String>,
}

/// Codes and links stay out of logs.
impl std::fmt::Debug for RenderedMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RenderedMail(…)")
    }
}

impl TemplateSource {
    /// Takes another subject, in Go's template syntax.
    #[must_use]
    pub fn with_subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Takes another body from a file: HTML in Go's template syntax, or in minijinja's own when the name
    /// ends in `.j2` or `.jinja`. A file of the same name with the ending `.txt` becomes the text part.
    ///
    /// Values in a Go template are escaped for the place they stand in, links too; in minijinja's syntax
    /// only for text and quoted attributes.
    #[must_use]
    pub fn with_body(mut self, file: impl Into<PathBuf>) -> Self {
        self.body = Some(file.into());
        self
    }

    /// Takes another body from a file that is there, or else from a web address: a whole one, or one
    /// relative to the application's, as Supabase Auth reads them.
    ///
    /// # Errors
    /// [`TemplateError::Location`] when it is neither.
    pub fn with_location(self, location: &str, site_url: &str) -> Result<Self, TemplateError> {
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
        if let Some(url) = Url::parse(location).ok().filter(is_web) {
            return Ok(Self { remote: Some(url), ..self });
        }
        if Path::new(location).exists() {
            return Ok(self.with_body(location));
        }
        let relative = Url::parse(site_url).and_then(|site| site.join(location)).ok().filter(is_web);
        let url = relative.ok_or_else(|| TemplateError::Location(location.to_owned()))?;
        tracing::warn!(%url, "the mail template {location:?} is no file here, so it is fetched from the site");
        Ok(Self { remote: Some(url), ..self })
    }
}

/// All templates, checked and compiled.
#[derive(Debug)]
pub struct Templates {
    builtin: BTreeMap<MailTemplate, Compiled>,
    own: BTreeMap<MailTemplate, Own>,
    sms: Compiled,
    second_factor: Compiled,
    remote: Option<RemoteTemplates>,
}

/// A template of the operator's, with the version that is in use.
#[derive(Debug)]
struct Own {
    source: TemplateSource,
    current: RwLock<Version>,
    fetched: Mutex<Fetched>,
}

#[derive(Debug)]
struct Version {
    compiled: Arc<Compiled>,
    seen: Stamp,
}

/// What a file looked like when it was read: a changed stamp means another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    body: Option<(SystemTime, u64)>,
    text: Option<(SystemTime, u64)>,
}

impl Templates {
    /// The built-in templates and nothing else.
    ///
    /// # Errors
    /// None in practice: the built-in templates are sound.
    pub fn builtin() -> Result<Self, TemplateError> {
        Self::load(BTreeMap::new(), None)
    }

    /// Reads, compiles and tries out all templates; `sms` is the text message with `{{ .Code }}`.
    ///
    /// # Errors
    /// When a file cannot be read or a template is broken.
    pub fn load(
        sources: BTreeMap<MailTemplate, TemplateSource>,
        sms: Option<&str>,
    ) -> Result<Self, TemplateError> {
        let mut builtin = BTreeMap::new();
        for template in MailTemplate::ALL {
            builtin.insert(template, Compiled::load(template, &TemplateSource::default())?);
        }
        let mut own = BTreeMap::new();
        for (template, source) in
            sources.into_iter().filter(|(_, source)| *source != TemplateSource::default())
        {
            // The stamp is taken first: a file that changes meanwhile is read once more.
            let seen = Stamp::of(&source);
            let compiled = Arc::new(Compiled::load(template, &source)?);
            let current = RwLock::new(Version { compiled, seen });
            own.insert(template, Own { source, current, fetched: Mutex::default() });
        }

        let second_factor = Compiled::sms(builtin::SMS)?;
        let sms = Compiled::sms(sms.unwrap_or(builtin::SMS))?;
        Ok(Self { builtin, own, sms, second_factor, remote: None })
    }

    /// With a way to fetch templates that are behind web addresses.
    #[must_use]
    pub fn with_remote(self, remote: RemoteTemplates) -> Self {
        Self { remote: Some(remote), ..self }
    }

    /// Fetches a template that is behind a web address, when the version at hand is too old. To be called
    /// before [`Templates::render`]; what goes wrong is told in the log, and the version at hand stays.
    pub async fn renew(&self, template: MailTemplate) {
        let Some((remote, own)) = self.remote.as_ref().zip(self.own.get(&template)) else { return };
        let Some(url) = &own.source.remote else { return };
        let mut fetched = own.fetched.lock().await;
        if !fetched.is_due(remote) {
            return;
        }
        let compiled = match remote.fetch(url).await {
            Ok(html) => {
                Compiled::of_html(template, &own.source, url, &html).map_err(|error| error.to_string())
            }
            Err(problem) => Err(problem),
        };
        match compiled {
            Ok(compiled) => {
                own.current.write().unwrap_or_else(PoisonError::into_inner).compiled = Arc::new(compiled);
                fetched.went_well();
            }
            Err(problem) => tracing::warn!(
                template = template.name(),
                problem,
                "a mail template cannot be fetched, the version at hand stays in use"
            ),
        }
    }

    /// With another text for the codes of second factors, with `{{ .Code }}`.
    ///
    /// # Errors
    /// When it is broken.
    pub fn with_second_factor(mut self, text: Option<&str>) -> Result<Self, TemplateError> {
        if let Some(text) = text {
            self.second_factor = Compiled::sms(text)?;
        }
        Ok(self)
    }

    /// Writes a mail. When the operator's template fails on it, the built-in one is taken, with a warning.
    ///
    /// # Errors
    /// When the built-in template fails too, which is not known to happen.
    pub fn render(&self, mail: &Mail) -> Result<RenderedMail, TemplateError> {
        let values = values(&mail.fields);
        if let Some(own) = self.own.get(&mail.template) {
            match own.up_to_date(mail.template).render(&values) {
                Ok(rendered) => return Ok(rendered),
                Err(error) => tracing::warn!(
                    template = mail.template.name(),
                    part = error.name(),
                    line = error.line(),
                    problem = %error.kind(),
                    "the mail template failed, the built-in one is used"
                ),
            }
        }
        let broken = |error: minijinja::Error| Compiled::broken(mail.template.name(), &error);
        match self.builtin.get(&mail.template) {
            Some(compiled) => compiled.render(&values).map_err(broken),
            None => Err(broken(minijinja::ErrorKind::TemplateNotFound.into())),
        }
    }

    /// The text message that brings a code.
    pub fn sms_text(&self, code: &str) -> String {
        text_with(&self.sms, code)
    }

    /// The text message that brings a code to a phone that is a second factor.
    pub fn second_factor_text(&self, code: &str) -> String {
        text_with(&self.second_factor, code)
    }
}

fn text_with(template: &Compiled, code: &str) -> String {
    match template.part("text", &sms_values(code)) {
        Ok(text) => text,
        Err(error) => {
            // It was tried out when it was loaded, so this is not known to happen.
            tracing::warn!(problem = %error.kind(), "the text message's template failed");
            builtin::SMS.replace("{{ .Code }}", code)
        }
    }
}

impl Own {
    /// The newest sound version of the files.
    fn up_to_date(&self, template: MailTemplate) -> Arc<Compiled> {
        let stamp = Stamp::of(&self.source);
        {
            let version = self.current.read().unwrap_or_else(PoisonError::into_inner);
            if version.seen == stamp {
                return Arc::clone(&version.compiled);
            }
        }
        let loaded = Compiled::load(template, &self.source);
        let mut version = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Remembered also when the new version is bad, so that each change warns once.
        version.seen = stamp;
        match loaded {
            Ok(compiled) => version.compiled = Arc::new(compiled),
            Err(error) => tracing::warn!(
                template = template.name(),
                %error,
                "the changed mail template cannot be used, its last version stays in use"
            ),
        }
        Arc::clone(&version.compiled)
    }
}

impl Stamp {
    fn of(source: &TemplateSource) -> Self {
        let look = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        let Some(body) = &source.body else { return Self { body: None, text: None } };
        Self { body: look(body), text: look(&text_beside(body)) }
    }
}

#[cfg(test)]
mod tests;
