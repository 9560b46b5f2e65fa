//! The generated documents say what the program says. `make docs` writes them anew.

#![allow(clippy::expect_used, reason = "helpers of tests fail like tests")]

use std::fs;
use std::process::Command;

fn stdout(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_trainshift"))
        .args(args)
        .output()
        .expect("runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn assert_up_to_date(file: &str, args: &[&str]) {
    let path = format!("{}/docs/{file}", env!("CARGO_MANIFEST_DIR"));
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let told = stdout(args);
    assert!(
        committed == told,
        "docs/{file} is out of date; write it with: trainshift {} > docs/{file}",
        args.join(" ")
    );
}

#[test]
fn cli_md_is_what_help_says() {
    assert_up_to_date("cli.md", &["generate", "cli-docs"]);
}

#[test]
fn findings_md_is_what_explain_says() {
    assert_up_to_date("findings.md", &["explain", "--output", "markdown"]);
}

#[test]
fn conversion_md_is_what_the_converter_does() {
    assert_up_to_date("conversion.md", &["generate", "conversion-docs"]);
}

#[test]
fn policy_checks_md_is_what_policy_check_explains() {
    assert_up_to_date(
        "policy-checks.md",
        &["policy", "check", "--explain", "--output", "markdown"],
    );
}
