//! The API server by paths and JSON: what looks many times a second can't start kubectl each time.

use anyhow::{Context, Result};
use kube::Client;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// A client with an administrator's rights.
#[derive(Clone)]
pub(super) struct Api(pub(super) Client);

impl Api {
    /// The object or list at `path`; none when there is no such object.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Value>> {
        found(self.send("GET", path, "", Vec::new()).await).with_context(|| format!("GET {path}"))
    }

    /// The items of the list at `path`.
    pub(super) async fn items(&self, path: &str) -> Result<Vec<Value>> {
        let list = self.get(path).await?.unwrap_or_default();
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Creates an object, given where its kind lives: `/apis/batch/v1`, `jobs`.
    ///
    /// Trainer refuses a job whose runtime has not come to its cache yet, so a refusal for that is no answer.
    pub(super) async fn create(&self, (group, plural): (&str, &str), object: &Value) -> Result<()> {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        let path = format!("{group}/namespaces/{namespace}/{plural}");
        let start = Instant::now();
        loop {
            let body = serde_json::to_vec(object)?;
            match self.send("POST", &path, "application/json", body).await {
                Err(kube::Error::Api(status))
                    if status.message.contains("must be created before")
                        && start.elapsed() < super::TIMEOUT =>
                {
                    sleep(super::INTERVAL).await;
                }
                answer => {
                    answer.with_context(|| format!("POST {path}: {object}"))?;
                    return Ok(());
                }
            }
        }
    }

    /// Merges `change` into the object at `path`.
    pub(super) async fn patch(&self, path: &str, change: &Value) -> Result<()> {
        let body = serde_json::to_vec(change)?;
        self.send("PATCH", path, "application/merge-patch+json", body)
            .await
            .with_context(|| format!("PATCH {path} with {change}"))?;
        Ok(())
    }

    /// Deletes the object at `path`, if it is there.
    pub(super) async fn delete(&self, path: &str) -> Result<()> {
        found(self.send("DELETE", path, "", Vec::new()).await)
            .with_context(|| format!("DELETE {path}"))?;
        Ok(())
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        content: &str,
        body: Vec<u8>,
    ) -> Result<Value, kube::Error> {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::CONTENT_TYPE, content)
            .body(body)
            .map_err(kube::Error::HttpError)?;
        self.0.request(request).await
    }
}

fn found(answer: Result<Value, kube::Error>) -> Result<Option<Value>> {
    match answer {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error.into()),
    }
}
