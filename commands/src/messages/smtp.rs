//! Mail over SMTP.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lettre::transport::smtp::{
    Error as SmtpError,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, Certificate, TlsParameters},
    extension::ClientId,
};
use tokio::{net::lookup_host, time::timeout};
use zeroize::Zeroizing;

use super::{DeliveryError, Failure, Letterhead, Mail, MailPort, Slip, Templates};

/// The port on which TLS begins at once (RFC 8314).
const IMPLICIT_TLS_PORT: u16 = 465;
/// How long the server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The ways to log in that are tried, the first that the server offers.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// How the connection to the mail server is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SmtpTls {
    /// From the first byte on port 465, else by STARTTLS. Only a server on this machine or in a private
    /// network may lack STARTTLS, and only one on this machine then gets the password.
    #[default]
    Auto,
    /// From the first byte.
    Implicit,
    /// By STARTTLS, always.
    StartTls,
    /// Never: mails and the password travel in clear.
    Off,
}

/// Which mail server takes our mails.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Name or address.
    pub host: String,
    /// Mostly 587 or 465.
    pub port: u16,
    /// Who we are to the server; not used when it does not ask.
    pub login: Option<SmtpLogin>,
    /// The encryption.
    pub tls: SmtpTls,
    /// A file with certificates (PEM) that are trusted besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// How long one mail may take.
    pub timeout: Duration,
}

/// User name and password at the mail server.
#[derive(Clone)]
pub struct SmtpLogin {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for SmtpLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpLogin(…)")
    }
}

/// Sends mails to a mail server, one connection each.
pub struct SmtpMailer {
    settings: SmtpSettings,
    tls: TlsParameters,
    hello: ClientId,
    letterhead: Letterhead,
    templates: Arc<Templates>,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Prepares to send; connects to nobody yet.
    ///
    /// # Errors
    /// When no encryption can be set up for this host.
    pub fn new(
        settings: SmtpSettings,
        letterhead: Letterhead,
        templates: Arc<Templates>,
    ) -> Result<Self, Failure> {
        let unusable = |error: &SmtpError| Failure::Tls(cause(error));
        let mut tls = TlsParameters::builder(settings.host.clone());
        if let Some(file) = &settings.ca_file {
            let unreadable = |error: &dyn fmt::Display| Failure::Tls(format!("{}: {error}", file.display()));
            let pem = std::fs::read(file).map_err(|error| unreadable(&error))?;
            let certificates = pem_certificates(&pem);
            if certificates.is_empty() {
                return Err(unreadable(&"there is no certificate in it"));
            }
            for certificate in certificates {
                let certificate = Certificate::from_pem(&certificate).map_err(|error| unreadable(&error))?;
                tls = tls.add_root_certificate(certificate);
            }
        }
        let tls = tls.build().map_err(|error| unusable(&error))?;
        Ok(Self { settings, tls, hello: ClientId::default(), letterhead, templates })
    }

    /// Sends, and gives the connection back to say goodbye on.
    async fn send(&self, letter: &lettre::Message) -> Result<AsyncSmtpConnection, DeliveryError> {
        let mut connection = self.connect().await.map_err(DeliveryError::Transient)?;
        connection.send(letter.envelope(), &letter.formatted()).await.map_err(|error| verdict(&error))?;
        Ok(connection)
    }

    /// An encrypted, logged-in connection. Whatever fails here is no fault of the mail, so all of it is
    /// worth another try.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let SmtpSettings { host, port, login, tls, timeout, ca_file: _ } = &self.settings;
        let addresses: Vec<SocketAddr> = lookup_host((host.as_str(), *port))
            .await
            .map_err(|e| Failure::Connection(e.to_string()))?
            .collect();
        let implicit = match tls {
            SmtpTls::Auto => *port == IMPLICIT_TLS_PORT,
            SmtpTls::Implicit => true,
            SmtpTls::StartTls | SmtpTls::Off => false,
        };
        let parameters = implicit.then(|| self.tls.clone());
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            &addresses[..],
            Some(*timeout),
            &self.hello,
            parameters,
            None,
        )
        .await
        .map_err(|e| failure(&e))?;

        if *tls != SmtpTls::Off && !connection.is_encrypted() {
            if connection.can_starttls() {
                connection.starttls(self.tls.clone(), &self.hello).await.map_err(|e| failure(&e))?;
            } else if *tls != SmtpTls::Auto || !addresses.iter().all(|address| is_private(address.ip())) {
                connection.abort().await;
                return Err(Failure::Unencrypted);
            }
        }
        let Some(SmtpLogin { user, password }) = login else { return Ok(connection) };
        if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
            return Ok(connection);
        }
        let on_this_machine = addresses.iter().all(|address| address.ip().is_loopback());
        if !connection.is_encrypted() && *tls != SmtpTls::Off && !on_this_machine {
            connection.abort().await;
            return Err(Failure::PlainPassword);
        }
        let credentials = Credentials::new(user.clone(), password.to_string());
        connection.auth(&MECHANISMS, &credentials).await.map_err(|e| match e.status() {
            Some(code) => Failure::Login(code.into()),
            None => failure(&e),
        })?;
        Ok(connection)
    }
}

#[async_trait]
impl MailPort for SmtpMailer {
    async fn deliver_mail(&self, slip: &Slip, mail: &Mail) -> Result<(), DeliveryError> {
        self.templates.renew(mail.template).await;
        let rendered =
            self.templates.render(mail).map_err(|_| DeliveryError::Permanent(Failure::Template))?;
        let letter = self.letterhead.write(slip, mail, rendered)?;
        let sent = timeout(self.settings.timeout, self.send(&letter)).await;
        let mut connection = sent.unwrap_or(Err(DeliveryError::Transient(Failure::Timeout)))?;
        // The mail is taken. However the goodbye goes, a second mail would be wrong.
        let _ = timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }
}

/// The certificates of a file, each for itself.
fn pem_certificates(pem: &[u8]) -> Vec<Vec<u8>> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(pem);
    text.split_inclusive(END).filter(|part| part.contains(END)).map(|part| part.as_bytes().to_vec()).collect()
}

/// What a refusal of the mail itself means.
fn verdict(error: &SmtpError) -> DeliveryError {
    let failure = failure(error);
    match failure {
        Failure::Refused { .. } if error.is_permanent() => DeliveryError::Permanent(failure),
        _ => DeliveryError::Transient(failure),
    }
}

/// An error without the server's words: they may repeat the recipient's address.
fn failure(error: &SmtpError) -> Failure {
    if let Some(code) = error.status() {
        return match u16::from(code) {
            code @ (530 | 534 | 535 | 538) => Failure::Login(code),
            code => Failure::Refused { code, status: enhanced_status(error) },
        };
    }
    if error.is_timeout() {
        return Failure::Timeout;
    }
    if error.is_tls() {
        Failure::Tls(cause(error))
    } else if error.is_response() {
        Failure::Connection("its answers are not SMTP".to_owned())
    } else {
        Failure::Connection(cause(error))
    }
}

fn cause(error: &SmtpError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

/// The enhanced status at the beginning of a reply, as in `550 5.1.1 No such user`.
fn enhanced_status(error: &SmtpError) -> String {
    let text = cause(error);
    let word = text.split_whitespace().next().unwrap_or_default();
    let mut parts = word.split('.');
    let is_number = |part: Option<&str>| {
        part.is_some_and(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_status = is_number(parts.next()) && is_number(parts.next()) && is_number(parts.next());
    if is_status && parts.next().is_none() { word.to_owned() } else { "-".to_owned() }
}

/// Whether an address is on this machine or in a private network.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
