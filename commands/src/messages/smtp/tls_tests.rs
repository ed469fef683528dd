//! Encrypted connections: to a server whose certificate was made for these tests, and is nobody's else.

use std::path::Path;

use evident_domain::Email;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::messages::{MailFields, MailTemplate};

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("fixtures/server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("fixtures/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Speaks SMTP until the other side asks for STARTTLS or goes; gives back what it heard.
async fn converse(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), hello: &str) -> Vec<String> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    let (mut heard, mut in_data) = (Vec::new(), false);
    while let Ok(Some(line)) = lines.next_line().await {
        heard.push(line.clone());
        let reply = match line.as_str() {
            "." => "250 taken",
            _ if in_data => continue,
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            "STARTTLS" => "220 go on",
            line if line.starts_with("EHLO") => hello,
            line if line.starts_with("AUTH") => "235 welcome",
            _ => "250 fine",
        };
        in_data = line == "DATA";
        let sent = writer.write_all(format!("{reply}\r\n").as_bytes()).await;
        if sent.is_err() || line == "STARTTLS" || line == "QUIT" {
            break;
        }
    }
    heard
}

/// A mail server for one connection; what it heard in clear, and what it heard encrypted.
async fn server(implicit: bool) -> (u16, JoinHandle<(Vec<String>, Vec<String>)>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut clear = Vec::new();
        if !implicit {
            stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
            clear = converse(&mut stream, "250-mail.example\r\n250-AUTH PLAIN\r\n250 STARTTLS").await;
        }
        let Ok(mut stream) = acceptor().accept(stream).await else { return (clear, Vec::new()) };
        if implicit {
            stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        }
        let secret = converse(&mut stream, "250-mail.example\r\n250 AUTH PLAIN").await;
        (clear, secret)
    });
    (port, task)
}

async fn deliver(port: u16, tls: SmtpTls, ca_file: Option<&Path>) -> Result<(), DeliveryError> {
    let settings = SmtpSettings {
        host: "localhost".to_owned(),
        port,
        login: Some(SmtpLogin { user: "ann".into(), password: Zeroizing::new("s3cret".into()) }),
        tls,
        ca_file: ca_file.map(Path::to_path_buf),
        timeout: Duration::from_secs(5),
    };
    let letterhead = Letterhead::new("no-reply@example.com", None, &[]).unwrap();
    let templates = Arc::new(Templates::builtin().unwrap());
    let mailer = SmtpMailer::new(settings, letterhead, templates).map_err(DeliveryError::Permanent)?;
    let queued_at = "2026-01-02T03:04:05Z".parse().unwrap();
    let slip = Slip { id: uuid::Uuid::from_u128(7), queued_at, user: None, ip: None };
    let to = Email::parse("bob@example.org").unwrap();
    let mail = Mail { template: MailTemplate::Recovery, to, fields: MailFields::default() };
    mailer.deliver_mail(&slip, &mail).await
}

fn ca_file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/messages/smtp/fixtures/ca.pem")
}

#[tokio::test]
async fn a_certificate_of_ones_own_is_trusted_when_it_is_named() {
    for (tls, implicit) in [(SmtpTls::StartTls, false), (SmtpTls::Auto, false), (SmtpTls::Implicit, true)] {
        let (port, task) = server(implicit).await;
        deliver(port, tls, Some(&ca_file())).await.unwrap();
        let (clear, secret) = task.await.unwrap();
        assert_eq!(clear.len(), if implicit { 0 } else { 2 }, "only EHLO and STARTTLS travel in clear");
        assert!(secret.iter().any(|line| line.starts_with("AUTH PLAIN ")), "{secret:?}");
        assert!(secret.iter().any(|line| line == "Subject: Reset your password"), "{secret:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_gets_neither_password_nor_mail() {
    for (tls, implicit) in [(SmtpTls::StartTls, false), (SmtpTls::Auto, false), (SmtpTls::Implicit, true)] {
        let (port, task) = server(implicit).await;
        let error = deliver(port, tls, None).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        let (clear, secret) = task.await.unwrap();
        assert!(clear.len() <= 2 && secret.is_empty(), "{clear:?} {secret:?}");
    }
}

#[tokio::test]
async fn a_file_without_certificates_is_told_at_the_start() {
    let key = ca_file().with_file_name("server.key");
    for file in [&key, Path::new("/nowhere/at/all.pem")] {
        let error = deliver(1, SmtpTls::StartTls, Some(file)).await.unwrap_err();
        assert!(matches!(error, DeliveryError::Permanent(Failure::Tls(_))), "{error}");
    }
}
