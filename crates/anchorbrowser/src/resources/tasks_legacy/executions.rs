//! Runs that there were, and their results.

use std::time::Duration;

use anchorbrowser_api::{ResponseValue, types};

use super::{ExecutionStatus, SIZES, Version};
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::poll::{Awaited, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::resources::paging::{PageRequest, count};
use crate::timing::from_number;
use crate::{Client, ExecutionId, TaskId, Timestamp};

/// A list of a task's runs; see [`TasksLegacy::executions`](super::TasksLegacy::executions).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListExecutions {
    client: Client,
    id: TaskId,
    page: PageRequest,
    status: Option<ExecutionStatus>,
    version: Option<Version>,
}

impl ListExecutions {
    pub(super) fn new(client: &Client, id: TaskId) -> Self {
        Self {
            client: client.clone(),
            id,
            page: PageRequest::first(),
            status: None,
            version: None,
        }
    }

    /// The number of the first page to fetch; default 1.
    pub fn page(mut self, number: u64) -> Self {
        self.page.number = number;
        self
    }

    /// How many runs a page holds; default 10.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page.size = Some(size);
        self
    }

    /// Keeps runs of this status.
    pub fn status(mut self, status: ExecutionStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Keeps runs of this version.
    pub fn version(mut self, version: impl Into<Version>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The first page.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is no such task.
    ///
    /// Calls `list_task_executions`.
    pub fn send(self) -> Call<Page<Execution>> {
        self.pager().send()
    }

    /// All runs from the first page on.
    ///
    /// Calls `list_task_executions` for each page.
    pub fn stream(self) -> PageStream<Execution> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<Execution> {
        Pager::new("list_task_executions", move |cursor| {
            let mut list = self.clone();
            list.page.move_to(cursor);
            list.part()
        })
    }

    fn part(self) -> Call<Part<Execution>> {
        let operation = "list_task_executions";
        if let Err(error) = self.page.check(operation, &self.client, SIZES) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let page = self.page;
            let mut call = api.list_task_executions().task_id(self.id);
            set!(call,
                page: page.sent_number().map(|number| number.to_string()),
                limit: page.size.map(|size| size.to_string()),
                status: self.status.map(|status| status.as_str().to_owned()),
                version: self.version,
            );
            let answer = call.send().await?;
            answer.open("data.results", |answer| {
                let data = answer.data.take()?;
                let told = data.pagination.unwrap_or_default();
                let (current, pages) = (count(told.page), count(told.total_pages));
                Some(Part {
                    items: data.results.into_iter().map(Execution::new).collect(),
                    total: count(told.total),
                    next: Cursor::after_page(page.number, current, pages, None),
                })
            })
        })
    }
}

/// A run of a task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// The version that it ran.
    pub version: Option<Version>,
    /// The id of that version.
    pub version_id: Option<String>,
    /// How far it is, or how it ended.
    pub status: Option<ExecutionStatus>,
    /// What the task gave.
    pub output: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// How long it took.
    pub duration: Option<Duration>,
}

impl Execution {
    pub(super) fn new(result: types::TaskExecutionResult) -> Self {
        Self {
            id: result.id.unwrap_or_default().into(),
            version: result.version.map(Into::into),
            version_id: result.task_version_id,
            status: result.status,
            output: result.output,
            error: result.error_message,
            started_at: result.start_time,
            duration: result.execution_time.and_then(millis),
        }
    }

    fn place(&self) -> Place {
        Place::told(self.status.as_ref())
    }

    fn verdict(&self) -> Verdict<Self> {
        use ExecutionStatus as Status;
        match self.status {
            Some(Status::Success) => Verdict::Done(self.clone()),
            Some(Status::Failure | Status::Timeout | Status::Cancelled) => {
                Verdict::failed(self.error.clone())
            }
            _ => Verdict::InProgress,
        }
    }
}

pub(super) async fn fetch(
    api: anchorbrowser_api::Client,
    task: TaskId,
    execution: ExecutionId,
) -> Result<ResponseValue<Execution>> {
    let call = api.get_task_execution().task_id(task);
    let answer = call.execution_id(execution).send().await?;
    answer.open("data.id", |answer| {
        let data = answer.data.take()?;
        data.id.is_some().then(|| Execution::new(data))
    })
}

pub(super) fn wait(task: TaskId, execution: ExecutionId) -> Wait<Execution, Execution> {
    Wait::new(
        PollKind::LegacyRun,
        vec![task.to_string(), execution.to_string()],
        move |api| fetch(api, task.clone(), execution.clone()),
        Execution::place,
        Execution::verdict,
    )
}

/// A run that has succeeded.
impl Awaited for Execution {
    type Progress = Self;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self>> {
        let [task, execution] = token.expect(PollKind::LegacyRun)?;
        let wait = wait(task.into(), execution.into());
        Ok(Poller::new(client, wait.begun(token.begun())))
    }
}

impl sealed::Sealed for Execution {}

pub(super) fn millis(number: f64) -> Option<Duration> {
    from_number(number, Duration::from_millis(1))
}
