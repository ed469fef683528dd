use std::sync::LazyLock;

use proptest::prelude::*;
use url::Url;

use super::*;

const SITE: &str = "https://app.example.com/start?from=mail";

fn allows(patterns: &[&str], candidate: &str) -> bool {
    let policy = RedirectPolicy::new(SITE, patterns).unwrap();
    let resolved = policy.resolve(Some(candidate));
    assert!(resolved == candidate || resolved == SITE, "{resolved}");
    resolved == candidate
}

#[track_caller]
fn check(pattern: &str, yes: &[&str], no: &[&str]) {
    for candidate in yes {
        assert!(allows(&[pattern], candidate), "{pattern} should allow {candidate}");
    }
    for candidate in no {
        assert!(!allows(&[pattern], candidate), "{pattern} should not allow {candidate}");
    }
}

#[test]
fn nothing_asked_leads_to_the_site_as_configured() {
    let policy = RedirectPolicy::new(SITE, &[""]).unwrap();
    assert_eq!(policy.resolve(None), SITE);
    assert_eq!(policy.resolve(Some("")), SITE);
    assert_eq!(policy.resolve(Some("/welcome")), SITE);
    assert_eq!(policy.admit("https://elsewhere.example"), None);
    assert!(policy.warnings().is_empty());
}

#[test]
fn any_page_of_the_site_is_allowed_and_nothing_beside_it() {
    for yes in [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/a/../b?c=d&e=%2F#f",
        "HTTPS://APP.example.com/x",
        "https://app.example.com:443/x",
    ] {
        assert!(allows(&[], yes), "{yes}");
    }
    for no in [
        "http://app.example.com/",
        "https://app.example.com:8443/",
        "https://www.app.example.com/",
        "https://example.com/",
        "https://app.example.com.evil.com/",
        "https://app.example.community/",
        "//app.example.com/",
        "app.example.com",
    ] {
        assert!(!allows(&[], no), "{no}");
    }
}

#[test]
fn hostile_addresses_are_refused_whatever_is_listed() {
    for candidate in [
        "https://good.example@evil",
        "https://good.example:x@evil.com/",
        "https://app.example.com@evil.com/",
        "https://evil.com@app.example.com/",
        "//evil",
        "///evil.com",
        "https:evil.com",
        "https:/evil.com",
        "https:///evil.com",
        "https:\\\\evil.com",
        "https://good.example\\@evil.com",
        "https://evil.com\\.good.example/",
        "https://good.example.evil.com/",
        "https://good.example%2eevil.com/",
        "https://good.example%00.evil.com/",
        "https://good。example/",
        "https://ɡood.example/",
        "https://good.example./",
        "https://-good.example/",
        "https://go_od.example/",
        "https://good.example:/",
        "https://good.example:99999/",
        "https://good.example/x\r\nLocation: https://evil.com",
        "https://good.example/\tx",
        " https://good.example/",
        "https://good.example/a b",
        "javascript:alert(1)",
        "JavaScript://good.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "blob:https://good.example/x",
        "file:///etc/passwd",
        "view-source:https://good.example/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://192.168.1.1/",
        "http://[::ffff:7f00:1]/",
        "exp://192.168.1.1:8081",
        "exp://2130706433",
        "exp://0x7f.0.0.1/",
        "exp://127.0.0.1:8081",
    ] {
        let lists = ["https://good.example/**", "https://good.example", "http://good.example/**", "exp://**"];
        assert!(!allows(&lists, candidate), "{candidate}");
    }
    for pattern in ["javascript:**", "data:**", "**", "*:**", "*://**"] {
        assert!(!allows(&[pattern], "javascript:alert(1)"), "{pattern}");
        assert!(!allows(&[pattern], "data:text/html,x"), "{pattern}");
    }
    assert!(!allows(&["https://**"], &format!("https://a.example/{}", "a".repeat(5000))));
}

#[test]
fn globs_read_as_gotrue_reads_them() {
    check(
        "https://one.com/a*",
        &["https://one.com/a", "https://one.com/abc", "https://one.com/a?x=1", "https://one.com/a:-#frag.x/"],
        &["https://one.com/a/b", "https://one.com/a.b", "https://one.com/b", "http://one.com/a"],
    );
    check("https://exact.com", &["https://exact.com"], &["https://exact.com/", "https://exact.com?x"]);
    check("https://exact.com/", &["https://exact.com/"], &["https://exact.com", "https://exact.com/x"]);
    check("https://port.com:8443/**", &["https://port.com:8443/a"], &["https://port.com/a"]);
    check(
        "https://*.ok.com/**",
        &["https://a.ok.com/", "https://a-b.ok.com/x?y"],
        &["https://a.ok.com", "https://a.b.ok.com/", "https://ok.com/", "http://a.ok.com/"],
    );
    check(
        "https://a?.com/[xy]/[!a-c]/[0-9]",
        &["https://ab.com/x/d/7", "https://ab.com/y/-/0"],
        &["https://a.com/x/d/7", "https://ab.com/z/d/7", "https://ab.com/x/b/7", "https://ab.com/x/d/x"],
    );
    check("https://a.com/\\*\\?", &["https://a.com/*?"], &["https://a.com/b?"]);
    check("https://a.com?x=*", &["https://a.com?x=1"], &["https://a.com/?x=1", "https://a.com?y=1"]);
    check(
        "https://{a,b}.com/{x,y/{1,2}}",
        &["https://a.com/x", "https://b.com/y/1", "https://b.com/y/2"],
        &["https://c.com/x", "https://a.com/y", "https://a.com/y/3"],
    );
    check("HTTPS://A.com/Path", &["https://a.COM/Path"], &["https://a.com/path"]);
}

#[test]
fn apps_addresses_are_matched_whole() {
    check("myapp://auth", &["myapp://auth"], &["myapp://auth?x=1", "myapp://authx", "other://auth"]);
    check("myapp://auth*", &["myapp://auth?x=1", "myapp://authx"], &["myapp://auth/x"]);
    check("myapp://**", &["myapp://a/b.c?d#e", "myapp://"], &["myapps://a", "https://a.com/"]);
    check("com.example.app:/callback", &["com.example.app:/callback"], &["com.example.app:/callback/x"]);
    check("exp://**", &["exp://u.expo.dev/x"], &["exp://10.0.0.1"]);
    check(
        "myapp://a/x/**",
        &["myapp://a/x/b"],
        &["myapp://a/x/../b", "myapp://a/x/%2e%2e/b", "myapp://a/x/%252e%252e/b"],
    );
    check("app:/x/**", &["app:/x/b"], &["app:/x/../b", "app:/x/%2e%2e/b", "app:x/b", "app:x/../x/b"]);
}

#[test]
fn no_wildcard_of_the_host_reaches_into_the_path_or_past_the_name() {
    check(
        "https://**.deep.com/**",
        &["https://a.b.deep.com/x"],
        &["https://evil.com/.deep.com/x", "https://evil.com?.deep.com/", "https://evil.com/x.deep.com/"],
    );
    for pattern in ["https://good.com**", "https://good.com*/**"] {
        check(
            pattern,
            &["https://good.com/x", "https://good.com:8443/x?y"],
            &["https://good.community/", "https://good.com.evil.com/", "https://good.com-x.evil.com/"],
        );
    }
    check(
        "http://localhost:*/**",
        &["http://localhost:5173/x"],
        &["http://localhost/x", "http://evil.com:1/"],
    );
    check(
        "http://localhost:3*",
        &["http://localhost:3000"],
        &["http://localhost:4000", "http://localhost:3000/"],
    );
    check(
        "http://localhost**",
        &["http://localhost", "http://localhost:1/x.y"],
        &["http://localhost.evil.com/"],
    );
}

#[test]
fn dot_segments_and_escapes_do_not_leave_the_listed_folder() {
    check(
        "https://a.com/x/**",
        &["https://a.com/x/y", "https://a.com/x/./y", "https://a.com/x/z/../y", "https://a.com/x/50%25"],
        &[
            "https://a.com/x/../y",
            "https://a.com/x/%2e%2e/y",
            "https://a.com/x/%2E./y",
            "https://a.com/x/..%2fy",
            "https://a.com/x/%2e%2e%2fy",
            "https://a.com/x/%252e%252e/y",
            "https://a.com/x/%25252e%25252e%25252fy",
            "https://a.com/x/..%5cy",
            "https://a.com/x/%00",
            "https://a.com/x/%ff",
        ],
    );
    check(
        "https://a.com/x/*",
        &["https://a.com/x/%79"],
        &["https://a.com/x/a%2Fb", "https://a.com/x/%2e%2e"],
    );
}

#[test]
fn this_machine_is_allowed_only_where_it_is_named() {
    let loopback = ["http://127.0.0.1:8080/cb", "http://[::1]:8080/cb", "http://localhost:8080/cb"];
    for candidate in loopback {
        assert!(!allows(&[], candidate), "{candidate}");
        assert!(!allows(&["https://one.com/**", "http://*.example/**"], candidate), "{candidate}");
    }
    assert!(!allows(&["http://**"], loopback[0]), "a wildcard names nobody");
    check("http://127.0.0.1:*/**", &[loopback[0]], &[loopback[1], loopback[2], "http://127.0.0.2:1/"]);
    check("http://127.0.0.1**", &[loopback[0], "http://127.0.0.1"], &["http://127.0.0.10/"]);
    check("http://[::1]:8080/**", &[loopback[1]], &[loopback[0], "http://[::2]:8080/"]);
    check("http://localhost:8080/**", &[loopback[2]], &[loopback[0]]);
    check("exp://127.0.0.1:*", &["exp://127.0.0.1:8081"], &["exp://127.0.0.2:8081"]);
    check("http://192.168.1.1/**", &[], &["http://192.168.1.1/x"]);
}

#[test]
fn a_site_on_this_machine_may_have_other_ports() {
    for site in ["http://localhost:3000", "http://127.0.0.1:3000", "http://app.localhost:3000"] {
        let policy = RedirectPolicy::new::<&str>(site, &[]).unwrap();
        let other = site.replace("3000", "5173/x");
        assert_eq!(policy.resolve(Some(&other)), other);
        assert_eq!(policy.resolve(Some("http://localhost.evil.com:3000")), site);
    }
}

#[test]
fn what_is_allowed_can_stand_in_a_header() {
    let policy = RedirectPolicy::new::<&str>("https://app.example.com", &[]).unwrap();
    assert_eq!(
        policy.resolve(Some("https://app.example.com/grüße?a=%20#ö")),
        "https://app.example.com/gr%C3%BC%C3%9Fe?a=%20#%C3%B6"
    );
}

#[test]
fn broken_settings_stop_the_start() {
    for (pattern, problem) in [
        ("https://{a", "a brace is never closed"),
        ("b}.com/**", "a brace is closed that was never opened"),
        ("https://a.com/[", "a character class is empty or not closed"),
        ("https://a.com/[]", "a character class is empty or not closed"),
        ("https://a.com/[z-a]", BROKEN_RANGE),
        ("https://a.com/\\", "it ends in a backslash"),
        ("https:a.com", "// is missing behind the scheme"),
        ("https:///x", "the host is missing"),
        ("https://a@b.com/", "user names are not allowed in it"),
        ("https://{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}.com", "it has too many alternatives"),
    ] {
        let expected = RedirectError::Pattern { pattern: pattern.to_owned(), problem };
        assert_eq!(RedirectPolicy::new(SITE, &[pattern]).unwrap_err(), expected);
    }
    for site in ["", "app.example.com", "https://", "https://a b", "javascript:alert(1)"] {
        let error = RedirectPolicy::new::<&str>(site, &[]).unwrap_err();
        assert_eq!(error, RedirectError::Site(site.to_owned()));
    }
}

const BROKEN_RANGE: &str = "it is too long or a range in it is reversed";

#[test]
fn open_patterns_are_pointed_out() {
    let warnings = |pattern: &str| RedirectPolicy::new(SITE, &[pattern]).unwrap().warnings().len();
    for open in ["https://**", "https://*/**", "https://app.**", "https://preview-**", "**"] {
        assert_eq!(warnings(open), 1, "{open}");
    }
    for fine in ["https://*.example.com/**", "https://a.com**", "myapp://**", "http://localhost:*"] {
        assert_eq!(warnings(fine), 0, "{fine}");
    }
}

#[test]
fn a_comma_list_is_split_outside_of_braces() {
    let list = RedirectPolicy::split(" https://a.com/** , https://{b,c}.com,, myapp://x ");
    assert_eq!(list, ["https://a.com/**", "https://{b,c}.com", "myapp://x"]);
    assert_eq!(RedirectPolicy::split("https://{a.com"), ["https://{a.com"]);
}

/// Texts from the pieces that addresses and attacks on them are made of.
fn candidates() -> impl Strategy<Value = String> {
    let pieces = [
        "https",
        "http",
        "HTTPS",
        "javascript",
        "myapp",
        ":",
        "//",
        "/",
        "\\",
        "@",
        "?",
        "#",
        ".",
        "..",
        "%2e",
        "%2f",
        "%5c",
        "%00",
        "%252e",
        "good",
        "good.example",
        "evil.com",
        "ok.example",
        "x",
        "*",
        "[",
        "]",
        "::1",
        "127.0.0.1",
        "localhost",
        ":80",
        ":8443",
        "\t",
        "\n",
        " ",
        "。",
        "ü",
        "-",
        "_",
        "&",
        "=",
    ];
    prop_oneof![
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..9).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..9)
            .prop_map(|pieces| format!("https://{}", pieces.concat())),
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..9)
            .prop_map(|pieces| format!("https://good.example{}", pieces.concat())),
        any::<String>(),
    ]
}

static STRICT: LazyLock<RedirectPolicy> = LazyLock::new(|| {
    let lists = ["https://good.example/x/**", "https://*.ok.example/**", "http://good.example:8443*"];
    RedirectPolicy::new("https://app.example.com", &lists).unwrap()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn whatever_is_asked_a_browser_ends_in_a_listed_place(candidate in candidates()) {
        if let Some(admitted) = STRICT.admit(&candidate) {
            let url = Url::parse(&admitted).unwrap();
            let host = url.host_str().unwrap();
            let listed = match (url.scheme(), host) {
                ("https", "app.example.com") => url.port().is_none(),
                ("https", "good.example") => url.port().is_none() && url.path().starts_with("/x/"),
                ("http", "good.example") => url.port() == Some(8443) && url.path() == "/",
                ("https", host) => host.ends_with(".ok.example") && url.port().is_none(),
                _ => false,
            };
            prop_assert!(listed, "{candidate:?} led to {url}");
            prop_assert!(admitted.bytes().all(|b| b.is_ascii_graphic()), "{admitted:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_pattern_makes_it_panic(pattern in "[\\PC]{0,12}|[a-z:/.*?{},!\\[\\]\\\\-]{0,24}", candidate in candidates()) {
        if let Ok(policy) = RedirectPolicy::new("https://app.example.com", &[pattern]) {
            policy.resolve(Some(&candidate));
        }
    }
}
