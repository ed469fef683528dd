use super::*;
use crate::messages::{MailFields, MailTemplate};
use evident_domain::Email;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

/// What the server says to which command; everything else gets `250 fine`.
type Script = &'static [(&'static str, &'static str)];

/// A mail server for one connection; gives back what it was told.
async fn server(script: Script) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        let mut heard = Vec::new();
        writer.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        let mut in_data = false;
        while let Ok(Some(line)) = lines.next_line().await {
            heard.push(line.clone());
            let command = if in_data && line == "." { "." } else { line.as_str() };
            if in_data && command != "." {
                continue;
            }
            let scripted = script.iter().find(|(begin, _)| command.starts_with(begin));
            let reply = match (scripted, command) {
                (Some((_, reply)), _) => reply,
                (None, "DATA") => "354 go on",
                (None, "QUIT") => "221 bye",
                _ => "250 fine",
            };
            in_data = command == "DATA" && reply.starts_with("354");
            if writer.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() || command == "QUIT" {
                break;
            }
        }
        heard
    });
    (port, task)
}

fn mailer(port: u16, tls: SmtpTls, login: bool) -> SmtpMailer {
    let login = login.then(|| SmtpLogin { user: "ann".into(), password: Zeroizing::new("s3cret".into()) });
    let timeout = Duration::from_secs(5);
    let settings = SmtpSettings { host: "127.0.0.1".into(), port, login, tls, ca_file: None, timeout };
    let letterhead = Letterhead::new("no-reply@example.com", Some("Example"), &[]).unwrap();
    SmtpMailer::new(settings, letterhead, Arc::new(Templates::builtin().unwrap())).unwrap()
}

async fn deliver(mailer: &SmtpMailer) -> Result<(), DeliveryError> {
    let slip = Slip {
        id: uuid::Uuid::from_u128(7),
        queued_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        user: None,
        ip: None,
    };
    let confirmation_url = "https://x.example/verify?token=ab&type=recovery".to_owned();
    let mail = Mail {
        template: MailTemplate::Recovery,
        to: Email::parse("bob@example.org").unwrap(),
        fields: MailFields { confirmation_url, ..MailFields::default() },
    };
    mailer.deliver_mail(&slip, &mail).await
}

#[tokio::test]
async fn a_mail_is_handed_to_the_server() {
    let (port, task) = server(&[]).await;
    deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap();
    let heard = task.await.unwrap();
    let has = |line: &str| assert!(heard.iter().any(|heard| heard == line), "{line} in {heard:?}");
    has("MAIL FROM:<no-reply@example.com>");
    has("RCPT TO:<bob@example.org>");
    has("From: Example <no-reply@example.com>");
    has("To: bob@example.org");
    has("Subject: Reset your password");
    has("Message-ID: <00000000-0000-0000-0000-000000000007@example.com>");
    has("https://x.example/verify?token=ab&type=recovery");
    has("QUIT");
}

#[tokio::test]
async fn a_refusal_for_now_is_worth_another_try() {
    for script in [
        &[("RCPT", "451 4.7.1 greylisted bob@example.org")][..],
        &[("MAIL", "421 too busy")],
        &[(".", "452 4.3.1 disk full")],
    ] {
        let (port, _task) = server(script).await;
        let error = deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert!(!format!("{error} {error:?}").contains("bob"), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_for_good_is_final_and_repeats_no_address() {
    let (port, _task) = server(&[("RCPT", "550 5.1.1 <bob@example.org>: no such user")]).await;
    let error = deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap_err();
    assert_eq!(error.to_string(), "not deliverable: the mail server answered 550 5.1.1");
    assert!(!format!("{error:?}").contains("bob"), "{error:?}");
    let (port, _task) = server(&[(".", "554 spam from bob")]).await;
    let error = deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap_err();
    assert_eq!(error.to_string(), "not deliverable: the mail server answered 554 -");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_worth_another_try() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Transient(Failure::Connection(_))), "{error}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut mailer = mailer(listener.local_addr().unwrap().port(), SmtpTls::Auto, false);
    mailer.settings.timeout = Duration::from_millis(100);
    let error = deliver(&mailer).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Transient(Failure::Timeout)), "{error}");
}

#[tokio::test]
async fn a_goodbye_that_fails_does_not_count() {
    let (port, _task) = server(&[("QUIT", "500 no")]).await;
    deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap();
}

#[tokio::test]
async fn the_login_is_used_only_when_the_server_asks_for_one() {
    let (port, task) =
        server(&[("EHLO", "250-mail.example\r\n250 AUTH PLAIN"), ("AUTH", "235 welcome")]).await;
    deliver(&mailer(port, SmtpTls::Auto, true)).await.unwrap();
    assert!(task.await.unwrap().iter().any(|line| line.starts_with("AUTH PLAIN ")));

    let (port, task) = server(&[]).await;
    deliver(&mailer(port, SmtpTls::Auto, true)).await.unwrap();
    assert!(!task.await.unwrap().iter().any(|line| line.starts_with("AUTH")));
}

#[tokio::test]
async fn a_refused_login_is_not_the_mails_fault() {
    let (port, _task) =
        server(&[("EHLO", "250-mail.example\r\n250 AUTH PLAIN"), ("AUTH", "535 5.7.8 no")]).await;
    let mailer = mailer(port, SmtpTls::Auto, true);
    let error = deliver(&mailer).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Transient(Failure::Login(535))), "{error}");
    assert!(!format!("{mailer:?} {error:?}").contains("s3cret"));
}

#[tokio::test]
async fn where_encryption_is_asked_for_nothing_is_sent_without() {
    let (port, task) = server(&[]).await;
    let error = deliver(&mailer(port, SmtpTls::StartTls, false)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Transient(Failure::Unencrypted)), "{error}");
    assert!(!task.await.unwrap().iter().any(|line| line.starts_with("MAIL")));

    let (port, _task) =
        server(&[("EHLO", "250-mail.example\r\n250 STARTTLS"), ("STARTTLS", "454 not now")]).await;
    let error = deliver(&mailer(port, SmtpTls::Auto, false)).await.unwrap_err();
    assert!(error.is_transient(), "{error}");

    let (port, _task) = server(&[]).await;
    let error = deliver(&mailer(port, SmtpTls::Implicit, false)).await.unwrap_err();
    assert!(matches!(error, DeliveryError::Transient(_)), "{error}");
}

#[test]
fn only_private_networks_may_go_without_encryption() {
    for private in ["127.0.0.1", "10.1.2.3", "172.17.0.2", "192.168.1.1", "::1", "fd00::1", "::ffff:10.0.0.1"]
    {
        assert!(is_private(private.parse().unwrap()), "{private}");
    }
    for public in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8"] {
        assert!(!is_private(public.parse().unwrap()), "{public}");
    }
}
