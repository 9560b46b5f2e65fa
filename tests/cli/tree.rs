//! `convert --out-dir`: a tree of the same shape, and nothing overwritten by accident.

use std::fs;
use std::path::Path;

use super::{CONFIG_MAP, JOB, run_in};

/// in/a.yaml, in/sub/b.json, in/sub/other.yml
fn input() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir_all(root.path().join("in/sub")).expect("created");
    for (name, content) in [
        ("a.yaml", JOB),
        ("sub/b.json", JOB),
        ("sub/other.yml", CONFIG_MAP),
    ] {
        fs::write(root.path().join("in").join(name), content).expect("written");
    }
    root
}

fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let relative = path.strip_prefix(root).expect("below");
                found.push(relative.display().to_string());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn writes_a_tree_of_the_same_shape() {
    let root = input();
    let ended = run_in(root.path(), &["convert", "in", "--out-dir", "deep/out"], "");
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{}", ended.err);
    assert_eq!(
        files(&root.path().join("deep/out")),
        ["a.yaml", "sub/b.yaml", "sub/other.yaml"]
    );
    let other = fs::read_to_string(root.path().join("deep/out/sub/other.yaml")).expect("text");
    assert_eq!(other, CONFIG_MAP);
}

#[test]
fn names_files_by_the_format_and_stdin_by_itself() {
    let root = input();
    run_in(
        root.path(),
        &[
            "convert",
            "in/a.yaml",
            "-",
            "-o",
            "json",
            "--out-dir",
            "out",
        ],
        JOB,
    );
    assert_eq!(files(&root.path().join("out")), ["a.json", "stdin.json"]);
}

#[test]
fn writes_nothing_when_a_file_exists() {
    let root = input();
    fs::create_dir_all(root.path().join("out/sub")).expect("created");
    fs::write(root.path().join("out/sub/b.yaml"), "mine").expect("written");
    let ended = run_in(root.path(), &["convert", "in", "--out-dir", "out"], "");
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("out/sub/b.yaml exists"), "{}", ended.err);
    assert_eq!(files(&root.path().join("out")), ["sub/b.yaml"]);
    assert_eq!(
        fs::read_to_string(root.path().join("out/sub/b.yaml")).expect("text"),
        "mine"
    );

    let ended = run_in(
        root.path(),
        &["convert", "in", "--out-dir", "out", "--force"],
        "",
    );
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(files(&root.path().join("out")).len(), 3);
    assert_ne!(
        fs::read_to_string(root.path().join("out/sub/b.yaml")).expect("text"),
        "mine"
    );
}

#[test]
fn writes_nothing_when_two_sources_mean_one_file() {
    let root = input();
    fs::write(root.path().join("in/a.yml"), JOB).expect("written");
    let ended = run_in(
        root.path(),
        &["convert", "in", "--out-dir", "out", "--force"],
        "",
    );
    assert_eq!(ended.code, 2);
    assert!(
        ended
            .err
            .contains("out/a.yaml would be written by each of in/a.yaml, in/a.yml"),
        "{}",
        ended.err
    );
    assert!(!root.path().join("out").exists());
}

#[test]
fn does_not_read_its_own_output_again() {
    let root = input();
    for _ in 0..2 {
        run_in(
            root.path(),
            &["convert", "in", "--out-dir", "in/out", "--force"],
            "",
        );
    }
    assert_eq!(
        files(&root.path().join("in/out")),
        ["a.yaml", "sub/b.yaml", "sub/other.yaml"]
    );
}

#[test]
fn writes_no_file_for_input_without_objects() {
    let root = input();
    fs::write(root.path().join("in/empty.yaml"), "# nothing\n").expect("written");
    fs::write(root.path().join("in/broken.yaml"), "a: [").expect("written");
    let ended = run_in(root.path(), &["convert", "in", "--out-dir", "out"], "");
    assert_eq!(ended.code, 2);
    assert_eq!(
        files(&root.path().join("out")),
        ["a.yaml", "sub/b.yaml", "sub/other.yaml"]
    );
}

#[test]
fn says_what_cannot_be_written() {
    let root = input();
    fs::write(root.path().join("out"), "a file").expect("written");
    let ended = run_in(root.path(), &["convert", "in", "--out-dir", "out"], "");
    assert_eq!(ended.code, 2);
    assert!(
        ended.err.contains("can't write out/a.yaml"),
        "{}",
        ended.err
    );
}
