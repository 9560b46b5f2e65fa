//! Policies from a file that may be exchanged at any time.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::time::sleep;

use crate::api::policy::MigrationPolicy;

/// How often the file is looked at. A `ConfigMap` volume exchanges a link above the file; reading it by its path sees that.
const INTERVAL: Duration = Duration::from_secs(1);
/// Most that such a file may hold: more than any `ConfigMap`.
const MAX_BYTES: u64 = 16 << 20;

/// The policies of a file.
pub(super) type Read = Arc<Vec<MigrationPolicy>>;

/// Reads a file's text strictly: its policies, or every mistake with its place.
pub type Reader = fn(file: &str, text: &str) -> Result<Vec<MigrationPolicy>, String>;

/// A file of policies that was read once without a mistake.
pub struct PolicyFile {
    path: PathBuf,
    reader: Reader,
    bytes: Vec<u8>,
    first: Read,
}

impl fmt::Debug for PolicyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PolicyFile").field(&self.path).finish()
    }
}

impl PolicyFile {
    /// Reads it for the first time.
    ///
    /// # Errors
    /// When it can't be read, or has a mistake.
    pub fn open(path: &Path, reader: Reader) -> Result<Self, String> {
        let bytes = bytes(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            reader,
            first: read(path, reader, &bytes)?,
            bytes,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many policies it held at first.
    #[must_use]
    pub fn count(&self) -> usize {
        self.first.len()
    }

    pub(super) fn first(&self) -> Read {
        Arc::clone(&self.first)
    }

    /// Tells each change, for ever. What has changed counts once it looks the same twice, because a file may be seen while it
    /// is written.
    pub(super) async fn follow(&self, tell: Sender<Result<Read, String>>) {
        let mut known = Ok(self.bytes.clone());
        let mut last = known.clone();
        loop {
            sleep(INTERVAL).await;
            let now = self.look().await;
            if now == last && now != known {
                let news = match &now {
                    Ok(bytes) => read(&self.path, self.reader, bytes),
                    Err(error) => Err(error.clone()),
                };
                if tell.send(news).await.is_err() {
                    return;
                }
                known.clone_from(&now);
            }
            last = now;
        }
    }

    async fn look(&self) -> Result<Vec<u8>, String> {
        let path = self.path.clone();
        let looked =
            tokio::task::spawn_blocking(move || bytes(&path).map_err(|e| unreadable(&path, &e)));
        looked
            .await
            .unwrap_or_else(|error| Err(format!("{}: {error}", self.path.display())))
    }
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let length = fs::metadata(path)?.len();
    if length > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        return Err(io::Error::other(format!("larger than {limit} MiB")));
    }
    fs::read(path)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn read(path: &Path, reader: Reader, bytes: &[u8]) -> Result<Read, String> {
    let file = path.display().to_string();
    let text = str::from_utf8(bytes)
        .map_err(|error| format!("{file}: not UTF-8 text (byte {})", error.valid_up_to() + 1))?;
    reader(&file, text).map(Arc::new)
}
