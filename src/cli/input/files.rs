//! Paths to sources, and sources to text.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Problem;

/// The most that one file may hold.
pub const MAX_BYTES: usize = 256 << 20;
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// One thing to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// What messages call it.
    pub label: String,
    /// Where it is; none for stdin.
    pub path: Option<PathBuf>,
    /// Its place in a tree of the same shape.
    pub relative: PathBuf,
}

impl Source {
    fn stdin() -> Self {
        Self {
            label: "stdin".to_owned(),
            path: None,
            relative: PathBuf::from("stdin.yaml"),
        }
    }

    fn file(path: &Path, relative: &Path) -> Self {
        Self {
            label: path.display().to_string(),
            path: Some(path.to_owned()),
            relative: relative.to_owned(),
        }
    }

    /// Its text.
    ///
    /// # Errors
    /// When it can't be read, is too large, or is no UTF-8.
    pub fn read(&self) -> Result<String, Problem> {
        match &self.path {
            None => text(&mut io::stdin().lock(), &self.label),
            Some(path) => match File::open(path) {
                Ok(mut file) => text(&mut file, &self.label),
                Err(error) => Err(Problem::of_file(&self.label, error.to_string())),
            },
        }
    }
}

/// The sources that `paths` name: a directory stands for every manifest below it, sorted, hidden ones left out; no
/// path at all is stdin. What is below `except` (where output goes) is left out.
#[must_use]
pub fn sources(paths: &[PathBuf], except: Option<&Path>) -> (Vec<Source>, Vec<Problem>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    if paths.is_empty() {
        found.push(Source::stdin());
    }
    let mut walk = Walk {
        seen: HashSet::new(),
        except: except.and_then(|path| path.canonicalize().ok()),
    };
    for path in paths {
        let label = path.display().to_string();
        if path.as_os_str() == "-" {
            if found.iter().all(|source: &Source| source.path.is_some()) {
                found.push(Source::stdin());
            }
        } else if !path.is_dir() {
            let name = path.file_name().map_or(path.as_path(), Path::new);
            found.push(Source::file(path, name));
        } else {
            let before = found.len();
            walk.seen.clear();
            match walk.directory(path, path, &mut found, &mut problems) {
                Err(error) => problems.push(Problem::of_file(&label, error.to_string())),
                Ok(()) if found.len() == before => problems.push(Problem::of_file(
                    &label,
                    "no .yaml, .yml or .json file in this directory",
                )),
                Ok(()) => {}
            }
        }
    }
    (found, problems)
}

struct Walk {
    /// Real directories that were visited, so that links can't lead in circles.
    seen: HashSet<PathBuf>,
    except: Option<PathBuf>,
}

impl Walk {
    fn directory(
        &mut self,
        root: &Path,
        directory: &Path,
        found: &mut Vec<Source>,
        problems: &mut Vec<Problem>,
    ) -> io::Result<()> {
        let real = directory.canonicalize()?;
        let excluded = root != directory && self.except.as_ref() == Some(&real);
        if excluded || !self.seen.insert(real) {
            return Ok(());
        }
        let mut entries = fs::read_dir(directory)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        for path in entries.iter().filter(|path| !is_hidden(path)) {
            if path.is_dir() {
                if let Err(error) = self.directory(root, path, found, problems) {
                    problems.push(Problem::of_file(
                        &path.display().to_string(),
                        error.to_string(),
                    ));
                }
            } else if is_manifest(path) {
                let relative = path.strip_prefix(root).unwrap_or(path);
                found.push(Source::file(path, relative));
            }
        }
        Ok(())
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn text(reader: &mut dyn Read, label: &str) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Problem::of_file(label, error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        return Err(Problem::of_file(label, format!("larger than {limit} MiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good]
            .split(|byte| *byte == b'\n')
            .count();
        Problem {
            line: Some(line),
            ..Problem::of_file(label, format!("not UTF-8 text (byte {})", good + 1))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_sorted_without_hidden_files_and_through_links_once() {
        let root = tempfile::tempdir().expect("a directory");
        let at = |name: &str| root.path().join(name);
        fs::create_dir_all(at("b/.git")).expect("created");
        for name in [
            "b/z.yml",
            "b/.git/x.yaml",
            "a.yaml",
            "c.JSON",
            "readme.md",
            ".hidden.yaml",
        ] {
            fs::write(at(name), "a: 1\n").expect("written");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), at("b/loop")).expect("linked");
        let (found, problems) = sources(&[root.path().to_owned()], None);
        let relative: Vec<_> = found
            .iter()
            .map(|source| source.relative.to_str())
            .collect();
        assert_eq!(relative, [Some("a.yaml"), Some("b/z.yml"), Some("c.JSON")]);
        assert_eq!(problems, []);
    }

    #[test]
    fn says_where_text_stops_being_utf8() {
        let problem = text(&mut &b"a: 1\nb: \xe2\x82"[..], "x.yaml").expect_err("no UTF-8");
        assert_eq!(problem.to_string(), "x.yaml:2: not UTF-8 text (byte 9)");
    }
}
