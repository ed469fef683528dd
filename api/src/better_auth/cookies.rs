//! Cookies, signed as Better Auth signs them, so that a cookie of one is good for the other.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// What `encodeURIComponent` of a browser leaves as it is, besides letters and digits.
pub(super) const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// Characters of a signature: 32 bytes in base64, with padding.
const SIGNATURE: usize = 44;

/// Signs what browsers keep, and tells whether it came back as it was.
pub struct CookieSigner {
    secret: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for CookieSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSigner(…)")
    }
}

impl CookieSigner {
    /// A signer under the owner's secret.
    pub fn new(secret: &str) -> Self {
        Self { secret: Zeroizing::new(secret.as_bytes().to_vec()) }
    }

    /// HMAC-SHA256 of a text.
    pub fn mac(&self, text: &str) -> [u8; 32] {
        // HMAC takes keys of any length (RFC 2104), so making one cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return [0; 32] };
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// A key for enciphering what is not to be read, made from the secret (RFC 5869).
    pub fn derived(&self, salt: &str) -> Option<Zeroizing<[u8; 64]>> {
        let mut key = Zeroizing::new([0; 64]);
        let made = Hkdf::<Sha256>::new(Some(salt.as_bytes()), &self.secret);
        made.expand(b"BetterAuth.js Generated Encryption Key", &mut key[..]).ok()?;
        Some(key)
    }

    /// `value.signature`, as bearers carry it.
    pub fn signed(&self, value: &str) -> String {
        format!("{value}.{}", STANDARD.encode(self.mac(value)))
    }

    /// The text of a cookie: the same, percent-encoded.
    pub fn sign(&self, value: &str) -> String {
        utf8_percent_encode(&self.signed(value), COMPONENT).to_string()
    }

    /// The value in a cookie's text, percent-encoded or not; none if the signature is not good.
    pub fn verify(&self, text: &str) -> Option<String> {
        let text = percent_decode_str(text).decode_utf8().ok()?;
        let (value, signature) = text.rsplit_once('.')?;
        if signature.len() != SIGNATURE || !signature.ends_with('=') {
            return None;
        }
        let good = STANDARD.encode(self.mac(value));
        bool::from(good.as_bytes().ct_eq(signature.as_bytes())).then(|| value.to_owned())
    }
}

/// How cookies are called and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieSettings {
    /// Stands before every name: `better-auth`.
    pub prefix: String,
    /// Whether they travel encrypted only; their names say so then.
    pub secure: bool,
    /// The domain that shares them, where they are shared.
    pub domain: Option<String>,
    /// `Lax`, `Strict` or `None`.
    pub same_site: &'static str,
    /// The path of the server that they are sent to.
    pub path: String,
    /// Whether browsers keep them for each embedding site apart (CHIPS).
    pub partitioned: bool,
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self {
            prefix: "better-auth".to_owned(),
            secure: false,
            domain: None,
            same_site: "Lax",
            path: "/".to_owned(),
            partitioned: false,
        }
    }
}

impl CookieSettings {
    /// The whole name of a cookie: `__Secure-better-auth.session_token`.
    pub fn name(&self, name: &str) -> String {
        let secure = if self.secure { "__Secure-" } else { "" };
        format!("{secure}{}.{name}", self.prefix)
    }

    fn set(&self, name: &str, text: &str, max_age: Option<u64>) -> String {
        let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
        let domain = self.domain.as_ref().map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let partitioned = if self.partitioned { "; Partitioned" } else { "" };
        let (name, path, same_site) = (self.name(name), &self.path, self.same_site);
        format!(
            "{name}={text}{age}{domain}; Path={path}; HttpOnly{secure}; SameSite={same_site}{partitioned}"
        )
    }
}

/// The cookies of one request, and those of its answer in the order in which they are set.
#[derive(Debug)]
pub struct CookieJar<'a> {
    signer: &'a CookieSigner,
    settings: &'a CookieSettings,
    came: Vec<(String, String)>,
    lines: Vec<String>,
}

impl<'a> CookieJar<'a> {
    /// The jar of a request. Of two cookies of one name the first one counts.
    pub fn new(signer: &'a CookieSigner, settings: &'a CookieSettings, headers: &HeaderMap) -> Self {
        let came = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, text)| (name.trim().to_owned(), text.trim().trim_matches('"').to_owned()))
            .collect();
        Self { signer, settings, came, lines: Vec::new() }
    }

    /// The text of a cookie as it came.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let name = self.settings.name(name);
        self.came.iter().find(|(known, _)| *known == name).map(|(_, text)| text.as_str())
    }

    /// The names of the cookies that came of one name, whole or in numbered parts (`name.0`).
    pub fn parts(&self, name: &str) -> Vec<String> {
        let whole = self.settings.name(name);
        let is_part = |rest: &str| {
            let number = rest.strip_prefix('.').unwrap_or_default();
            rest.is_empty() || (!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
        };
        let rests = self.came.iter().filter_map(|(known, _)| known.strip_prefix(whole.as_str()));
        rests.filter(|rest| is_part(rest)).map(|rest| format!("{name}{rest}")).collect()
    }

    /// The value of a signed cookie; a bad signature counts as no cookie.
    pub fn get(&self, name: &str) -> Option<String> {
        self.signer.verify(self.raw(name)?)
    }

    /// Puts a signed cookie into the answer; without an age it goes with the browser's window.
    pub fn set(&mut self, name: &str, value: &str, max_age: Option<u64>) {
        let text = self.signer.sign(value);
        self.lines.push(self.settings.set(name, &text, max_age));
    }

    /// Puts a cookie into the answer that is signed inside.
    pub fn set_plain(&mut self, name: &str, text: &str, max_age: Option<u64>) {
        self.lines.push(self.settings.set(name, text, max_age));
    }

    /// Takes a cookie away.
    pub fn clear(&mut self, name: &str) {
        self.lines.push(self.settings.set(name, "", Some(0)));
    }

    /// Adds the lines to the headers of an answer.
    pub fn write(self, headers: &mut HeaderMap) {
        for line in self.lines {
            if let Ok(line) = HeaderValue::from_str(&line) {
                headers.append(header::SET_COOKIE, line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> CookieSigner {
        CookieSigner::new("test-secret-test-secret-test-secret-1234")
    }

    #[test]
    fn a_cookie_is_signed_as_better_auth_signs_it() {
        assert_eq!(signer().sign("true"), "true.Q3tLn5mR%2BBpWsPmhRXq4oq2Ft5MsgW%2FZ7zvgyHuNzZw%3D");
    }

    #[test]
    fn what_was_signed_comes_back_encoded_or_not() {
        let text = signer().sign("a.b:c");
        assert_eq!(signer().verify(&text).as_deref(), Some("a.b:c"));
        let decoded = percent_decode_str(&text).decode_utf8().unwrap();
        assert_eq!(signer().verify(&decoded).as_deref(), Some("a.b:c"));
    }

    #[test]
    fn a_bad_signature_is_no_cookie() {
        let other = CookieSigner::new("another secret").sign("true");
        for text in ["", "true", "true.", "true.AAAA", ".", "%ff.%ff", other.as_str()] {
            assert_eq!(signer().verify(text), None, "{text}");
        }
        let cut = signer().sign("true").replace("%3D", "");
        assert_eq!(signer().verify(&cut), None);
    }

    #[test]
    fn attributes_stand_in_better_auths_order() {
        let settings = CookieSettings {
            secure: true,
            domain: Some(".example.com".to_owned()),
            ..CookieSettings::default()
        };
        let signer = signer();
        let mut jar = CookieJar::new(&signer, &settings, &HeaderMap::new());
        jar.set("session_token", "t", Some(604_800));
        jar.clear("session_data");
        let mut headers = HeaderMap::new();
        jar.write(&mut headers);
        let lines: Vec<_> =
            headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
        let ends = "; Domain=.example.com; Path=/; HttpOnly; Secure; SameSite=Lax";
        assert!(lines[0].starts_with("__Secure-better-auth.session_token=t."), "{}", lines[0]);
        assert!(lines[0].ends_with(&format!("; Max-Age=604800{ends}")), "{}", lines[0]);
        assert_eq!(lines[1], format!("__Secure-better-auth.session_data=; Max-Age=0{ends}"));
    }

    #[test]
    fn a_cookie_may_have_come_in_parts() {
        let (signer, settings) = (signer(), CookieSettings::default());
        let mut headers = HeaderMap::new();
        let names = ["data", "data.0", "data.12", "data.", "data.x", "database", "other"];
        let line = names.map(|name| format!("better-auth.{name}=x")).join("; ");
        headers.insert(header::COOKIE, line.parse().unwrap());
        let jar = CookieJar::new(&signer, &settings, &headers);
        assert_eq!(jar.parts("data"), ["data", "data.0", "data.12"]);
    }

    #[test]
    fn the_first_cookie_of_a_name_counts_and_the_name_is_exact() {
        let (signer, settings) = (signer(), CookieSettings::default());
        let mut headers = HeaderMap::new();
        let line = format!(
            "x=1; better-auth.session_token={}; better-auth.session_token=evil; better-auth.session_tokenx=2",
            signer.sign("mine")
        );
        headers.insert(header::COOKIE, HeaderValue::from_str(&line).unwrap());
        let jar = CookieJar::new(&signer, &settings, &headers);
        assert_eq!(jar.get("session_token").as_deref(), Some("mine"));
        assert_eq!(jar.get("session_data"), None);
    }
}
