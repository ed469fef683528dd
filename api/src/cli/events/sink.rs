//! Where an export goes: standard output, or a file that an interrupted export is continued in.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use evident_eventstore::export::record_end;

use crate::cli::CliError;

/// Bytes that are written to a file at a time.
const BUFFER: usize = 1 << 18;
/// Bytes looked at in one go while a file's end is searched.
const CHUNK: usize = 1 << 16;

/// How a file's lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A line break ends a line, wherever it stands.
    Lines,
    /// A line break inside quotes does not.
    Quoted,
}

/// Where an export goes.
pub(super) enum Sink {
    /// Standard output.
    Out(BufWriter<io::StdoutLock<'static>>),
    /// A file.
    File(BufWriter<File>),
}

impl Sink {
    /// Standard output for `-`; else a file, readable by its owner only, that must not be there yet.
    pub(super) fn create(into: &Path) -> Result<Self, CliError> {
        if into.as_os_str() == "-" {
            return Ok(Self::Out(BufWriter::new(io::stdout().lock())));
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(into) {
            Ok(file) => Ok(Self::File(BufWriter::with_capacity(BUFFER, file))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(CliError::Usage(format!(
                "{} exists already: continue it with --resume, or name another file",
                into.display()
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// A file that is there, with half a line at its end cut off, and its last whole line; begun anew where
    /// it holds no whole line, or is not there.
    pub(super) fn resume(into: &Path, layout: Layout) -> Result<(Self, Option<String>), CliError> {
        let mut options = OpenOptions::new();
        let mut file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(into)?;
        let last = match layout {
            Layout::Lines => last_line(&mut file)?,
            Layout::Quoted => last_record(&mut file)?,
        };
        file.seek(SeekFrom::End(0))?;
        Ok((Self::File(BufWriter::with_capacity(BUFFER, file)), last))
    }

    /// Cuts the last whole line off, and gives the one before it.
    pub(super) fn step_back(self) -> Result<(Self, Option<String>), CliError> {
        let Self::File(writer) = self else { return Ok((self, None)) };
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        let end = file.seek(SeekFrom::End(0))?;
        let start = line_break_before(&mut file, end.saturating_sub(1))?.map_or(0, |at| at + 1);
        file.set_len(start)?;
        let last = last_line(&mut file)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self::File(BufWriter::with_capacity(BUFFER, file)), last))
    }

    /// Writes text; false where the reader has gone away.
    pub(super) fn write(&mut self, text: &str) -> io::Result<bool> {
        let written = match self {
            Self::Out(out) => out.write_all(text.as_bytes()),
            Self::File(file) => file.write_all(text.as_bytes()),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            outcome => outcome.map(|()| true),
        }
    }

    /// Makes sure that everything is written, a file's bytes on the disk.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Out(mut out) => match out.flush() {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                outcome => outcome,
            },
            Self::File(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all(),
        }
    }
}

/// Cuts what stands behind the last line break, and reads the line before it.
fn last_line(file: &mut File) -> io::Result<Option<String>> {
    let length = file.seek(SeekFrom::End(0))?;
    let Some(end) = line_break_before(file, length)? else {
        file.set_len(0)?;
        return Ok(None);
    };
    file.set_len(end + 1)?;
    let start = line_break_before(file, end)?.map_or(0, |at| at + 1);
    text(file, start, end).map(Some)
}

/// The place of the last line break before a place.
fn line_break_before(file: &mut File, mut before: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK];
    while before > 0 {
        let size = before.min(CHUNK as u64);
        let start = before - size;
        let part = &mut buffer[..usize::try_from(size).unwrap_or(CHUNK)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(Some(start + at as u64));
        }
        before = start;
    }
    Ok(None)
}

/// The same for records: only from the front it is seen which line breaks stand inside quotes.
fn last_record(file: &mut File) -> io::Result<Option<String>> {
    file.seek(SeekFrom::Start(0))?;
    let (mut buffer, mut quoted) = (vec![0; CHUNK], false);
    let (mut offset, mut start, mut end) = (0_u64, 0_u64, 0_u64);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        let mut from = 0;
        // Line by line, as the record before the last one's end is where the last one starts.
        for line in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
            from += line.len();
            if record_end(line, &mut quoted).is_some() {
                (start, end) = (end, offset + from as u64);
            }
        }
        offset += read as u64;
    }
    file.set_len(end)?;
    if end == 0 { Ok(None) } else { text(file, start, end).map(Some) }
}

fn text(file: &mut File, start: u64, end: u64) -> io::Result<String> {
    let mut bytes = vec![0; usize::try_from(end - start).map_err(|_| io::ErrorKind::InvalidData)?];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(content: &str, layout: Layout) -> (Option<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("export");
        std::fs::write(&file, content).unwrap();
        let (mut sink, last) = Sink::resume(&file, layout).unwrap();
        assert!(sink.write("next\n").unwrap());
        sink.finish().unwrap();
        (last, std::fs::read_to_string(&file).unwrap())
    }

    #[test]
    fn half_a_line_is_cut_and_the_last_whole_one_is_told() {
        let line = |text: &str| Some(text.to_owned());
        assert_eq!(resumed("", Layout::Lines), (None, "next\n".to_owned()));
        assert_eq!(resumed("half", Layout::Lines), (None, "next\n".to_owned()));
        assert_eq!(resumed("one\n", Layout::Lines), (line("one"), "one\nnext\n".to_owned()));
        assert_eq!(resumed("one\ntwo\nha", Layout::Lines), (line("two"), "one\ntwo\nnext\n".to_owned()));
        let long = "x".repeat(3 * CHUNK);
        let text = format!("one\n{long}\n{long}");
        assert_eq!(resumed(&text, Layout::Lines), (line(&long), format!("one\n{long}\nnext\n")));
    }

    #[test]
    fn a_record_may_hold_line_breaks() {
        let text = "\"a\"\r\n\"b\nc\"\r\n\"d\ne";
        let (last, rest) = resumed(text, Layout::Quoted);
        assert_eq!(last.as_deref(), Some("\"b\nc\"\r\n"));
        assert_eq!(rest, "\"a\"\r\n\"b\nc\"\r\nnext\n");
    }

    #[test]
    fn a_line_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("export");
        std::fs::write(&file, "one\ntwo\nthree\nha").unwrap();
        let (sink, last) = Sink::resume(&file, Layout::Lines).unwrap();
        assert_eq!(last.as_deref(), Some("three"));
        let (sink, last) = sink.step_back().unwrap();
        assert_eq!(last.as_deref(), Some("two"));
        sink.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\ntwo\n");
    }
}
