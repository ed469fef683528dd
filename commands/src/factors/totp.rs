//! Codes of authenticator apps (RFC 6238): six digits, thirty seconds, SHA-1, which is what every app
//! knows.

use evident_domain::Time;
use evident_domain::ports::Entropy;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;

/// The length of a secret, in bytes: that of the hash (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
/// Codes of so many steps before and after the present one are good: clocks differ.
const SKEW: u16 = 1;
/// How long a time step is.
const STEP_SECONDS: u64 = 30;
/// What stays as it is in a part of an address.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// A fresh secret, in base32 without padding.
pub(crate) fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    entropy.fill(bytes.as_mut_slice());
    Zeroizing::new(Secret::from(*bytes).to_base32())
}

/// The time step for which a code is good now, if it is for one.
pub(crate) fn matched_step(secret: &str, code: &str, now: Time) -> Option<u64> {
    let secret = Secret::try_from_base32(secret).ok()?;
    // An imported secret may be shorter than the RFC asks for, and is what its app has all the same.
    let totp = Builder::new().with_secret(secret).with_skew(SKEW).build_noncompliant();
    totp.check(code, u64::try_from(now.timestamp()).ok()?)
}

/// The code of the time step before a moment, as the app of a secret shows it.
pub(crate) fn code_before(secret: &str, now: Time) -> Option<Zeroizing<String>> {
    let secret = Secret::try_from_base32(secret).ok()?;
    let totp = Builder::new().with_secret(secret).with_skew(SKEW).build_noncompliant();
    let moment = u64::try_from(now.timestamp()).ok()?.checked_sub(STEP_SECONDS)?;
    Some(Zeroizing::new(totp.generate(moment).to_string()))
}

/// What an app reads: the secret, whose it is, and who gave it.
pub(super) fn uri(secret: &str, issuer: &str, account: &str) -> Zeroizing<String> {
    // A colon ends the issuer, escaped or not, so it can hold none.
    let issuer = issuer.replace(':', "-");
    let issuer = utf8_percent_encode(&issuer, PART);
    let account = utf8_percent_encode(account, PART);
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{account}?algorithm=SHA1&digits=6&issuer={issuer}&period=30&secret={secret}"
    ))
}

/// A picture of an address, as SVG; none where it is too long for one.
pub(super) fn picture(uri: &str) -> Option<String> {
    let code = QrCode::new(uri.as_bytes()).ok()?;
    // Clients put it into a `data:` address as it is, where a `#` would end it: colours by name.
    let (dark, light) = (svg::Color("black"), svg::Color("white"));
    Some(code.render().dark_color(dark).light_color(light).min_dimensions(200, 200).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_timestamp(seconds, 0).unwrap()
    }

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_rfc_and_tell_their_step() {
        let secret = Secret::from(*b"12345678901234567890").to_base32();
        for (seconds, code, step) in
            [(59, "287082", 1), (1_111_111_109, "081804", 37_037_036), (2_000_000_000, "279037", 66_666_666)]
        {
            for skew in [-30, 0, 30] {
                assert_eq!(matched_step(&secret, code, at(seconds + skew)), Some(step));
            }
            for skew in [-61, 61] {
                assert_eq!(matched_step(&secret, code, at((seconds + skew).max(200))), None);
            }
        }
        for code in ["", "28708", "2870822", "abcdef", "٢٨٧٠٨٢", "999999999999999999999"] {
            assert_eq!(matched_step(&secret, code, at(59)), None, "{code}");
        }
    }

    #[test]
    fn what_an_app_reads_is_escaped_once() {
        assert_eq!(
            uri("ABC", "app.example.com", "u1@example.com").as_str(),
            "otpauth://totp/app.example.com:u1@example.com?algorithm=SHA1&digits=6&issuer=app.example.com\
             &period=30&secret=ABC"
        );
        let odd = uri("ABC", "A & B: C", "x+y@example.com");
        assert!(odd.starts_with("otpauth://totp/A%20%26%20B-%20C:x%2By@example.com?"), "{odd:?}");
        assert!(odd.contains("&issuer=A%20%26%20B-%20C&"));
    }

    #[test]
    fn a_picture_may_stand_in_a_data_address() {
        let picture = picture("otpauth://totp/a:b?secret=ABC").unwrap();
        assert!(picture.starts_with("<?xml") && picture.contains("<svg"), "{picture}");
        assert!(!picture.contains('#'), "{picture}");
        assert!(super::picture(&"x".repeat(5_000)).is_none());
    }
}
