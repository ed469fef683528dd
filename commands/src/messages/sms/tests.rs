use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::messages::SmsChannel;

/// A service for one request; gives back what it was told, head and body.
async fn service(status: &'static str, answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut heard, mut buffer) = (String::new(), [0; 4096]);
        loop {
            let read = stream.read(&mut buffer).await.unwrap();
            heard.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            let Some((head, body)) = heard.split_once("\r\n\r\n") else { continue };
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split_whitespace().next().unwrap().parse().unwrap();
            if body.len() >= length {
                break;
            }
        }
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        heard
    });
    (base, task)
}

fn account(sender: &str) -> SmsAccount {
    SmsAccount {
        id: "AC1".to_owned(),
        secret: Some(Secret::new("hush")),
        sender: sender.to_owned(),
        template: None,
    }
}

fn carrier(provider: SmsProvider, account: SmsAccount, base: &str) -> SmsService {
    let outbound = Outbound::new(Duration::from_secs(5)).unwrap();
    SmsService::new(provider, account, Some(base), outbound).unwrap()
}

fn sms(text: &str, channel: SmsChannel) -> Sms {
    let to = Phone::parse("+15005550001").unwrap();
    Sms { code: "123456".to_owned(), channel, ..Sms::new(to, text.to_owned()) }
}

fn slip() -> Slip {
    let queued_at = "2026-01-02T03:04:05Z".parse().unwrap();
    Slip { id: uuid::Uuid::from_u128(7), queued_at, user: None, ip: None }
}

/// What a service hears, as request line, authorization and form.
async fn told(
    provider: SmsProvider,
    account: SmsAccount,
    sms: &Sms,
    answer: &'static str,
) -> (String, String, String) {
    let (base, task) = service("200 OK", answer).await;
    carrier(provider, account, &base).deliver_sms(&slip(), sms).await.unwrap();
    let heard = task.await.unwrap();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let authorization = head.lines().find_map(|line| line.strip_prefix("authorization: "));
    (line, authorization.unwrap_or_default().to_owned(), body.to_owned())
}

#[tokio::test]
async fn each_service_is_told_in_its_own_way() {
    let text = sms("Your code is 123456", SmsChannel::Sms);
    let basic = "Basic QUMxOmh1c2g=";
    for (provider, answer, line, authorization, form) in [
        (
            SmsProvider::Twilio,
            r#"{"sid":"SM1","status":"queued"}"#,
            "POST /2010-04-01/Accounts/AC1/Messages.json",
            basic,
            "To=%2B15005550001&Channel=sms&From=MG1&Body=Your+code+is+123456",
        ),
        (
            SmsProvider::TwilioVerify,
            r#"{"sid":"VE1","status":"pending"}"#,
            "POST /v2/Services/MG1/Verifications",
            basic,
            "To=%2B15005550001&Channel=sms",
        ),
        (
            SmsProvider::MessageBird,
            r#"{"id":"m1","recipients":{"totalSentCount":1}}"#,
            "POST /messages",
            "AccessKey hush",
            "originator=MG1&body=Your+code+is+123456&recipients=15005550001&type=sms&datacoding=unicode",
        ),
        (
            SmsProvider::Textlocal,
            r#"{"status":"success","messages":[{"id":"1"}]}"#,
            "POST /send",
            "",
            "sender=MG1&apikey=hush&message=Your+code+is+123456&numbers=15005550001",
        ),
        (
            SmsProvider::Vonage,
            r#"{"messages":[{"status":"0","message-id":"1"}]}"#,
            "POST /sms/json",
            "",
            "from=MG1&to=15005550001&text=Your+code+is+123456&api_key=AC1&api_secret=hush&type=text",
        ),
    ] {
        let heard = told(provider, account("MG1"), &text, answer).await;
        assert_eq!(heard, (line.to_owned(), authorization.to_owned(), form.to_owned()), "{provider:?}");
    }
}

#[tokio::test]
async fn whatsapp_goes_by_numbers_of_its_own() {
    let by_whatsapp = sms("Your code is 123456", SmsChannel::Whatsapp);
    let answer = r#"{"sid":"SM1"}"#;
    let (_, _, form) = told(SmsProvider::Twilio, account("+15005550006"), &by_whatsapp, answer).await;
    assert_eq!(
        form,
        "To=whatsapp%3A%2B15005550001&Channel=whatsapp&From=whatsapp%3A%2B15005550006&Body=Your+code+is+123456"
    );
    let account = SmsAccount { template: Some("HX1".to_owned()), ..account("MG1") };
    let (_, _, form) = told(SmsProvider::Twilio, account, &by_whatsapp, answer).await;
    assert_eq!(
        form,
        "To=whatsapp%3A%2B15005550001&Channel=whatsapp&From=MG1&ContentSid=HX1&ContentVariables=%7B%221%22%3A%22123456%22%7D"
    );
}

#[tokio::test]
async fn a_refusal_names_the_service_and_its_number_and_nothing_else() {
    for (provider, status, answer, expected, transient) in [
        (
            SmsProvider::Twilio,
            "400 Bad Request",
            r#"{"code":21211,"message":"+15005550001 is no number","status":400}"#,
            "the text message service twilio answered 400 21211",
            false,
        ),
        (
            SmsProvider::Twilio,
            "401 Unauthorized",
            r#"{"code":20003}"#,
            "the text message service twilio answered 401 20003",
            true,
        ),
        (
            SmsProvider::Twilio,
            "201 Created",
            r#"{"sid":"SM1","status":"failed","error_code":30003}"#,
            "the text message service twilio answered 201 30003",
            false,
        ),
        (
            SmsProvider::MessageBird,
            "422 Unprocessable Entity",
            r#"{"errors":[{"code":9,"description":"no (correct) recipients found"}]}"#,
            "the text message service messagebird answered 422 9",
            false,
        ),
        (
            SmsProvider::MessageBird,
            "201 Created",
            r#"{"recipients":{"totalSentCount":0}}"#,
            "the text message service messagebird answered 201 -",
            false,
        ),
        (
            SmsProvider::Textlocal,
            "200 OK",
            r#"{"status":"failure","errors":[{"code":51,"message":"no valid numbers"}]}"#,
            "the text message service textlocal answered 200 51",
            false,
        ),
        (
            SmsProvider::Vonage,
            "200 OK",
            r#"{"messages":[{"status":"4","error-text":"Bad Credentials"}]}"#,
            "the text message service vonage answered 200 4",
            false,
        ),
        (SmsProvider::Vonage, "200 OK", "so sorry", "the text message service vonage answered 200 -", false),
        (
            SmsProvider::Vonage,
            "503 Service Unavailable",
            "<html>",
            "the text message service vonage answered 503 -",
            true,
        ),
    ] {
        let (base, _task) = service(status, answer).await;
        let carrier = carrier(provider, account("MG1"), &base);
        let error = carrier.deliver_sms(&slip(), &sms("123456", SmsChannel::Sms)).await.unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
        assert_eq!(error.is_transient(), transient, "{error}");
        for hidden in ["hush", "1500", "123456"] {
            assert!(!format!("{error:?} {carrier:?}").contains(hidden), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_service_that_makes_the_codes_is_asked_about_them() {
    let phone = Phone::parse("15005550001").unwrap();
    for (status, answer, good) in [
        ("200 OK", r#"{"status":"approved"}"#, true),
        ("200 OK", r#"{"status":"pending"}"#, false),
        ("404 Not Found", r#"{"code":20404}"#, false),
    ] {
        let (base, task) = service(status, answer).await;
        let carrier = carrier(SmsProvider::TwilioVerify, account("VA1"), &base);
        assert_eq!(carrier.check(&phone, "123456").await.unwrap(), good, "{answer}");
        let heard = task.await.unwrap();
        assert!(heard.starts_with("POST /v2/Services/VA1/VerificationCheck HTTP/1.1\r\n"), "{heard}");
        assert!(heard.ends_with("\r\n\r\nTo=%2B15005550001&Code=123456"), "{heard}");
    }
}

#[test]
fn every_service_is_found_by_its_name() {
    for provider in SmsProvider::ALL {
        assert_eq!(SmsProvider::from_name(provider.as_str()), Some(provider));
        assert!(Url::parse(provider.description().base).is_ok());
    }
    assert_eq!(SmsProvider::from_name("pigeon"), None);
}
