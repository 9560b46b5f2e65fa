//! Log lines on stderr: text for people (coloured on a terminal only), JSON for collectors.
//!
//! Also turns a panic into one log line, so that it reaches a collector in the format that the collector reads.

use std::backtrace::Backtrace;
use std::io::{self, IsTerminal};
use std::panic;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line, fields at the top level.
    Json,
}

/// A format that does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a log format; choose text or json")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(UnknownFormat(other.to_owned())),
        }
    }
}

/// Reads a filter such as `info` or `trainshift=debug,kube=warn`.
///
/// # Errors
/// When it is not a filter.
pub fn filter(directives: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::builder().parse(directives)
}

/// Logs to stderr from here on, and logs panics too. Call it once, before anything is logged.
///
/// # Errors
/// When the process already has a subscriber.
pub fn start(format: Format, filter: EnvFilter) -> Result<(), TryInitError> {
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    match format {
        Format::Text => text(filter, colour, io::stderr).try_init()?,
        Format::Json => json(filter, io::stderr).try_init()?,
    }
    panic::set_hook(Box::new(|about| {
        let place = about
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let trace = Backtrace::capture();
        tracing::error!(place, %trace, "panic: {}", about.payload_as_str().unwrap_or("no message"));
    }));
    Ok(())
}

fn text<W>(filter: EnvFilter, colour: bool, writer: W) -> impl SubscriberInitExt
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(writer)
        .finish()
}

fn json<W>(filter: EnvFilter, writer: W) -> impl SubscriberInitExt
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, PoisonError};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(subscriber: impl SubscriberInitExt, page: &Page) -> String {
        let guard = subscriber.set_default();
        tracing::info!(address = "127.0.0.1:1", "listening");
        tracing::debug!("not this one");
        drop(guard);
        String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_has_the_fields_at_the_top_and_obeys_the_filter() {
        let page = Page::default();
        let writer = page.clone();
        let text = written(json(filter("info").unwrap(), move || writer.clone()), &page);
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "listening");
        assert_eq!(line["address"], "127.0.0.1:1");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn text_has_no_colour_unless_asked() {
        let page = Page::default();
        let writer = page.clone();
        let text = written(
            text(filter("info").unwrap(), false, move || writer.clone()),
            &page,
        );
        assert!(text.contains("listening address=\"127.0.0.1:1\""), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn rejects_a_filter_and_a_format_that_do_not_exist() {
        assert!(filter("trainshift=loud").is_err());
        assert!("xml".parse::<Format>().is_err());
    }
}
