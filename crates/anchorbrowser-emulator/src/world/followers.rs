//! Sockets that follow the agents of a session, and what they are told.

use bytes::Bytes;
use tokio::sync::mpsc;

/// Events that wait for a client to read them. A client that is further behind is let go. Steps of one run in a row
/// are one event, so that the clock can be moved on by a whole run.
const PENDING: usize = 4_096;

/// What a socket is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// An agent has taken the steps from `first` to `last` of the `total` of its run. Steps count from 1.
    Steps {
        run: String,
        first: u32,
        last: u32,
        total: u32,
    },
    /// A frame that a test wants sent as it stands.
    Text(String),
    /// The same, binary.
    Binary(Bytes),
    /// The session has ended; the last event.
    Ended,
    /// A test wants the socket gone; the last event.
    Cut,
}

/// Where a socket reads its events. It ends without a last event when the emulator is reset, and for clients that are
/// too far behind.
pub(crate) type Feed = mpsc::Receiver<Event>;

#[derive(Debug)]
struct Follower {
    session: String,
    sender: mpsc::Sender<Event>,
    /// Sent when the state is stored: a step must not be told before it counts.
    news: Vec<Event>,
}

/// All sockets that follow a session.
#[derive(Debug, Default)]
pub(crate) struct Followers(Vec<Follower>);

impl Followers {
    /// One more, which is told of the `past` first.
    pub(crate) fn add(&mut self, session: &str, past: Vec<Event>) -> Feed {
        let (sender, feed) = mpsc::channel(PENDING);
        self.0.push(Follower {
            session: session.to_owned(),
            sender,
            news: past,
        });
        feed
    }

    /// Tells all that follow a session; says how many that are.
    pub(crate) fn tell(&mut self, session: &str, event: &Event) -> usize {
        self.tell_those(|follower| follower.session == session, event)
    }

    /// Tells all there are; says how many that is.
    pub(crate) fn tell_all(&mut self, event: &Event) -> usize {
        self.tell_those(|_| true, event)
    }

    fn tell_those(&mut self, those: impl Fn(&Follower) -> bool, event: &Event) -> usize {
        let open = |follower: &&mut Follower| !follower.sender.is_closed();
        let told = self.0.iter_mut().filter(open).filter(|it| those(it));
        told.map(|follower| follower.push(event)).count()
    }

    /// How many there are, without those whose client has gone.
    pub(crate) fn open(&self) -> usize {
        let open = |follower: &&Follower| !follower.sender.is_closed();
        self.0.iter().filter(open).count()
    }

    /// Sends what they were told. Without a sender, a socket ends.
    pub(super) fn deliver(&mut self) {
        self.0.retain_mut(Follower::deliver);
    }
}

impl Follower {
    fn push(&mut self, event: &Event) {
        match (self.news.last_mut(), event) {
            (
                Some(Event::Steps { run, last, .. }),
                Event::Steps {
                    run: of,
                    first,
                    last: to,
                    ..
                },
            ) if run == of && *first == *last + 1 => *last = *to,
            _ => self.news.push(event.clone()),
        }
    }

    /// Whether there is more to come.
    fn deliver(&mut self) -> bool {
        for event in self.news.drain(..) {
            let last = matches!(event, Event::Ended | Event::Cut);
            if self.sender.try_send(event).is_err() || last {
                return false;
            }
        }
        !self.sender.is_closed()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn steps(run: &str, first: u32, last: u32) -> Event {
        let (run, total) = (run.to_owned(), 9);
        Event::Steps {
            run,
            first,
            last,
            total,
        }
    }

    #[test]
    fn steps_in_a_row_are_one_event_and_nothing_follows_the_end() {
        let mut followers = Followers::default();
        let mut feed = followers.add("s", vec![steps("a", 1, 2)]);
        let told = [
            steps("a", 3, 3),
            steps("a", 4, 6),
            steps("b", 1, 1),
            Event::Ended,
        ];
        for event in &told {
            assert_eq!(followers.tell("s", event), 1);
        }
        assert_eq!(followers.tell("other", &Event::Cut), 0);
        assert!(feed.try_recv().is_err(), "nothing is stored yet");
        followers.deliver();
        for event in [steps("a", 1, 6), steps("b", 1, 1), Event::Ended] {
            assert_eq!(feed.blocking_recv(), Some(event));
        }
        assert_eq!(feed.blocking_recv(), None);
        assert_eq!(followers.tell("s", &Event::Cut), 0);
    }

    #[test]
    fn who_is_too_far_behind_is_let_go() {
        let mut followers = Followers::default();
        let mut feed = followers.add("s", Vec::new());
        for _ in 0..=PENDING {
            followers.tell("s", &Event::Text("x".to_owned()));
            followers.deliver();
        }
        assert_eq!(followers.open(), 0);
        let mut read = 0;
        while feed.blocking_recv().is_some() {
            read += 1;
        }
        assert_eq!(read, PENDING);
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let mut followers = Followers::default();
        drop(followers.add("s", Vec::new()));
        assert_eq!(followers.tell_all(&Event::Cut), 0);
        followers.deliver();
        assert!(followers.0.is_empty());
    }
}
