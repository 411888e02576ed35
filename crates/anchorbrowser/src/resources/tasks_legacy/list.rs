//! Lists of tasks.

use anchorbrowser_api::types;

use super::{SIZES, Task};
use crate::Client;
use crate::call::Call;
use crate::error::Open as _;
use crate::macros::set;
use crate::page::{Cursor, Page, PageStream, Pager, Part};
use crate::resources::paging::{PageRequest, count};

/// A list of tasks; see [`TasksLegacy::list`](super::TasksLegacy::list).
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListTasks {
    client: Client,
    page: PageRequest,
}

impl ListTasks {
    pub(super) fn new(client: &Client) -> Self {
        Self {
            client: client.clone(),
            page: PageRequest::first(),
        }
    }

    /// The number of the first page to fetch; default 1.
    pub fn page(mut self, number: u64) -> Self {
        self.page.number = number;
        self
    }

    /// How many tasks a page holds; default 10.
    pub fn page_size(mut self, size: u32) -> Self {
        self.page.size = Some(size);
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
            list.page.move_to(cursor);
            list.part()
        })
    }

    fn part(self) -> Call<Part<Task>> {
        if let Err(error) = self.page.check("list_tasks", &self.client, SIZES) {
            return Call::refused(error);
        }
        Call::new(&self.client, move |api| async move {
            let page = self.page;
            let mut call = api.list_tasks();
            set!(call,
                page: page.sent_number().map(|number| number.to_string()),
                limit: page.size.map(|size| size.to_string()),
            );
            let answer = call.send().await?;
            answer.open("data.tasks", |answer| {
                Some(tasks(page.number, answer.data.take()?))
            })
        })
    }
}

/// The part of the list that the answer to a page is.
fn tasks(asked: u64, data: types::TaskListResponseData) -> Part<Task> {
    let total = count(data.total);
    let size = count(data.limit).unwrap_or(data.tasks.len() as u64);
    // The API tells no number of pages.
    let pages = total.map(|total| total.div_ceil(size.max(1)));
    Part {
        items: data.tasks.into_iter().map(Task::new).collect(),
        total,
        next: Cursor::after_page(asked, count(data.page), pages, None),
    }
}
