//! Paths of tiles and entry bundles (C2SP tlog-tiles), read strictly: one spelling each, nothing else.

use std::fmt;

/// Hashes of a full tile, and entries of a full bundle.
pub const FULL_WIDTH: u16 = 256;

/// A level beyond this one would need more entries than there are numbers.
const HIGHEST_LEVEL: u8 = 63;

/// Longer paths name tiles that no log has.
const LONGEST: usize = 64;

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes at a level; 0 are the leaves'.
    Hashes(u8),
    /// The entries themselves.
    Entries,
}

/// Where a tile or an entry bundle stands: `tile/0/x001/067`, `tile/1/000.p/17`, `tile/entries/005`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// Hashes or entries.
    pub kind: TileKind,
    /// Its number within the level.
    pub number: u64,
    /// How many hashes or entries it has: 1 to [`FULL_WIDTH`].
    pub width: u16,
}

impl TilePath {
    /// A full tile of hashes.
    pub fn full(level: u8, number: u64) -> Self {
        Self { kind: TileKind::Hashes(level), number, width: FULL_WIDTH }
    }

    /// Reads a path; none where it is not spelled as [`TilePath`] prints it.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok().filter(|level| *level <= HIGHEST_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            None => (rest, FULL_WIDTH),
            Some((number, width)) => {
                (number, width.parse().ok().filter(|width| (1..FULL_WIDTH).contains(width))?)
            }
        };
        let mut read = 0_u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            read = read.checked_mul(1000)?.checked_add(digits.parse().ok().filter(|n| *n < 1000)?)?;
        }
        let path = Self { kind, number: read, width };
        // Signs, leading zeros, groups too many or too short: all that is not how it is printed.
        (path.to_string() == text).then_some(path)
    }

    /// How many entries a tree must have for the tile to be in it; none where no tree can have so many.
    pub fn needs(&self) -> Option<u64> {
        let level = match self.kind {
            TileKind::Hashes(level) => u32::from(level),
            TileKind::Entries => 0,
        };
        let hashes = self.number.checked_mul(u64::from(FULL_WIDTH))?.checked_add(u64::from(self.width))?;
        let each = 1_u64.checked_shl(level.checked_mul(8)?)?;
        hashes.checked_mul(each)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.number % 1000];
        let mut rest = self.number / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        while let Some(group) = groups.pop() {
            if groups.is_empty() {
                write!(f, "{group:03}")?;
            } else {
                write!(f, "x{group:03}/")?;
            }
        }
        if self.width == FULL_WIDTH { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        let entries = |number, width| TilePath { kind: TileKind::Entries, number, width };
        for (text, path) in [
            ("tile/0/000", TilePath::full(0, 0)),
            ("tile/63/x001/000", TilePath::full(63, 1000)),
            ("tile/1/x001/x234/067.p/1", TilePath { width: 1, ..TilePath::full(1, 1_234_067) }),
            ("tile/entries/005", entries(5, 256)),
            ("tile/entries/x018/x446/x744/x073/x709/x551/615.p/255", entries(u64::MAX, 255)),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(TilePath::parse(text), Some(path), "{text}");
        }
        for wrong in [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/00",
            "tile/0/0000",
            "tile/00/000",
            "tile/64/000",
            "tile/-1/000",
            "tile/+1/000",
            "tile/0/+00",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/000/000",
            "tile/0/x001/x000",
            "tile/0/1000",
            "tile/0/001/",
            "/tile/0/001",
            "tile//001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/-1",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000.p/1/",
            "tile/0/000.p/1.p/1",
            "tile/data/000",
            "tile/8/0/000",
            "tile/entries/000.p/256",
            "tile/Entries/000",
            "tile/0/xx01/000",
            "tile/0/٠٠٠",
            "tile/0/000\n",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/../0/000",
            "tile/0/0x0",
            "tile/256/000",
        ] {
            assert_eq!(TilePath::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_tile_is_in_the_trees_that_are_large_enough() {
        assert_eq!(TilePath { width: 3, ..TilePath::full(0, 2) }.needs(), Some(515));
        assert_eq!(TilePath::full(1, 0).needs(), Some(65_536));
        assert_eq!(TilePath { width: 1, ..TilePath::full(2, 1) }.needs(), Some(257 * 65_536));
        assert_eq!(TilePath::full(8, 0).needs(), None);
        assert_eq!(TilePath::full(63, 0).needs(), None);
        assert_eq!(TilePath::full(0, u64::MAX).needs(), None);
    }
}
