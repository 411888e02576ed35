//! Volumes: storage that outlives sessions.

mod files;
mod links;
mod list;
mod upload;

use anchorbrowser_api::{ResponseValue, types};

use super::names;
use crate::call::Call;
use crate::error::{Open as _, Result};
use crate::macros::set;
use crate::page::{Page, PageStream, Pager, Part};
use crate::poll::{Awaited, Failure, Place, PollKind, PollToken, Poller, Verdict, Wait, sealed};
use crate::resources::paging::count;
use crate::{Client, Timestamp, VolumeId};

pub use files::{VolumeFile, VolumeFiles};
pub use links::{CreateUploadUrl, DownloadUrl, UploadUrl};
pub use list::{EntryKind, FileEntry, ListFiles, ListPaths};
pub use types::VolumeResponseSchemaState as State;
pub use upload::UploadFile;

/// The most characters that a name has.
const NAME: usize = 64;

/// Volumes; see [`Client::volumes`].
///
/// A session mounts one by [`volume`](crate::sessions::SessionOptions::volume). What a running
/// session writes shows here after about a minute.
///
/// ```no_run
/// # async fn example(client: anchorbrowser::Client) -> anchorbrowser::Result<()> {
/// let volume = client.volumes().create("reports").await?;
/// let volume = client.volumes().wait_until_ready(&volume.id).await?;
/// let files = client.volumes().files(&volume.id);
/// files.upload("2025/may.pdf", "may.pdf").send().await?;
/// files.download("2025/may.pdf").await?.save_to("copy.pdf").await?;
///
/// let mut entries = files.list().recursive(true).stream();
/// while let Some(entry) = entries.next().await {
///     println!("{}", entry?.path);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Volumes<'a> {
    client: &'a Client,
}

impl<'a> Volumes<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self { client }
    }

    /// Creates a volume. Its name has 1 to 64 letters, digits, `-` and `_`.
    ///
    /// It may be [`State::Creating`] for a while; its files can be used when it is
    /// [`State::Ready`]: [`wait_until_ready`](Self::wait_until_ready). It is not repeated if its
    /// outcome is unknown.
    ///
    /// # Errors
    /// [`is_conflict`](crate::Error::is_conflict) if the name is taken or the team has as many
    /// volumes as it may, [`is_forbidden`](crate::Error::is_forbidden) if the account has none.
    ///
    /// Calls `create_volume`.
    pub fn create(&self, name: impl Into<String>) -> Call<Volume> {
        const OPERATION: &str = "create_volume";
        let name = name.into();
        if self.client.checks()
            && let Err(error) = names::check(OPERATION, &name, NAME)
        {
            return Call::refused(error);
        }
        Call::new(self.client, move |api| async move {
            let body = types::CreateVolumeBody::new(name);
            let answer = api.create_volume().body(body).send().await?;
            answer.open("data.id", |answer| Volume::new(answer.data.take()?))
        })
    }

    /// Gets a volume.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id, or it is deleted.
    ///
    /// Calls `get_volume`.
    pub fn get(&self, id: impl Into<VolumeId>) -> Call<Volume> {
        let id = id.into();
        Call::new(self.client, move |api| fetch(api, id))
    }

    /// Waits until a volume can be used: await it for the volume.
    ///
    /// It is in progress while it is created, and in a state that this version of the SDK does not
    /// know.
    ///
    /// # Errors
    /// [`ErrorKind::Failed`](crate::ErrorKind::Failed) with the state
    /// ([`Waited::state`](crate::poll::Waited::state)): `error`, with the reason as
    /// [`message`](crate::Error::message), `deleting` or `deleted`;
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id, or it is deleted;
    /// [`is_deadline`](crate::Error::is_deadline) after 5 minutes, unless set otherwise.
    ///
    /// Calls `get_volume` for each poll.
    pub fn wait_until_ready(&self, id: impl Into<VolumeId>) -> Poller<Volume, Volume> {
        let id = id.into();
        let wait = Wait::new(
            PollKind::Volume,
            vec![id.to_string()],
            move |api| fetch(api, id.clone()),
            Volume::place,
            Volume::verdict,
        );
        Poller::new(self.client, wait)
    }

    /// Gets the volume of this name.
    ///
    /// # Errors
    /// [`is_not_found`](crate::Error::is_not_found) if there is none, or it is deleted.
    ///
    /// Calls `get_volume_by_name`.
    pub fn get_by_name(&self, name: impl Into<String>) -> Call<Volume> {
        let name = name.into();
        Call::new(self.client, move |api| async move {
            let answer = api.get_volume_by_name().name(name).send().await?;
            answer.open("data.id", |answer| Volume::new(answer.data.take()?))
        })
    }

    /// Lists the volumes of the team.
    pub fn list(&self) -> ListVolumes {
        ListVolumes {
            client: self.client.clone(),
            include_deleted: None,
            state: None,
        }
    }

    /// Deletes a volume with all its files, and gives its state if the API tells it: it may be
    /// [`State::Deleting`] for a while.
    ///
    /// # Errors
    /// [`is_conflict`](crate::Error::is_conflict) while a session has mounted it,
    /// [`is_not_found`](crate::Error::is_not_found) if there is none of this id.
    ///
    /// Calls `delete_volume`.
    pub fn delete(&self, id: impl Into<VolumeId>) -> Call<Option<State>> {
        let id = id.into();
        Call::new(self.client, move |api| async move {
            let answer = api.delete_volume().volume_id(id).send().await?;
            Ok(answer.map(|answer| Some(State::from(answer.data?.status?.as_str()))))
        })
    }

    /// The files of a volume. Nothing is sent.
    pub fn files(&self, id: impl Into<VolumeId>) -> VolumeFiles {
        VolumeFiles::new(self.client, id.into())
    }
}

/// A list of volumes; see [`Volumes::list`].
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send` or `stream`"]
pub struct ListVolumes {
    client: Client,
    include_deleted: Option<bool>,
    state: Option<State>,
}

impl ListVolumes {
    /// Whether deleted volumes are listed too.
    pub fn include_deleted(mut self, include: bool) -> Self {
        self.include_deleted = Some(include);
        self
    }

    /// Keeps volumes in this state.
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// All volumes, which are one page.
    ///
    /// Calls `list_volumes`.
    pub fn send(self) -> Call<Page<Volume>> {
        self.pager().send()
    }

    /// All volumes.
    ///
    /// Calls `list_volumes`.
    pub fn stream(self) -> PageStream<Volume> {
        self.pager().stream()
    }

    fn pager(self) -> Pager<Volume> {
        Pager::new("list_volumes", move |_| self.clone().part())
    }

    fn part(self) -> Call<Part<Volume>> {
        Call::new(&self.client, move |api| async move {
            let mut call = api.list_volumes();
            set!(call,
                include_deleted: self.include_deleted.map(boolean),
                state: self.state.map(|state| types::ListVolumesState::from(state.as_str())),
            );
            call.send().await?.open("data.items", |answer| {
                let data = answer.data.take()?;
                Some(Part {
                    items: data.items.into_iter().map(Volume::of_list).collect(),
                    total: count(data.count),
                    next: None,
                })
            })
        })
    }
}

/// The API writes some booleans as text.
fn boolean(value: bool) -> types::BooleanText {
    match value {
        true => types::BooleanText::True,
        false => types::BooleanText::False,
    }
}

/// A volume.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Volume {
    /// Its id, by which sessions and [`Volumes::files`] refer to it.
    pub id: VolumeId,
    /// What it is called.
    pub name: Option<String>,
    /// Whether it can be used.
    pub state: Option<State>,
    /// Why it is [`State::Error`].
    pub error_reason: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
    /// When a session used it last.
    pub last_used_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

impl Volume {
    fn new(sent: types::VolumeResponseSchema) -> Option<Self> {
        sent.id.as_ref()?;
        Some(Self::of_list(sent))
    }

    fn of_list(sent: types::VolumeResponseSchema) -> Self {
        Self {
            id: sent.id.unwrap_or_default().into(),
            name: sent.name,
            state: sent.state,
            error_reason: sent.error_reason,
            created_at: sent.created_at,
            updated_at: sent.updated_at,
            last_used_at: sent.last_used_at,
            deleted_at: sent.deleted_at,
        }
    }

    fn place(&self) -> Place {
        Place::told(self.state.as_ref())
    }

    fn verdict(&self) -> Verdict<Self> {
        match self.state {
            Some(State::Ready) => Verdict::Done(self.clone()),
            Some(State::Error) => Verdict::failed(self.error_reason.clone()),
            Some(State::Deleting | State::Deleted) => Verdict::Failed(Failure {
                note: Some("it has been deleted"),
                reason: None,
            }),
            _ => Verdict::InProgress,
        }
    }
}

/// A volume that is ready.
impl Awaited for Volume {
    type Progress = Self;

    fn resume(client: &Client, token: &PollToken) -> Result<Poller<Self, Self>> {
        let [id] = token.expect(PollKind::Volume)?;
        Ok(client.volumes().wait_until_ready(id))
    }
}

impl sealed::Sealed for Volume {}

async fn fetch(api: anchorbrowser_api::Client, id: VolumeId) -> Result<ResponseValue<Volume>> {
    let answer = api.get_volume().volume_id(id).send().await?;
    answer.open("data.id", |answer| Volume::new(answer.data.take()?))
}
