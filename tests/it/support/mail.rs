//! Reads what the server sends when it has no SMTP host and no SMS provider: files in its data folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::TestServer;

/// How long a message may be on its way: it leaves after the answer.
const LIMIT: Duration = Duration::from_secs(10);

/// A mail or text as it lies in the folder.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The text, with mail's transfer encoding undone.
    pub(crate) text: String,
}

impl Message {
    /// The path and query of its link, for a server whatever its port.
    #[track_caller]
    pub(crate) fn link(&self) -> String {
        let start =
            self.text.find("http://localhost:9999/").unwrap_or_else(|| panic!("no link: {}", self.text));
        let rest = &self.text[start + "http://localhost:9999".len()..];
        let end = rest.find(['"', '<', '>', ' ', '\r', '\n']).unwrap_or(rest.len());
        rest[..end].replace("&amp;", "&")
    }

    /// A parameter of the link, as it stands there.
    #[track_caller]
    pub(crate) fn link_parameter(&self, name: &str) -> String {
        let link = self.link();
        let query = link.split_once('?').unwrap().1;
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("no {name} in {link}")).to_owned()
    }

    /// The six digits.
    #[track_caller]
    pub(crate) fn code(&self) -> String {
        self.digits(6)
    }

    /// A code of so many digits.
    #[track_caller]
    pub(crate) fn digits(&self, length: usize) -> String {
        let body = self.text.split_once("\n\n").map_or(self.text.as_str(), |(_, body)| body);
        let words = body.split(|c: char| !c.is_ascii_alphanumeric() && c != '=' && c != '-' && c != '#');
        let mut codes = words.filter(|word| word.len() == length && word.bytes().all(|b| b.is_ascii_digit()));
        codes.next().unwrap_or_else(|| panic!("no code: {}", self.text)).to_owned()
    }
}

impl TestServer {
    /// The newest mail to an address, once there are as many as `number`.
    pub(crate) async fn mail_to(&self, address: &str, number: usize) -> Message {
        self.newest("mail", "eml", address, number).await
    }

    /// The newest text to a phone, once there are as many as `number`.
    pub(crate) async fn text_to(&self, phone: &str, number: usize) -> Message {
        self.newest("sms", "txt", phone, number).await
    }

    /// How many texts lie there for a number.
    pub(crate) fn texts_to(&self, phone: &str) -> usize {
        messages(&self.data().join("sms"), "txt", phone).len()
    }

    /// How many mails lie there for an address.
    pub(crate) fn mails_to(&self, address: &str) -> usize {
        messages(&self.data().join("mail"), "eml", address).len()
    }

    async fn newest(&self, folder: &str, extension: &str, to: &str, number: usize) -> Message {
        let folder = self.data().join(folder);
        let since = Instant::now();
        loop {
            let mut found = messages(&folder, extension, to);
            if found.len() >= number {
                return found.pop().unwrap();
            }
            assert!(
                since.elapsed() < LIMIT,
                "{} of {number} messages to {to} in {}; the server said:\n{}",
                found.len(),
                folder.display(),
                self.log_text()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The messages to somebody, oldest first.
fn messages(folder: &Path, extension: &str, to: &str) -> Vec<Message> {
    let mut files: Vec<(std::time::SystemTime, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|e| e == extension))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let texts = files.into_iter().filter_map(|(_, path)| std::fs::read_to_string(path).ok());
    texts
        .filter(|text| text.lines().any(|line| is_recipient(line, to)))
        .map(|text| Message { text: decode(&text) })
        .collect()
}

fn is_recipient(line: &str, to: &str) -> bool {
    line.strip_prefix("To: ").is_some_and(|rest| rest.contains(to))
}

/// Undoes line ends and quoted-printable.
fn decode(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    if !text.contains("quoted-printable") {
        return text;
    }
    let joined = text.replace("=\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'=').then(|| tail.get(..2)).flatten();
        let decoded = escaped.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}
