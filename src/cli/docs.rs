//! Documents that are written by the program, so that they can't say anything else than it does: docs/cli.md,
//! docs/conversion.md and docs/policy-fields.md. (docs/findings.md is what `trainshift explain` says.)

pub mod command_line;
pub mod conversion;
pub mod policy_fields;

/// Text that is about names such as `<job>`, which Markdown would take for markup, for a paragraph or a cell.
pub(super) fn escape(text: &str) -> String {
    text.replace('<', "&lt;")
        .replace('|', "\\|")
        .replace('*', "\\*")
        .replace('_', "\\_")
}
