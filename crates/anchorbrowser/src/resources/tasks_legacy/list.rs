//! Lists of tasks and of versions.

use anchorbrowser_api::types;

use super::{Task, VersionSummary};
use crate::call::Call;
use crate::error::{Error, Open as _, Result};
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::{Client, TaskId};

/// Where a list begins and how much of it a page holds. The API takes both as text.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) page: u64,
    pub(super) page_size: Option<u32>,
}

impl Place {
    pub(super) fn first() -> Self {
        Self {
            page: 1,
            page_size: None,
        }
    }

    pub(super) fn at(&mut self, cursor: Option<&Cursor>) {
        if let Some(Cursor::Page(number)) = cursor {
            self.page = *number;
        }
    }

    pub(super) fn check(&self, operation: &'static str, client: &Client) -> Result<()> {
        for (name, zero) in [
            ("page", self.page == 0),
            ("limit", self.page_size == Some(0)),
        ] {
            if zero && client.settings().checks {
                let message = format!("`{name}` must be at least 1");
                return Err(Error::invalid(operation, message));
            }
        }
        Ok(())
    }

    /// As they are sent; the first page is not.
    pub(super) fn texts(&self) -> (Option<String>, Option<String>) {
        let page = (self.page != 1).then(|| self.page.to_string());
        (page, self.page_size.map(|size| size.to_string()))
    }
}

/// A count that is none if it is negative.
pub(super) fn count(number: Option<i64>) -> Option<u64> {
    number.and_then(|number| u64::try_from(number).ok())
}

/// A list of tasks; see [`TasksLegacy::list`](super::TasksLegacy::list).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListTasks {
    client: Client,
    place: Place,
}

impl ListTasks {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            place: Place::first(),
        }
    }

    /// The number of the first page to fetch; default 1.
    pub fn page(mut self, number: u64) -> Self {
        self.place.page = number;
        self
    }

    /// How many tasks a page holds; default 10.
    pub fn page_size(mut self, size: u32) -> Self {
        self.place.page_size = Some(size);
        self
    }

    /// The first page.
    ///
    /// Calls `list_tasks`.
    pub fn send(self) -> Call<Page<Task>> {
        self.pager().send()
    }

    /// All tasks from the first page on.
    ///
    /// Calls `list_tasks` for each page.
    pub fn stream(self) -> PageStream<Task> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<Task> {
        Pager::new("list_tasks", move |cursor| {
            let mut list = self.clone();
            list.place.at(cursor);
            list.part()
        })
    }

    fn part(self) -> Call<Part<Task>> {
        if let Err(error) = self.place.check("list_tasks", &self.client) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let (page, limit) = self.place.texts();
            let mut call = api.list_tasks();
            set!(call, page: page, limit: limit);
            let answer = call.send().await?;
            answer.open("data.tasks", |answer| Some(tasks(answer.data.take()?)))
        })
    }
}

fn tasks(data: types::TaskListResponseData) -> Part<Task> {
    let total = count(data.total);
    let page = count(data.page).unwrap_or(1);
    let size = count(data.limit).unwrap_or(data.tasks.len() as u64);
    Part {
        items: data.tasks.into_iter().map(Task::new).collect(),
        total,
        // From where the server says it is: if it ignores the page asked for, the list does not
        // advance, and that is noticed.
        next: total
            .is_some_and(|total| page.saturating_mul(size) < total)
            .then_some(Cursor::Page(page.saturating_add(1))),
    }
}

/// The versions of a task; see [`TasksLegacy::versions`](super::TasksLegacy::versions).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListVersions {
    client: Client,
    id: TaskId,
}

impl ListVersions {
    pub(super) fn new(client: &Client, id: TaskId) -> Self {
        Self {
            client: client.clone(),
            id,
        }
    }

    /// All versions: the API does not divide the list.
    ///
    /// # Errors
    /// [`is_not_found`](Error::is_not_found) if there is no such task.
    ///
    /// Calls `list_task_versions`.
    pub fn send(self) -> Call<Page<VersionSummary>> {
        self.pager().send()
    }

    /// All versions, one by one.
    ///
    /// Calls `list_task_versions`.
    pub fn stream(self) -> PageStream<VersionSummary> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<VersionSummary> {
        Pager::new("list_task_versions", move |_| {
            let id = self.id.clone();
            Call::new(&self.client, |api| async move {
                let answer = api.list_task_versions().task_id(id).send().await?;
                answer.open("data.versions", |answer| {
                    let versions = answer.data.take()?.versions;
                    Some(Part {
                        items: versions.into_iter().map(VersionSummary::new).collect(),
                        total: None,
                        next: None,
                    })
                })
            })
        })
    }
}
