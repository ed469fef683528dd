//! The log as static files, in the layout of C2SP tlog-tiles: any web server can publish them, and whoever
//! has the verifier key can check them.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use evident_domain::Position;
use evident_eventstore::tlog::{
    CheckpointError, Checkpoints, FULL_WIDTH, SignError, TileKind, TilePath, TreeError, TreeHead,
};
use evident_eventstore::{Filter, StoreError};
use evident_projections::Progress;
use serde_json::json;

use super::identity::LogDocument;

/// Levels that a tree has at most.
const LEVELS: u8 = 8;
/// What the log says of itself.
const DOCUMENT: &str = "log.json";

/// Why the files are not written.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// No checkpoint can be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A tile cannot be made.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Somebody else writes there.
    #[error("another process is publishing into the folder")]
    Busy,
    /// What is there is of another log.
    #[error("the checkpoint in the folder: {0}")]
    OtherLog(#[from] CheckpointError),
    /// What is there is no beginning of this log.
    #[error("the folder holds {0} events that this log does not begin with: was it restored or rewritten?")]
    Fork(u64),
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// How many events the folder holds.
    pub size: u64,
    /// How many it held before.
    pub from: u64,
    /// How many files were written.
    pub files: u64,
    /// How many were taken away, as the log hands out what is in them no longer.
    pub removed: u64,
}

/// Writes what is not there yet: tiles and bundles, the contents beside them, the checkpoint last. Whoever
/// reads meanwhile sees the older log whole.
///
/// # Errors
/// When the folder cannot be written, or holds something else than the beginning of this log.
pub async fn publish(
    checkpoints: &Checkpoints,
    folder: &Path,
    contents: bool,
    progress: &dyn Progress,
) -> Result<Published, PublishError> {
    let mut place = Place { folder, files: 0, removed: 0 };
    fs::create_dir_all(folder).map_err(|cause| place.problem("", cause))?;
    let lock = File::create(folder.join(".lock")).map_err(|cause| place.problem(".lock", cause))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(PublishError::Busy),
        Err(TryLockError::Error(cause)) => return Err(place.problem(".lock", cause)),
    }
    let checkpoint = checkpoints.sign().await?;
    let (tree, size) = (checkpoints.tree(), checkpoint.size);
    let from = match fs::read_to_string(folder.join("checkpoint")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(cause) => return Err(place.problem("checkpoint", cause)),
        Ok(note) => {
            let head = TreeHead::open_any(&note, &checkpoints.vkeys())?;
            if head.size > size || tree.root(head.size).await? != head.root {
                return Err(PublishError::Fork(head.size));
            }
            head.size
        }
    };
    let described = LogDocument::of(checkpoints).await?;
    let pruning = checkpoints.store().pruning().await?;
    progress.begin("publish", size);
    for level in 0..LEVELS {
        for path in new_tiles(level, from, size) {
            place.write(&path.to_string(), &tree.read(path).await?)?;
            if level > 0 {
                continue;
            }
            let entries = TilePath { kind: TileKind::Entries, ..path };
            progress.at(path.number * u64::from(FULL_WIDTH) + u64::from(path.width));
            if pruning.hides(entries) {
                continue;
            }
            place.write(&entries.to_string(), &tree.read(entries).await?)?;
            if contents {
                place.write(&content_name(entries), content(checkpoints, path).await?.as_bytes())?;
            }
        }
    }
    let before = place.described().map_or(0, |document| document.minimum_index);
    for number in before / u64::from(FULL_WIDTH)..pruning.minimum / u64::from(FULL_WIDTH) {
        let entries = TilePath { kind: TileKind::Entries, ..TilePath::full(0, number) };
        place.remove(&entries.to_string())?;
        place.remove(&content_name(entries))?;
    }
    let document = serde_json::to_string_pretty(&described).unwrap_or_default();
    if place.described().as_ref() != Some(&described) {
        place.write(DOCUMENT, document.as_bytes())?;
    }
    place.write("checkpoint", checkpoint.text().as_bytes())?;
    Ok(Published { size, from, files: place.files, removed: place.removed })
}

fn content_name(entries: TilePath) -> String {
    entries.to_string().replacen("tile/entries/", "content/", 1)
}

/// The tiles of a level that a larger tree has and a smaller one has not.
fn new_tiles(level: u8, from: u64, size: u64) -> impl Iterator<Item = TilePath> {
    let (old, new) = (from >> (8 * u32::from(level)), size >> (8 * u32::from(level)));
    let full = move |number| TilePath::full(level, number);
    let partial = u16::from(new.to_le_bytes()[0]);
    let rest = (old != new && partial > 0).then(|| TilePath { width: partial, ..full(new >> 8) });
    (old >> 8..new >> 8).map(full).chain(rest)
}

/// What the entries of a bundle name by their digests: JSON Lines, sealed as stored.
async fn content(checkpoints: &Checkpoints, path: TilePath) -> Result<String, PublishError> {
    let first = Position(path.number * u64::from(FULL_WIDTH));
    let rows = checkpoints.store().sealed_page(first, u32::from(path.width), &Filter::default()).await?;
    let mut lines = String::new();
    for row in &rows {
        lines += &json!({"position": row.event.position(), "content": row.event.content}).to_string();
        lines.push('\n');
    }
    Ok(lines)
}

struct Place<'a> {
    folder: &'a Path,
    files: u64,
    removed: u64,
}

impl Place<'_> {
    fn problem(&self, name: &str, cause: io::Error) -> PublishError {
        PublishError::File { path: self.folder.join(name), cause }
    }

    /// What the folder says of the log, from the time before.
    fn described(&self) -> Option<LogDocument> {
        serde_json::from_slice(&fs::read(self.folder.join(DOCUMENT)).ok()?).ok()
    }

    /// Takes a file away, if it is there, and its partial ones.
    fn remove(&mut self, name: &str) -> Result<(), PublishError> {
        let partial = format!("{name}.p");
        for (name, gone) in [
            (name, fs::remove_file(self.folder.join(name))),
            (&*partial, fs::remove_dir_all(self.folder.join(&partial))),
        ] {
            match gone {
                Ok(()) => self.removed += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(self.problem(name, cause)),
            }
        }
        Ok(())
    }

    /// Writes a file whole or not at all; what it replaces in part goes.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let path = self.folder.join(name);
        let written = (|| {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let draft = self.folder.join(".draft");
            fs::write(&draft, bytes)?;
            fs::rename(&draft, &path)?;
            let partial = self.folder.join(format!("{name}.p"));
            if !name.contains(".p/") && partial.is_dir() { fs::remove_dir_all(partial) } else { Ok(()) }
        })();
        self.files += 1;
        written.map_err(|cause| self.problem(name, cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_larger_tree_has_more() {
        let names =
            |level, from, size| new_tiles(level, from, size).map(|p| p.to_string()).collect::<Vec<_>>();
        assert_eq!(names(0, 0, 600), ["tile/0/000", "tile/0/001", "tile/0/002.p/88"]);
        assert_eq!(names(1, 0, 600), ["tile/1/000.p/2"]);
        assert!(names(2, 0, 600).is_empty());
        assert_eq!(names(0, 300, 512), ["tile/0/001"]);
        assert_eq!(names(1, 300, 512), ["tile/1/000.p/2"]);
        assert!(names(0, 512, 512).is_empty());
        assert!(names(1, 512, 700).is_empty());
    }
}
