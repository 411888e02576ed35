//! URLs that are no operation's: links that the API gave, and those that other protocols use.

use reqwest::header::{ACCEPT, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use crate::error::{Error, ErrorKind};
use crate::multipart::FilePart;
use crate::runtime::encode;
use crate::transport::Call;
use crate::wire::Secret;
use crate::{ByteStream, Class, Client, ResponseValue};

const NO_LINK: &str =
    "the link is neither an absolute HTTP URL nor a path that begins with a slash";

impl Client {
    /// Downloads from an absolute URL that the API gave, such as a signed one. Neither the key nor
    /// the configured headers are sent, whatever the host.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if it is no HTTP URL, and what any call may fail with. No
    /// error prints the URL.
    pub async fn download_url(&self, url: &str) -> Result<ResponseValue<ByteStream>, Error> {
        const ID: &str = "download_url";
        let mut request = Request::new(Method::GET, absolute(url, ID)?);
        self.inner.add_user_agent(&mut request);
        self.stream(request, ID).await
    }

    /// Downloads from a link that the API gave: an absolute URL, or a path below the base URL. The
    /// key and the configured headers are sent if, and only if, it is of the API's own origin.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if it is no HTTP URL, [`ErrorKind::MissingKey`] if it is of
    /// the API's own origin and the client has no key, and what any call may fail with. No error
    /// prints the URL.
    pub async fn download_link(&self, url: &str) -> Result<ResponseValue<ByteStream>, Error> {
        const ID: &str = "download_link";
        let url = match Url::parse(url) {
            Ok(_) => absolute(url, ID)?,
            // Without a scheme. A host may still stand first.
            Err(_) if url.starts_with("//") => {
                absolute(&format!("{}:{url}", self.inner.0.base.scheme()), ID)?
            }
            Err(_) if url.starts_with('/') => absolute(&format!("{}{url}", self.base_url()), ID)?,
            Err(_) => return Err(invalid(ID, NO_LINK)),
        };
        let is_home = self.inner.is_home(&url);
        let mut request = Request::new(Method::GET, url);
        if is_home {
            self.inner.add_headers(&mut request);
            let keyed = self.inner.add_key(&mut request);
            keyed.map_err(|error| error.of(Some(ID)))?;
        } else {
            self.inner.add_user_agent(&mut request);
        }
        self.stream(request, ID).await
    }

    /// Uploads to an absolute URL that the API gave, such as a signed one, by `PUT`: with exactly
    /// these headers and `Content-Length`, without the key. The file's name and media type are not
    /// sent. A file that is a stream is sent once; another one may be sent again.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`] if it is no HTTP URL or a header is refused, and what any call
    /// may fail with. No error prints the URL.
    pub async fn upload_url(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: FilePart,
    ) -> Result<ResponseValue<()>, Error> {
        const ID: &str = "upload_url";
        let mut request = Request::new(Method::PUT, absolute(url, ID)?);
        let (body, length) = body.into_body();
        *request.headers_mut() =
            upload_headers(headers, length).map_err(|reason| invalid(ID, reason))?;
        *request.body_mut() = Some(body);
        let call = self.own_call(ID, Class::Repeatable, true);
        self.call(request, call).await.map(ResponseValue::empty)
    }

    /// The URL at which a session speaks the Chrome DevTools Protocol, for where the API's own
    /// `cdp_url` is not at hand. It holds the key, if the client has one.
    pub fn cdp_url(&self, session_id: &str) -> Secret {
        let (scheme, rest) = self.socket_base();
        let rest = match rest.strip_prefix("api.") {
            Some(domain) => format!("connect.{domain}"),
            None => rest.to_owned(),
        };
        let key = self.inner.0.key.as_ref().map(|key| key.text.as_str());
        let key = key.map(|key| ("apiKey", key));
        let query = key.into_iter().chain([("sessionId", session_id)]);
        Secret::from(format!("{scheme}://{rest}/{}", encode_query(query)))
    }

    /// The WebSocket URL of a path below the base URL.
    pub fn socket_url(&self, path: &str, query: &[(&str, &str)]) -> Secret {
        let (scheme, rest) = self.socket_base();
        let path = path.strip_prefix('/').unwrap_or(path);
        let query = encode_query(query.iter().copied());
        Secret::from(format!("{scheme}://{rest}/{path}{query}"))
    }

    /// The scheme of WebSockets that belongs to the base URL, and what follows it there.
    fn socket_base(&self) -> (&'static str, &str) {
        match self.base_url().strip_prefix("https://") {
            Some(rest) => ("wss", rest),
            None => ("ws", self.base_url().trim_start_matches("http://")),
        }
    }

    async fn stream(
        &self,
        mut request: Request,
        id: &'static str,
    ) -> Result<ResponseValue<ByteStream>, Error> {
        let any = HeaderValue::from_static("*/*");
        request.headers_mut().entry(ACCEPT).or_insert(any);
        let call = self.own_call(id, Class::Read, true);
        self.call(request, call).await.map(ResponseValue::stream)
    }

    /// A call that is no operation of the document.
    pub(crate) fn own_call(&self, id: &'static str, class: Class, streams: bool) -> Call {
        Call {
            id,
            class,
            pointer: None,
            streams,
            needs: self.inner.0.needs,
        }
    }
}

fn invalid(id: &'static str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message).of(Some(id))
}

fn absolute(url: &str, id: &'static str) -> Result<Url, Error> {
    let url = Url::parse(url).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| invalid(id, "the URL is not an absolute HTTP URL"))
}

/// `?a=b&c=d`, or nothing.
fn encode_query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    match pairs.as_slice() {
        [] => String::new(),
        pairs => format!("?{}", pairs.join("&")),
    }
}

fn upload_headers(list: &[(String, String)], length: u64) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| "a header's name is not a valid one".to_owned())?;
        let value = HeaderValue::try_from(value.as_str())
            .map_err(|_| format!("the value of the header {name} cannot be carried"))?;
        headers.append(name, value);
    }
    let length = HeaderValue::from(length);
    if headers
        .get(CONTENT_LENGTH)
        .is_some_and(|said| said != length)
    {
        return Err("the header content-length is not the length of the file".to_owned());
    }
    headers.insert(CONTENT_LENGTH, length);
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(base: &str, key: Option<&str>) -> Result<Client, Error> {
        let builder = Client::builder().base_url(base);
        match key {
            Some(key) => builder.api_key(key).build(),
            None => builder.build(),
        }
    }

    #[test]
    fn the_cdp_url_is_made_of_the_base_url() -> Result<(), Error> {
        for (base, key, expected) in [
            (
                "https://api.anchorbrowser.io",
                Some("k/1+"),
                "wss://connect.anchorbrowser.io/?apiKey=k%2F1%2B&sessionId=a%26b%20c",
            ),
            (
                "http://localhost:8080/",
                Some("k"),
                "ws://localhost:8080/?apiKey=k&sessionId=a%26b%20c",
            ),
            (
                "https://proxy.api.example/prefix",
                None,
                "wss://proxy.api.example/prefix/?sessionId=a%26b%20c",
            ),
            (
                "https://API.example",
                None,
                "wss://connect.example/?sessionId=a%26b%20c",
            ),
        ] {
            let url = client(base, key)?.cdp_url("a&b c");
            assert_eq!(url.expose(), expected);
            assert_eq!(format!("{url:?}"), "Secret(***)");
        }
        Ok(())
    }

    #[test]
    fn a_socket_url_keeps_the_host() -> Result<(), Error> {
        let client = client("https://api.anchorbrowser.io", Some("key"))?;
        for (path, query, expected) in [
            (
                "/ws",
                vec![("sessionId", "a b")],
                "wss://api.anchorbrowser.io/ws?sessionId=a%20b",
            ),
            ("ws", vec![], "wss://api.anchorbrowser.io/ws"),
        ] {
            assert_eq!(client.socket_url(path, &query).expose(), expected);
        }
        Ok(())
    }
}
