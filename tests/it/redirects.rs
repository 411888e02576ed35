//! Redirects: the key and the configured headers go to the API's own origin only.

use anchorbrowser_api::types::*;
use anchorbrowser_api::{Client, ErrorKind, KEY_HEADER};

use crate::server::{Answer, KEY, Request, Server};

const OWN: &str = "x-own";
const OWN_VALUE: &str = "canary-own-7f21";

/// A server that redirects by path: `..` stands for its own port.
async fn server(routes: &'static [(&'static str, u16, &'static str)]) -> Server {
    Server::start(move |request| {
        let port = request
            .header("host")
            .and_then(|host| host.split_once(':'))
            .unwrap()
            .1;
        let route = routes.iter().find(|(path, ..)| *path == request.target);
        match route {
            Some((_, status, to)) => Answer::redirect(*status, &to.replace("PORT", port)),
            None => Answer::json(200, r#"{"data":{"tier":"t"}}"#),
        }
    })
    .await
}

fn client(server: &Server) -> Client {
    server.builder().header(OWN, OWN_VALUE).build().unwrap()
}

/// Whether a request carries what is ours.
fn is_ours(request: &Request) -> bool {
    let ours = request.header(KEY_HEADER) == Some(KEY) && request.header(OWN) == Some(OWN_VALUE);
    let nothing = !request.holds(KEY) && !request.holds(OWN_VALUE) && !request.holds("x-anchor");
    assert!(ours != nothing, "{request:?}");
    ours
}

#[tokio::test]
async fn within_the_origin_a_read_is_followed_with_the_key() {
    for (status, location) in [
        (301, "/elsewhere"),
        (302, "elsewhere?a=b"),
        (303, "http://127.0.0.1:PORT/elsewhere"),
        (307, "//127.0.0.1:PORT/elsewhere"),
        (308, "../elsewhere"),
    ] {
        let routes = vec![("/v1/billing", status, location)].leak();
        let server = server(routes).await;
        let answer = client(&server).get_billing().send().await.unwrap();
        assert_eq!(answer.data.as_ref().unwrap().tier.as_deref(), Some("t"));
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{location}");
        assert!(requests.iter().all(is_ours), "{location}");
        assert!(
            requests
                .iter()
                .all(|r| r.header("accept") == Some("application/json"))
        );
    }
}

#[tokio::test]
async fn another_host_gets_nothing_of_ours_and_neither_does_the_way_back() {
    let server = server(&[
        ("/v1/billing", 302, "http://localhost:PORT/away"),
        ("/away", 302, "http://127.0.0.1:PORT/back"),
    ])
    .await;
    client(&server).get_billing().send().await.unwrap();
    let requests = server.requests();
    let targets: Vec<_> = requests
        .iter()
        .map(|request| request.target.as_str())
        .collect();
    assert_eq!(targets, ["/v1/billing", "/away", "/back"]);
    let ours: Vec<_> = requests.iter().map(is_ours).collect();
    assert_eq!(ours, [true, false, false]);
    assert_eq!(requests[1].header("accept"), Some("application/json"));
}

#[tokio::test]
async fn another_port_is_another_origin() {
    let other = Server::always(Answer::json(200, "{}")).await;
    let away = Answer::redirect(302, &format!("{}/x?sig=1", other.url()));
    let server = Server::always(away).await;
    client(&server)
        .list_sessions()
        .tags("t")
        .send()
        .await
        .unwrap();
    assert!(is_ours(&server.request()));
    let request = other.request();
    assert!(!is_ours(&request));
    assert_eq!(request.target, "/x?sig=1");
}

#[tokio::test]
async fn a_loop_ends() {
    let server = server(&[("/v1/billing", 302, "/v1/billing")]).await;
    let error = client(&server).get_billing().send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status().unwrap().as_u16()),
        (ErrorKind::Redirect, 302)
    );
    assert_eq!(server.requests().len(), 11);
}

#[tokio::test]
async fn what_is_no_read_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::always(Answer::redirect(status, "/x?sig=canary")).await;
        let client = client(&server);
        let errors = [
            client.create_session().send().await.unwrap_err(),
            client
                .delete_session()
                .session_id("s")
                .send()
                .await
                .unwrap_err(),
            client
                .put_session_tags()
                .session_id("s")
                .body(PutSessionTags::new(vec![]))
                .send()
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Redirect);
            assert_eq!(error.status().unwrap().as_u16(), status);
            assert_eq!(error.location(), Some("/x?sig=canary"));
            assert_eq!(error.body().unwrap(), "moved");
            assert!(!format!("{error} {error:?} {error:#?}").contains("canary"));
        }
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_redirect_that_cannot_be_followed_is_an_error() {
    for location in [
        "",
        "ftp://host/",
        "file:///etc/passwd",
        "http://[",
        "javascript:1",
    ] {
        let server = Server::always(Answer::redirect(302, location)).await;
        let error = client(&server).get_billing().send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (ErrorKind::Redirect, 302)
        );
        assert_eq!(error.body().unwrap(), "moved");
        assert_eq!(server.requests().len(), 1);
    }
    // These are no redirects, and no success either.
    for status in [300, 304, 305] {
        let server = Server::always(Answer::new(status, &[("location", "/x")], "")).await;
        let error = client(&server).get_billing().send().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status().unwrap().as_u16()),
            (ErrorKind::Status, status)
        );
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_address_of_a_download_is_the_answer_and_is_not_called() {
    let storage = Server::always(Answer::new(200, &[], "the file")).await;
    let signed = format!(
        "{}/bucket/a%2fb?X-Amz-Signature=canary%7e{{}}",
        storage.url()
    );
    let server = Server::list([
        Answer::redirect(302, &signed),
        Answer::json(
            200,
            format!(r#"{{"data":{{"signed_url":"{signed}","expires_in":60}}}}"#),
        ),
    ])
    .await;
    let client = client(&server);
    let ask = |redirect| {
        client
            .get_download_url()
            .volume_id("v")
            .path("a/b.txt")
            .redirect(redirect)
            .send()
    };
    for redirect in [BooleanText::True, BooleanText::False] {
        let answer = ask(redirect).await.unwrap();
        let found = answer.data.as_ref().unwrap().signed_url.as_ref().unwrap();
        assert_eq!(found.expose(), signed);
        assert!(!format!("{answer:?}").contains("canary"));
    }
    assert_eq!(
        server.requests()[0].target,
        "/v1/volumes/v/files/download?path=a%2Fb.txt&redirect=true"
    );
    assert!(storage.requests().is_empty());

    // Storage is asked without the key.
    let mut file = client.download_url(&signed).await.unwrap();
    assert_eq!(file.chunk().await.unwrap().unwrap(), "the file");
    let request = storage.request();
    assert!(!is_ours(&request));
    assert_eq!(request.target, "/bucket/a%2fb?X-Amz-Signature=canary%7e{}");
}

#[tokio::test]
async fn a_download_without_an_address_is_an_error() {
    let server = Server::list([
        Answer::new(302, &[], ""),
        Answer::redirect(302, ""),
        Answer::json(404, r#"{"error":"no such file"}"#),
    ])
    .await;
    let client = client(&server);
    for kind in [ErrorKind::Redirect, ErrorKind::Redirect, ErrorKind::Status] {
        let error = client
            .get_download_url()
            .volume_id("v")
            .path("p")
            .send()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}
