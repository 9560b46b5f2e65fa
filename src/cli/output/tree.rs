//! A tree of files that has the shape of the input's, written so that nothing is overwritten by accident or half.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Format;
use crate::cli::input::files::Source;

/// Where each source goes.
pub struct Tree {
    root: PathBuf,
    format: Format,
}

impl Tree {
    /// A tree below `root`.
    #[must_use]
    pub fn new(root: PathBuf, format: Format) -> Self {
        Self { root, format }
    }

    /// The file that the objects of `source` go to.
    #[must_use]
    pub fn path(&self, source: &Source) -> PathBuf {
        let relative = source.relative.with_extension(self.format.extension());
        self.root.join(relative)
    }

    /// Why the tree can't be written: two sources for one file, or, without `force`, files that exist.
    #[must_use]
    pub fn conflicts(&self, sources: &[Source], force: bool) -> Vec<String> {
        let mut by_path: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
        for source in sources {
            by_path
                .entry(self.path(source))
                .or_default()
                .push(&source.label);
        }
        by_path
            .into_iter()
            .filter_map(|(path, labels)| {
                let path_text = path.display();
                if labels.len() > 1 {
                    return Some(format!(
                        "{path_text} would be written by each of {}",
                        labels.join(", ")
                    ));
                }
                (!force && path.symlink_metadata().is_ok())
                    .then(|| format!("{path_text} exists (--force overwrites it)"))
            })
            .collect()
    }

    /// Writes one file, whole or not at all.
    ///
    /// # Errors
    /// When a directory or the file can't be written.
    pub fn write(&self, source: &Source, content: &[u8]) -> anyhow::Result<()> {
        let path = self.path(source);
        let directory = path.parent().unwrap_or(Path::new("."));
        write_whole(directory, &path, content)
            .with_context(|| format!("can't write {}", path.display()))
    }
}

fn write_whole(directory: &Path, path: &Path, content: &[u8]) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trainshift-");
    // As any new file: what the umask leaves. The library's own default is a file that only its owner may read.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}
