//! Messages as files, for development and for servers that have no way to send any.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use tokio::{
    fs::{self, DirBuilder, OpenOptions},
    io::AsyncWriteExt,
};

use super::{DeliveryError, Failure, Letterhead, Mail, MailPort, Slip, Sms, SmsPort, Templates};

/// Writes each mail into a file of its own (`.eml`), which mail programs open.
#[derive(Debug, Clone)]
pub struct EmlFiles {
    folder: PathBuf,
    letterhead: Letterhead,
    templates: Arc<Templates>,
}

/// Writes each text message into a file of its own (`.txt`).
#[derive(Debug, Clone)]
pub struct SmsFiles {
    folder: PathBuf,
}

impl EmlFiles {
    /// Writes into a folder, which is made when the first mail comes (mode 0700).
    pub fn new(folder: impl Into<PathBuf>, letterhead: Letterhead, templates: Arc<Templates>) -> Self {
        Self { folder: folder.into(), letterhead, templates }
    }
}

impl SmsFiles {
    /// Writes into a folder, which is made when the first message comes (mode 0700).
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

#[async_trait]
impl MailPort for EmlFiles {
    async fn deliver_mail(&self, slip: &Slip, mail: &Mail) -> Result<(), DeliveryError> {
        self.templates.renew(mail.template).await;
        let rendered =
            self.templates.render(mail).map_err(|_| DeliveryError::Permanent(Failure::Template))?;
        let letter = self.letterhead.write(slip, mail, rendered)?;
        store(&self.folder, slip, "eml", &letter.formatted()).await
    }
}

#[async_trait]
impl SmsPort for SmsFiles {
    async fn deliver_sms(&self, slip: &Slip, sms: &Sms) -> Result<(), DeliveryError> {
        let text = format!("To: +{}\n\n{}\n", sms.to, sms.text);
        store(&self.folder, slip, "txt", text.as_bytes()).await
    }
}

/// Writes a file whole or not at all. Its name begins with the time, so that files sort, and holds the
/// message's id, so that a retry finds what is there.
async fn store(folder: &Path, slip: &Slip, ending: &str, bytes: &[u8]) -> Result<(), DeliveryError> {
    let name = format!("{}-{}.{ending}", slip.queued_at.format("%Y%m%dT%H%M%S%.6fZ"), slip.id);
    write(folder, &name, bytes).await.map_err(|error| DeliveryError::Transient(error.into()))
}

async fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    builder.mode(0o700);
    builder.create(folder).await?;

    let path = folder.join(name);
    if fs::try_exists(&path).await? {
        return Ok(());
    }
    let draft = folder.join(format!(".{name}.draft"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.open(&draft).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&draft, &path).await?;
    // The new name lasts only when the folder is on disk too.
    #[cfg(unix)]
    fs::File::open(folder).await?.sync_all().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{MailFields, MailTemplate};
    use evident_domain::{Email, Metadata, Phone};
    use mail_parser::MessageParser;

    fn slip(id: u128) -> Slip {
        Slip {
            id: uuid::Uuid::from_u128(id),
            queued_at: "2026-01-02T03:04:05.678Z".parse().unwrap(),
            user: None,
            ip: None,
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn mail() -> Mail {
        Mail {
            template: MailTemplate::Confirmation,
            to: Email::parse("ann@example.com").unwrap(),
            fields: MailFields {
                email: "ann@example.com".to_owned(),
                confirmation_url: "https://x.example/verify?token=ab&type=signup".to_owned(),
                data: Metadata::default().with("full_name", "Ann\r\nBcc: eve@example.com"),
                ..MailFields::default()
            },
        }
    }

    #[tokio::test]
    async fn a_mail_becomes_one_private_file_however_often_it_is_tried() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("data/mail");
        let letterhead = Letterhead::new("no-reply@example.com", Some("Example"), &[]).unwrap();
        let files = EmlFiles::new(&folder, letterhead, Arc::new(Templates::builtin().unwrap()));
        files.deliver_mail(&slip(1), &mail()).await.unwrap();
        files.deliver_mail(&slip(1), &mail()).await.unwrap();
        let name = "20260102T030405.678000Z-00000000-0000-0000-0000-000000000001.eml";
        assert_eq!(names(&folder), [name]);

        let bytes = std::fs::read(folder.join(name)).unwrap();
        let letter = MessageParser::default().parse(&bytes).unwrap();
        assert_eq!(letter.subject(), Some("Confirm your email address"));
        assert!(letter.body_text(0).unwrap().contains("\nhttps://x.example/verify?token=ab&type=signup"));
        assert!(
            letter
                .body_html(0)
                .unwrap()
                .contains("<a href=\"https://x.example/verify?token=ab&amp;type=signup\">")
        );

        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&folder), mode(&folder.join(name))), (0o700, 0o600));
        }
    }

    #[tokio::test]
    async fn a_draft_that_a_crash_left_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        let name = "20260102T030405.678000Z-00000000-0000-0000-0000-000000000002.txt";
        std::fs::write(folder.path().join(format!(".{name}.draft")), "To: +15550001111 and a long rest")
            .unwrap();
        let sms = Sms::new(Phone::parse("15550002222").unwrap(), "Your code is 1".to_owned());
        SmsFiles::new(folder.path()).deliver_sms(&slip(2), &sms).await.unwrap();
        assert_eq!(names(folder.path()), [name]);
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text, "To: +15550002222\n\nYour code is 1\n");
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_worth_another_try() {
        let root = tempfile::tempdir().unwrap();
        let taken = root.path().join("taken");
        std::fs::write(&taken, "").unwrap();
        let sms = Sms::new(Phone::parse("15550002222").unwrap(), String::new());
        let error = SmsFiles::new(taken.join("sms")).deliver_sms(&slip(3), &sms).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
    }
}
