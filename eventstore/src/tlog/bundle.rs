//! Entry bundles: for each entry its length in two bytes, the larger first, and the entry.

/// An entry is longer than the format can say; such an event is never committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an entry is longer than 65,535 bytes")]
pub struct EntryTooLong;

/// Bytes that are no entry bundle: they end within an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the entry bundle breaks off")]
pub struct BundleMalformed;

/// Adds an entry to a bundle.
///
/// # Errors
/// When the entry is too long.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong)?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle.
///
/// # Errors
/// When it breaks off.
pub fn entries(mut bundle: &[u8]) -> Result<Vec<&[u8]>, BundleMalformed> {
    let mut entries = Vec::new();
    while !bundle.is_empty() {
        let (length, rest) = bundle.split_first_chunk().ok_or(BundleMalformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(BundleMalformed)?;
        entries.push(entry);
        bundle = rest;
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_out_as_they_went_in() {
        let longest = vec![7; 65_535];
        let mut bundle = Vec::new();
        for entry in [b"one".as_slice(), b"", &longest] {
            push_entry(&mut bundle, entry).unwrap();
        }
        assert_eq!(entries(&bundle).unwrap(), [b"one".as_slice(), b"", &longest]);
        assert_eq!(&bundle[..5], b"\0\x03one");
        assert_eq!(push_entry(&mut bundle, &vec![0; 65_536]), Err(EntryTooLong));
        assert_eq!(entries(&bundle[..bundle.len() - 1]), Err(BundleMalformed));
        assert_eq!(entries(&[0]), Err(BundleMalformed));
        assert_eq!(entries(&[]), Ok(Vec::new()));
    }
}
