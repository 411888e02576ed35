//! The socket of a live view, as its page uses it.

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::browsers::PATIENCE;

/// What a viewer is sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// A JPEG.
    Image(Vec<u8>),
    Text(Value),
    /// Code and reason.
    Closed(u16, String),
}

pub(super) struct Viewer {
    socket: WebSocketStream<TcpStream>,
    /// Whether images are acknowledged when they come.
    pub(super) acks: bool,
    /// How many images have come.
    pub(super) images: usize,
    /// What it was told last of what it looks at.
    view: Value,
}

impl Viewer {
    /// Opens the socket of the live view at `url`.
    pub(super) async fn open(url: &str) -> Result<Self> {
        Self::from(url, None).await
    }

    /// The same for a page of the site `origin`. An error ends with the status of the answer.
    pub(super) async fn from(url: &str, origin: Option<&str>) -> Result<Self> {
        let url = url
            .replace("http:", "ws:")
            .replace("/live?", "/live/socket?");
        let mut request = url.as_str().into_client_request()?;
        let host = request.uri().authority().context("no host")?.to_string();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse()?);
        }
        let stream = TcpStream::connect(host).await?;
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self {
                socket,
                acks: true,
                images: 0,
                view: Value::Null,
            }),
            Err(Error::Http(response)) => anyhow::bail!("refused: {}", response.status().as_u16()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn send(&mut self, message: Value) -> Result<()> {
        let message = Message::text(message.to_string());
        Ok(self.socket.send(message).await?)
    }

    pub(super) async fn click(&mut self, x: f64, y: f64) -> Result<()> {
        for event in ["move", "down", "up"] {
            let button = if event == "move" { "none" } else { "left" };
            let mouse = json!({
                "type": "mouse", "event": event, "x": x, "y": y, "button": button,
                "buttons": u8::from(event == "down"), "clicks": 1,
            });
            self.send(mouse).await?;
        }
        Ok(())
    }

    /// Presses a key that types one letter.
    pub(super) async fn press(&mut self, letter: char) -> Result<()> {
        let upper = letter.to_ascii_uppercase();
        for event in ["down", "up"] {
            let text = if event == "down" {
                letter.to_string()
            } else {
                String::new()
            };
            let key = json!({
                "type": "key", "event": event, "key": letter, "code": format!("Key{upper}"),
                "key_code": u32::from(upper), "text": text,
            });
            self.send(key).await?;
        }
        Ok(())
    }

    /// What comes next. Pings are answered on the way.
    pub(super) async fn next(&mut self) -> Result<Sent> {
        let next = async {
            loop {
                let message = self.socket.next().await.context("the socket was cut")??;
                match message {
                    Message::Binary(image) => {
                        self.images += 1;
                        if self.acks {
                            self.send(json!({ "type": "ack" })).await?;
                        }
                        return Ok(Sent::Image(image.to_vec()));
                    }
                    Message::Text(text) => {
                        let text: Value = serde_json::from_str(&text)?;
                        if text["type"] == "view" {
                            self.view = text.clone();
                        }
                        return Ok(Sent::Text(text));
                    }
                    Message::Close(frame) => {
                        let frame = frame.context("no code")?;
                        return Ok(Sent::Closed(frame.code.into(), frame.reason.to_string()));
                    }
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .context("nothing comes")?
    }

    /// Waits for the next image.
    pub(super) async fn image(&mut self) -> Result<Vec<u8>> {
        loop {
            match self.next().await? {
                Sent::Image(image) => return Ok(image),
                Sent::Text(_) => {}
                Sent::Closed(code, reason) => anyhow::bail!("closed: {code} {reason}"),
            }
        }
    }

    /// Waits until what it looks at fits.
    pub(super) async fn sees(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        while !fits(&self.view) {
            if let Sent::Closed(code, reason) = self.next().await? {
                anyhow::bail!("closed: {code} {reason}; it saw {}", self.view);
            }
        }
        Ok(self.view.clone())
    }

    /// The same for the title of the page.
    pub(super) async fn titled(&mut self, title: &str) -> Result<Value> {
        self.sees(|view| view["title"] == title).await
    }

    /// Waits until something is refused, and says why.
    pub(super) async fn refused(&mut self) -> Result<String> {
        loop {
            match self.next().await? {
                Sent::Text(text) if text["type"] == "refused" => {
                    return Ok(text["message"].as_str().unwrap_or_default().to_owned());
                }
                Sent::Closed(code, reason) => anyhow::bail!("closed: {code} {reason}"),
                Sent::Image(_) | Sent::Text(_) => {}
            }
        }
    }

    /// Waits for the Close frame.
    pub(super) async fn closed(&mut self) -> Result<(u16, String)> {
        loop {
            if let Sent::Closed(code, reason) = self.next().await? {
                return Ok((code, reason));
            }
        }
    }

    pub(super) async fn close(mut self) -> Result<()> {
        Ok(self.socket.close(None).await?)
    }
}

/// Width and height of a JPEG.
pub(super) fn size(jpeg: &[u8]) -> Option<(u16, u16)> {
    let mut rest = jpeg.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else {
            return None;
        };
        // The start of the frame has them, after its length and a byte of precision.
        if let 0xc0..=0xc2 = marker {
            let [h1, h2, w1, w2] = *rest.get(5..9)?.first_chunk()?;
            return Some((u16::from_be_bytes([w1, w2]), u16::from_be_bytes([h1, h2])));
        }
        rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..)?;
    }
}
