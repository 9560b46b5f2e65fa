//! Tasks that must not end: whoever runs them learns of the first that does, and by what.
//!
//! What comes in: futures with a name. What goes out: [`Ended`], which names the task. A server whose watcher or listener
//! has died answers from a world that no longer changes; it is better restarted.

use std::any::Any;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::{self, Future};

use tokio::task::{Id, JoinSet};

/// What a task may fail with.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Running tasks. Dropping it ends them all.
#[derive(Debug, Default)]
pub struct Tasks {
    running: JoinSet<Result<(), Failure>>,
    names: HashMap<Id, &'static str>,
}

/// A task came to its end.
#[derive(Debug)]
pub struct Ended {
    /// The name it was given.
    pub name: &'static str,
    /// What ended it.
    pub how: How,
}

/// What ended a task.
#[derive(Debug)]
pub enum How {
    /// It returned.
    Finished,
    /// It gave up.
    Failed(Failure),
    /// It has a bug.
    Panicked(String),
}

impl Tasks {
    /// Starts a task. Must be called within a tokio runtime.
    pub fn spawn(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<(), Failure>> + Send + 'static,
    ) {
        let id = self.running.spawn(work).id();
        self.names.insert(id, name);
    }

    /// Waits for the next task that ends; forever while there is none.
    pub async fn next_end(&mut self) -> Ended {
        let (id, how) = match self.running.join_next_with_id().await {
            Some(Ok((id, Ok(())))) => (id, How::Finished),
            Some(Ok((id, Err(failure)))) => (id, How::Failed(failure)),
            Some(Err(lost)) => (lost.id(), How::Panicked(reason(lost.try_into_panic()))),
            None => future::pending().await,
        };
        Ended {
            name: self.names.remove(&id).unwrap_or("unnamed"),
            how,
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, how } = self;
        match how {
            How::Finished => write!(f, "task {name:?} ended, which it never should"),
            How::Failed(failure) => write!(f, "task {name:?} failed: {failure}"),
            How::Panicked(message) => write!(f, "task {name:?} panicked: {message}"),
        }
    }
}

impl Error for Ended {}

fn reason<E>(payload: Result<Box<dyn Any + Send>, E>) -> String {
    let Ok(payload) = payload else {
        return "it was cancelled".to_owned();
    };
    payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_the_task_that_failed_and_why() {
        let mut tasks = Tasks::default();
        tasks.spawn("steady", future::pending());
        tasks.spawn("policy watch", async { Err("410 Gone".into()) });
        let ended = tasks.next_end().await;
        assert_eq!(ended.to_string(), r#"task "policy watch" failed: 410 Gone"#);
    }

    #[tokio::test]
    async fn tells_a_panic_from_an_end() {
        let mut tasks = Tasks::default();
        tasks.spawn("reload", async { panic!("index {}", 7) });
        assert_eq!(
            tasks.next_end().await.to_string(),
            r#"task "reload" panicked: index 7"#
        );
        tasks.spawn("reload", async { Ok(()) });
        assert!(matches!(tasks.next_end().await.how, How::Finished));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_while_all_tasks_run() {
        let mut tasks = Tasks::default();
        tasks.spawn("steady", future::pending());
        let wait = tokio::time::timeout(std::time::Duration::from_hours(1), tasks.next_end());
        assert!(wait.await.is_err());
    }
}
