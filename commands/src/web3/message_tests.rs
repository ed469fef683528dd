//! What messages read as.

use proptest::prelude::*;

use super::*;

const SOLANA: &str = "localhost:3000 wants you to sign in with your Solana account:\n\
    CWeA15dFsVZ1dCVf3jvjAG8DXd93n3FLkhfzWNAr4mfP\n\n\
    Sign in to Example\n\n\
    Version: 1\nURI: http://localhost:3000/\nIssued At: 2026-11-21T02:45:24Z\nNonce: 8b1c2f90";

const ETHEREUM: &str = "example.com wants you to sign in with your Ethereum account:\n\
    0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\n\n\
    URI: https://example.com/login\nVersion: 1\nChain ID: 1\nNonce: 32891757\n\
    Issued At: 2026-11-21T02:45:24.123Z\nExpiration Time: 2026-11-21T03:45:24+01:00\n\
    Not Before: 2026-11-21T02:00:00Z\nRequest ID: x:y\n\
    Resources:\n- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n- https://example.com/claim";

fn problem(chain: Chain, text: &str) -> String {
    SignInMessage::parse(chain, text).unwrap_err().to_string()
}

/// The message with another piece in place of one.
fn solana(from: &str, to: &str) -> Result<SignInMessage, String> {
    assert!(SOLANA.contains(from), "{from}");
    SignInMessage::parse(Chain::Solana, &SOLANA.replacen(from, to, 1)).map_err(|error| error.to_string())
}

fn ethereum(from: &str, to: &str) -> Result<SignInMessage, String> {
    assert!(ETHEREUM.contains(from), "{from}");
    SignInMessage::parse(Chain::Ethereum, &ETHEREUM.replacen(from, to, 1)).map_err(|error| error.to_string())
}

#[test]
fn a_message_tells_who_what_where_and_when() {
    let message = SignInMessage::parse(Chain::Solana, SOLANA).unwrap();
    assert_eq!(message.domain, "localhost:3000");
    assert_eq!(message.address.canonical(), "CWeA15dFsVZ1dCVf3jvjAG8DXd93n3FLkhfzWNAr4mfP");
    assert_eq!(message.statement.as_deref(), Some("Sign in to Example"));
    assert_eq!((message.uri.as_str(), message.chain_id), ("http://localhost:3000/", None));
    assert_eq!(message.issued_at.to_rfc3339(), "2026-11-21T02:45:24+00:00");
    assert_eq!((message.expires_at, message.not_before), (None, None));

    let message = SignInMessage::parse(Chain::Ethereum, ETHEREUM).unwrap();
    assert_eq!((message.statement, message.chain_id.as_deref()), (None, Some("1")));
    assert_eq!(message.expires_at.unwrap().to_rfc3339(), "2026-11-21T02:45:24+00:00");
    assert!(message.not_before.is_some());
}

#[test]
fn fields_may_come_in_any_order_and_others_are_left_alone() {
    assert!(solana("Nonce: 8b1c2f90", "Nonce: 8b1c2f90\nColour: red\n\n").is_ok());
    assert_eq!(
        solana("Nonce: ", "Chain ID: solana:devnet\nNonce: ").unwrap().chain_id.unwrap(),
        "solana:devnet"
    );
    assert!(ethereum("Resources:\n", "Resources:\nScore: 7\n").unwrap_err().contains("unparsable line"));
    assert_eq!(solana("\nSign in to Example\n", "").unwrap().statement, None);
}

#[test]
fn a_statement_is_no_field() {
    let message = solana("Sign in to Example", "URI: https://evil.example/").unwrap();
    assert_eq!(message.uri, "http://localhost:3000/");
    assert_eq!(message.statement.unwrap(), "URI: https://evil.example/");
}

#[test]
fn what_has_another_form_is_refused_in_words() {
    assert_eq!(problem(Chain::Solana, "x"), "message is too short");
    assert_eq!(problem(Chain::Solana, &"x".repeat(20 * 1_024 + 1)), "message must not exceed 20KB");
    assert_eq!(problem(Chain::Solana, &"x".repeat(70)), "siws: message needs at least 6 lines");
    assert_eq!(
        problem(Chain::Ethereum, &"x\n".repeat(40)),
        "siwe: message first line does not end in \" wants you to sign in with your Ethereum account:\""
    );
    for (from, to, expected) in [
        ("\n\nSign", "\r\n\nSign", "message contains control characters"),
        ("Example", "Exam\u{0}ple", "message contains control characters"),
        ("localhost:3000 wants", " wants", "domain in first line of message is not valid"),
        ("localhost:3000 wants", "a@localhost wants", "domain in first line of message is not valid"),
        ("localhost:3000 wants", "localhost/x wants", "domain in first line of message is not valid"),
        ("localhost:3000 wants", "b\u{fc}cher.example wants", "domain in first line of message is not valid"),
        ("localhost:3000 wants", "x:99999 wants", "domain in first line of message is not valid"),
        ("CWeA15", "0WeA15", "wallet address is not in base58 format"),
        ("mfP\n\n", "mfP\nx\n", "third line must be empty"),
        ("Version: 1", "Version", "encountered unparsable line at index 5"),
        ("Version: 1", "Version: 2", "Version value is not supported, expected 1 got \"2\""),
        ("Version: 1", "V: 1", "Version value is not supported, expected 1 got \"\""),
        ("Nonce:", "Version: 1\nNonce:", "Version is specified more than once"),
        ("Nonce:", "URI: http://localhost/\nNonce:", "URI is specified more than once"),
        ("Nonce:", "Chain ID: solana:moon\nNonce:", "Chain ID is not valid"),
        ("Nonce:", "Resources:\n- x\nNonce:", "Resource at position 0 has invalid URI"),
        ("Nonce:", "Resources:\nResources:\nNonce:", "Resources is specified more than once"),
        ("URI: http://localhost:3000/", "URI: nowhere", "URI is not valid"),
        ("URI: http://localhost:3000/", "URI: data:x", "URI is not valid"),
        ("URI:", "Uri:", "URI is not specified"),
        ("Issued At: 2", "Issued At: x2", "Issued At is not a valid ISO8601 timestamp"),
        ("Issued At:", "Issued:", "Issued At is not specified"),
        ("Nonce:", "Expiration Time: soon\nNonce:", "Expiration Time is not a valid ISO8601 timestamp"),
        ("Nonce:", "Not Before: \nNonce:", "Not Before is not a valid ISO8601 timestamp"),
    ] {
        assert_eq!(solana(from, to).unwrap_err(), format!("siws: {expected}"), "{to:?}");
    }
    for (from, to, expected) in [
        ("0x5aA", "0x5a", "wallet address is not in hex format"),
        ("Chain ID: 1\n", "", "Chain ID is not specified"),
        ("Chain ID: 1\n", "Chain ID: +1\n", "Chain ID is not valid"),
        ("Chain ID: 1\n", "Chain ID: 99999999999999999999\n", "Chain ID is not valid"),
        ("Not Before: 2026", "Not Before: 2027", "Not Before is after Expiration Time"),
    ] {
        assert_eq!(ethereum(from, to).unwrap_err(), format!("siwe: {expected}"), "{to:?}");
    }
}

fn lines() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("localhost wants you to sign in with your Solana account:".to_owned()),
        Just("a.example wants you to sign in with your Ethereum account:".to_owned()),
        Just("CWeA15dFsVZ1dCVf3jvjAG8DXd93n3FLkhfzWNAr4mfP".to_owned()),
        Just("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed".to_owned()),
        Just(String::new()),
        Just("Resources:".to_owned()),
        "(URI|Version|Chain ID|Issued At|Expiration Time|Not Before|Nonce|- ): ?[ -~]{0,20}",
        "\\PC{0,40}",
    ];
    proptest::collection::vec(pieces, 0..16).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,200}", lines in lines(), ethereum: bool) {
        let chain = if ethereum { Chain::Ethereum } else { Chain::Solana };
        for text in [text, lines] {
            if let Ok(message) = SignInMessage::parse(chain, &text) {
                prop_assert!(text.starts_with(&message.domain));
            }
        }
    }

    #[test]
    fn a_message_cut_or_changed_anywhere_reads_or_is_refused(at in 0..ETHEREUM.len(), with in any::<char>()) {
        for (chain, text) in [(Chain::Solana, SOLANA), (Chain::Ethereum, ETHEREUM)] {
            let at = at.min(text.len() - 1);
            let cut: String = text.chars().take(at).collect();
            let changed: String =
                text.chars().enumerate().map(|(n, c)| if n == at { with } else { c }).collect();
            for text in [cut, changed] {
                let _ = SignInMessage::parse(chain, &text);
            }
        }
    }
}
