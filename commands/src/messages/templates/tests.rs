use super::compiled::LONGEST_SUBJECT;
use super::values::sample;
use super::*;
use evident_domain::{Email, Metadata};
use serde_json::json;

fn mail(template: MailTemplate) -> Mail {
    Mail { template, to: Email::parse("ann@example.com").unwrap(), fields: sample() }
}

fn hostile(template: MailTemplate, name: &str) -> Mail {
    let mut mail = mail(template);
    mail.fields.data = Metadata::default().with("full_name", name);
    mail
}

fn own(template: MailTemplate, source: TemplateSource) -> Result<Templates, TemplateError> {
    Templates::load(BTreeMap::from([(template, source)]), None)
}

/// Templates with one body from a file.
fn with_file(folder: &Path, name: &str, body: &str) -> Result<Templates, TemplateError> {
    let path = folder.join(name);
    fs::write(&path, body).unwrap();
    let source = TemplateSource::default().with_body(path.to_str().unwrap());
    own(MailTemplate::Confirmation, source)
}

fn html_of(body: &str, mail: &Mail) -> String {
    let folder = tempfile::tempdir().unwrap();
    with_file(folder.path(), "mail.html", body).unwrap().render(mail).unwrap().html
}

#[test]
fn every_builtin_mail_has_its_subject_a_heading_and_the_same_words_in_both_parts() {
    let templates = Templates::builtin().unwrap();
    let subjects = [
        "You've been invited",
        "Confirm your email address",
        "Reset your password",
        "Your sign-in link",
        "Confirm your new email address",
        "123456 is your verification code",
        "Confirm that you want to delete your account",
        "Your password was changed",
        "Your email address was changed",
        "Your phone number was changed",
        "A new sign-in method was linked to your account",
        "A sign-in method was removed from your account",
        "A new verification method was added to your account",
        "A verification method was removed from your account",
        "Ann invited you to Acme",
    ];
    for (template, subject) in MailTemplate::ALL.into_iter().zip(subjects) {
        let RenderedMail { subject: rendered, html, text } = templates.render(&mail(template)).unwrap();
        let text = text.unwrap();
        assert_eq!(rendered, subject);
        assert!(html.starts_with("<h2>") && html.contains("</h2>\n\n<p>"), "{html}");
        assert!(!html.contains("{{") && !text.contains("{{"), "{html}{text}");
        let has_link = template.link_type().is_some()
            || matches!(template, MailTemplate::DeleteAccount | MailTemplate::OrganizationInvitation);
        let link = "https://auth.example.com/verify?token=0&type=signup";
        assert_eq!(
            html.contains(&format!("<a href=\"{}\">", link.replace('&', "&amp;"))),
            has_link,
            "{html}"
        );
        assert_eq!(text.contains(&format!("\n{link}\n")), has_link, "{text}");
        let shows_code = template == MailTemplate::Reauthentication;
        assert_eq!(
            (html.contains("123456"), text.contains("123456")),
            (shows_code, shows_code),
            "{template}"
        );
    }
}

#[test]
fn a_builtin_mail_reads_like_this() {
    let rendered = Templates::builtin().unwrap().render(&mail(MailTemplate::EmailChange)).unwrap();
    assert_eq!(
        rendered.html,
        "<h2>Confirm your new email address</h2>\n\n\
         <p>Follow this link to change your email address from ann@example.com to ann@example.org:</p>\n\
         <p><a href=\"https://auth.example.com/verify?token=0&amp;type=signup\">Confirm new email address</a></p>\n\
         <p>If you did not ask for this, you can safely ignore this mail.</p>\n"
    );
    assert_eq!(
        rendered.text.unwrap(),
        "Confirm your new email address\n\n\
         Follow this link to change your email address from ann@example.com to ann@example.org:\n\n\
         https://auth.example.com/verify?token=0&type=signup\n\n\
         If you did not ask for this, you can safely ignore this mail.\n"
    );
    let mut anonymous = mail(MailTemplate::EmailChange);
    anonymous.fields.email.clear();
    let rendered = Templates::builtin().unwrap().render(&anonymous).unwrap();
    assert!(rendered.html.contains("change your email address to ann@example.org:"));
}

#[test]
fn go_templates_work_as_they_are() {
    let body = "<h2>Hi {{ .Data.full_name }}{{ if .Token }}, {{ .Token }}{{ else }}!{{ end }}</h2>\n\
        {{- range .Data.roles }} [{{ . }}]{{ else }} none{{ end }}\n\
        {{ with .Data.team }}{{ .name }} of {{ $.Email }}{{ end }}{{ .Data.nothing.at.all }}\
        {{ if and (eq .Data.lang \"de\" \"fr\") (gt (len .Data.roles) 1) }}ok{{ end }}\
        {{ index .Data \"nick-name\" }}{{/* unseen */}}{{ .Data.null }}{{ .Data.number }}{{ .Data.flag }}\n";
    let mut mail = mail(MailTemplate::Confirmation);
    mail.fields.data = serde_json::from_value(json!({
        "full_name": "Ann", "roles": ["a", "b"], "team": {"name": "T"}, "lang": "fr", "nick-name": "N",
        "null": null, "number": 42, "flag": true,
    }))
    .unwrap();
    assert_eq!(html_of(body, &mail), "<h2>Hi Ann, 123456</h2> [a] [b]\nT of ann@example.comokN42true\n");
    mail.fields.token.clear();
    mail.fields.data = Metadata::default();
    assert_eq!(html_of(body, &mail), "<h2>Hi !</h2> none\n\n");
    mail.fields.data = serde_json::from_value(json!({"nothing": null, "roles": {"b": 2, "a": 1}})).unwrap();
    assert_eq!(html_of(body, &mail), "<h2>Hi !</h2> [1] [2]\n\n");
}

#[test]
fn hostile_names_stay_text_wherever_they_are_shown() {
    let body = "<p title=\"{{ .Data.full_name }}\">{{ .Data.full_name }}</p>\
        <a href=\"{{ .Data.full_name }}\">x</a><a href='{{ .SiteURL }}?n={{ .Data.full_name }}'>y</a>";
    let name = "\"><script>alert('1')</script>&{{ .Token }}{% if Token %}";
    let html = html_of(body, &hostile(MailTemplate::Confirmation, name));
    assert!(!html.contains("<script") && !html.contains("123456"), "{html}");
    assert_eq!(html.matches(['<', '>']).count(), 12, "{html}");
    let html = html_of(body, &hostile(MailTemplate::Confirmation, "javascript:alert(1)"));
    assert!(html.contains("href=\"#ZgotmplZ\"") && !html.contains("href=\"javascript"), "{html}");
}

#[test]
fn a_name_cannot_put_headers_into_a_subject() {
    let source = TemplateSource::default().with_subject("Welcome {{ .Data.full_name }}");
    let templates = own(MailTemplate::Invite, source).unwrap();
    let name = "Ann\r\nBcc: eve@example.com\r\n\r\n<b>\u{2028}x\0";
    let rendered = templates.render(&hostile(MailTemplate::Invite, name)).unwrap();
    assert_eq!(rendered.subject, "Welcome Ann Bcc: eve@example.com <b> x");
    let rendered = templates.render(&hostile(MailTemplate::Invite, &"ä".repeat(10_000))).unwrap();
    assert_eq!(rendered.subject.chars().count(), LONGEST_SUBJECT);
}

#[test]
fn an_own_body_brings_its_own_text_part_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let templates = with_file(folder.path(), "mail.html", "<p>{{ .Token }}</p>").unwrap();
    let rendered = templates.render(&mail(MailTemplate::Confirmation)).unwrap();
    assert_eq!((rendered.html.as_str(), rendered.text), ("<p>123456</p>", None));
    assert_eq!(rendered.subject, "Confirm your email address");
    // The other mails stay as they are.
    assert!(templates.render(&mail(MailTemplate::Invite)).unwrap().text.is_some());

    fs::write(folder.path().join("mail.txt"), "<{{ .Token }}>").unwrap();
    let rendered = templates.render(&mail(MailTemplate::Confirmation)).unwrap();
    assert_eq!(rendered.text.as_deref(), Some("<123456>"));
}

#[test]
fn minijinjas_own_syntax_is_chosen_by_the_files_name() {
    let folder = tempfile::tempdir().unwrap();
    let body = "{% for role in Data.roles %}<b>{{ role|upper }}</b>{% endfor %}{{ Token }}";
    let templates = with_file(folder.path(), "mail.j2", body).unwrap();
    let mut mail = mail(MailTemplate::Confirmation);
    mail.fields.data = serde_json::from_value(json!({"roles": ["<a>"]})).unwrap();
    assert_eq!(templates.render(&mail).unwrap().html, "<b>&lt;A&gt;</b>123456");
}

#[test]
fn broken_templates_stop_the_start_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    for (name, body, line, problem) in [
        ("a.html", "<p>\n{{ .A", 2, "never closed"),
        ("b.html", "\n\n{{ if .A }}{{ printf .B }}", 3, "the function printf is not supported"),
        ("c.html", "<script>\nx={{ .A }}</script>", 2, "no value can stand here safely"),
        ("d.j2", "\n{% if %}", 2, ""),
        ("e.j2", "\n\n{{ Token|nothing }}", 3, "nothing"),
    ] {
        match with_file(folder.path(), name, body).unwrap_err() {
            TemplateError::Broken { name: file, line: at, problem: what } => {
                assert!(file.ends_with(name), "{file}");
                assert_eq!(at, line, "{name}");
                assert!(what.contains(problem), "{what}");
            }
            other => panic!("{other}"),
        }
    }
    let source = TemplateSource::default().with_subject("{{ .Token");
    let error = own(MailTemplate::Invite, source).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the template invite (subject) is broken in line 1: {{ is never closed by }}"
    );
    assert!(matches!(Templates::load(BTreeMap::new(), Some("{{ end }}")), Err(TemplateError::Broken { .. })));
}

#[test]
fn a_file_that_does_not_read_is_told() {
    let missing = TemplateSource::default().with_body("/nowhere/at/all.html");
    assert!(matches!(own(MailTemplate::Invite, missing), Err(TemplateError::Unreadable { .. })));
    let folder = tempfile::tempdir().unwrap();
    let large = "a".repeat(1_000_001);
    assert!(matches!(with_file(folder.path(), "a.html", &large), Err(TemplateError::Unreadable { .. })));
    let path = folder.path().join("latin.html");
    fs::write(&path, b"gr\xfc\xdfe").unwrap();
    let source = TemplateSource::default().with_body(path.to_str().unwrap());
    assert!(own(MailTemplate::Invite, source).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn a_changed_file_is_read_again_and_a_broken_change_leaves_the_last_version_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let templates = with_file(folder.path(), "mail.html", "one").unwrap();
    let html = || templates.render(&mail(MailTemplate::Confirmation)).unwrap().html;
    let path = folder.path().join("mail.html");
    assert_eq!(html(), "one");
    fs::write(&path, "second").unwrap();
    assert_eq!(html(), "second");
    fs::write(&path, "{{ broken").unwrap();
    assert_eq!((html().as_str(), html().as_str()), ("second", "second"));
    fs::remove_file(&path).unwrap();
    assert_eq!(html(), "second");
    fs::write(&path, "mended").unwrap();
    assert_eq!(html(), "mended");
}

#[test]
fn a_template_that_fails_on_a_mail_gives_way_to_the_builtin_one() {
    let folder = tempfile::tempdir().unwrap();
    let templates = with_file(folder.path(), "mail.j2", "{{ 10 // (Token|int) }}").unwrap();
    assert!(!templates.render(&mail(MailTemplate::Confirmation)).unwrap().html.contains("<h2>"));
    let mut zero = mail(MailTemplate::Confirmation);
    zero.fields.token = "0".to_owned();
    assert!(templates.render(&zero).unwrap().html.starts_with("<h2>Confirm your email address</h2>"));
}

#[test]
fn a_text_message_brings_the_code() {
    assert_eq!(Templates::builtin().unwrap().sms_text("098765"), "Your code is 098765");
    let templates = Templates::load(BTreeMap::new(), Some("{{ .Code }} für <Evident>")).unwrap();
    assert_eq!(templates.sms_text("1"), "1 für <Evident>");
}
