"""The vendor's Python SDK, as published, against the emulator.

The environment has ANCHORBROWSER_BASE_URL and ANCHORBROWSER_API_KEY, which the SDK reads itself, and
EMULATOR_BROWSER, which is empty if the emulator has no browser.
"""

import asyncio
import hashlib
import hmac
import json
import os
import queue
import sys
import time
import traceback
import urllib.request
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import anchorbrowser
from anchorbrowser import Anchorbrowser, AsyncAnchorbrowser

BASE_URL = os.environ["ANCHORBROWSER_BASE_URL"]
SECONDS = 30
GREEN = b"\x00\x80\x00"
PAGE = """<!doctype html><title>Form</title><body style="margin: 0; background: green">
<form action="/sent"><input name="text"><button>Send</button></form>"""
# The request to /held lasts as long as the browser.
SENT = """<!doctype html><title>Sent</title><body style="margin: 0; background: green">
<p id="text">%s</p><script>fetch("/held")</script>"""

# The SDK lets answers pass that do not fit its models. This client raises.
client = Anchorbrowser(_strict_response_validation=True)
# For the two answers whose models are stricter than the API's document: the tags of `get_session`, and
# the `browser_ip` of `list_sessions`.
lenient = Anchorbrowser()

steps = []


def step(function):
    steps.append((function, False))
    return function


def browser_step(function):
    steps.append((function, True))
    return function


class Handler(BaseHTTPRequestHandler):
    """Serves a form, and takes webhooks."""

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/held":
            self.server.seen.put("held")
            with suppress(ConnectionError):
                self.rfile.read(1)
            self.server.seen.put("gone")
            return
        text = parse_qs(url.query).get("text")
        body = (SENT % text[0] if text else PAGE).encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        self.server.seen.put((self.headers, body))

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    """A server on loopback: its URL, and what it has seen."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = queue.Queue()
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", server.seen
        server.shutdown()


def emulator(what):
    """The emulator's own account."""
    with urllib.request.urlopen(f"{BASE_URL}/__emulator/{what}", timeout=SECONDS) as answer:
        return json.load(answer)


def until(what, found):
    deadline = time.monotonic() + SECONDS
    while not (value := found()):
        assert time.monotonic() < deadline, f"{what}: not within {SECONDS} s"
        time.sleep(0.05)
    return value


def refusal(kind, call):
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}: {answer!r}")


def running():
    listed = client.sessions.get_all_sessions_status().data.items
    return [item.session_id for item in listed if item.status == "running"]


def png(image):
    """Width, height, and the first pixel. Of that one the bytes are stored as they are."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n"), image[:16]
    size, at, data = (int.from_bytes(image[16:20], "big"), int.from_bytes(image[20:24], "big")), 8, b""
    while at < len(image):
        length, kind = int.from_bytes(image[at : at + 4], "big"), image[at + 4 : at + 8]
        if kind == b"IDAT":
            data += image[at + 8 : at + 8 + length]
        at += length + 12
    return size, zlib.decompress(data)[1:4]


session = ""


@step
def create():
    global session
    viewport = {"width": 800, "height": 600}
    made = client.sessions.create_session(
        session={"tags": ["vendor"], "timeout": {"max_duration": 10}},
        browser={"headless": {"active": True}, "viewport": viewport},
    ).data
    session = made.id
    assert uuid.UUID(session)
    assert made.cdp_url.startswith(BASE_URL.replace("http://", "ws://")) and session in made.cdp_url, made.cdp_url
    assert made.live_view_url.startswith(BASE_URL) and session in made.live_view_url, made.live_view_url


@step
def get():
    found = lenient.sessions.get_session(session).data
    assert (found.session_id, found.status, found.tags) == (session, "running", ["vendor"]), found
    assert found.configuration["browser"]["viewport"] == {"width": 800, "height": 600}, found


@step
def list_active():
    assert running() == [session]
    page = lenient.sessions.list_sessions(status="running", tags="vendor", limit=10).data
    assert [item.id for item in page.sessions] == [session] and page.total == 1, page


@step
def screenshot():
    size, _ = png(client.sessions.get_session_screenshot(session).read())
    assert size == (800, 600), size


@step
def upload():
    file = ("notes.txt", b"four", "text/plain")
    answer = client.sessions.upload_file(session, file=file).data
    assert answer.status == "success" and "notes.txt" in answer.message, answer
    assert client.agent.upload_agent_files(session, file=file).data.status == "success"
    [listed] = client.agent.list_agent_files(session).data.files
    assert (listed.name, listed.size, listed.type) == ("notes.txt", 4, "text/plain"), listed


@step
def batch():
    made = client.batch_sessions.create_batch_session(
        count=3, configuration={"session": {"tags": ["batch"]}}, metadata={"run": 7}
    ).data
    id = str(made.batch_id)
    assert made.total_requests == 3, made
    ended = ("completed", "failed", "cancelled")

    def poll():
        found = client.batch_sessions.get_batch_session(id).data
        return found.status in ended and found

    done = until("the batch", poll)
    assert (done.status, done.completed_requests, done.failed_requests) == ("completed", 3, 0), done
    assert [item.item_index for item in done.sessions] == [0, 1, 2], done
    assert all(item.metadata == {"run": 7} and str(item.session_id) in item.cdp_url for item in done.sessions), done
    assert sorted(running()) == sorted([session, *(str(item.session_id) for item in done.sessions)])
    gone = client.batch_sessions.delete_batch_session(id).data
    assert (gone.deleted_sessions, gone.failed_deletions) == (3, 0), gone
    assert running() == [session]


@step
def profile():
    client.profiles.create_profile(name="vendor", description="kept", source="session", session_id=session)
    [listed] = client.profiles.list_profiles().data.items
    assert (listed.name, listed.description, str(listed.session_id)) == ("vendor", "kept", session), listed
    assert client.profiles.get_profile("vendor").data.name == "vendor"
    client.profiles.delete_profile("vendor")
    assert client.profiles.list_profiles().data.items == []


@step
def event():
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.events.wait_for_event, "vendor", timeout_ms=SECONDS * 1000)
        until("the wait", lambda: emulator("state")["waiting"] == 1)
        client.events.signal_event("vendor", data={"answer": 42})
        assert waiting.result(SECONDS).data == {"answer": 42}
    late = refusal(anchorbrowser.APIStatusError, lambda: client.events.wait_for_event("never", timeout_ms=20))
    assert late.status_code == 408, late


@step
def webhook():
    with serving() as (url, seen):
        hook = client.webhooks.create_webhook(
            url=url + "/hook", subscribed_events=["session.completed"], description="vendor"
        )
        [listed] = client.webhooks.list_webhooks().webhooks
        assert (listed.id, str(listed.url), listed.enabled) == (hook.id, url + "/hook", True), listed
        ended = client.sessions.create_session().data.id
        client.sessions.delete_session(ended)
        headers, body = seen.get(timeout=SECONDS)
        stamp = headers["anchor-timestamp"]
        digest = hmac.digest(hook.secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        assert headers["anchor-signature"] == f"t={stamp},v1={digest.hex()}"
        assert abs(time.time() - int(stamp)) < 120 and headers["anchor-event"] == "session.completed"
        sent = json.loads(body)
        assert sent["type"] == "session.completed" and ended in json.dumps(sent["data"]), sent
        history = client.webhooks.list_webhook_events
        [row] = until("the history", lambda: history(hook.id, status="succeeded").events)
        assert (row.external_event_id, row.response_status) == (sent["id"], 204), row
        assert client.webhooks.delete_webhook(hook.id).ok


@step
def errors():
    unknown = str(uuid.uuid4())
    error = refusal(anchorbrowser.NotFoundError, lambda: client.sessions.get_session(unknown))
    assert error.status_code == 404 and unknown in error.body["error"]["message"], error.body
    # Here the key and the base URL come from options.
    stranger = Anchorbrowser(api_key="not-the-key", base_url=BASE_URL + "/")
    error = refusal(anchorbrowser.AuthenticationError, stranger.sessions.get_all_sessions_status)
    assert error.status_code == 401, error
    solver = {"captcha_solver": {"active": True}}
    error = refusal(anchorbrowser.BadRequestError, lambda: client.sessions.create_session(browser=solver))
    assert "proxy" in error.body["error"]["message"], error.body


@step
def asynchronous():
    async def use():
        async with AsyncAnchorbrowser(_strict_response_validation=True) as client:
            made = await client.sessions.create_session()
            assert made.data.id in running()
            await client.sessions.delete_session(made.data.id)
            assert made.data.id not in running()

    asyncio.run(use())


@step
def end():
    assert client.sessions.delete_session(session).data.status == "success"
    found = lenient.sessions.get_session(session).data
    assert found.status == "completed", found
    assert running() == []
    refusal(anchorbrowser.NotFoundError, lambda: client.sessions.get_session_screenshot(session))


def look(screenshot, size):
    """The screenshots of Playwright and of the API both show the page."""
    [driven] = running()
    for image in (screenshot, client.sessions.get_session_screenshot(driven).read()):
        assert png(image) == (tuple(size), GREEN), png(image)
    [shown] = client.sessions.get_session_pages(driven).data.items
    assert shown.title == "Sent", shown


def detach_and_end(seen):
    """Playwright is detached: that ends neither the session nor the browser. The API does."""
    [driven] = running()
    assert seen.get(timeout=SECONDS) == "held" and seen.empty()
    assert lenient.sessions.get_session(driven).data.status == "running"
    client.sessions.delete_session(driven)
    assert seen.get(timeout=SECONDS) == "gone"
    assert running() == []


@browser_step
def playwright():
    with serving() as (url, seen):
        with client.browser.create() as browser:
            page = browser.contexts[0].pages[0]
            page.goto(url)
            page.fill("input", "Zoë & co")
            page.click("button")
            page.wait_for_selector("#text")
            assert page.inner_text("#text") == "Zoë & co"
            look(page.screenshot(), page.evaluate("[innerWidth, innerHeight]"))
        detach_and_end(seen)


@browser_step
def playwright_async():
    async def drive(url):
        async with AsyncAnchorbrowser() as client, await client.browser.create() as browser:
            page = browser.contexts[0].pages[0]
            await page.goto(url)
            await page.fill("input", "Zoë & co")
            await page.click("button")
            await page.wait_for_selector("#text")
            assert await page.inner_text("#text") == "Zoë & co"
            look(await page.screenshot(), await page.evaluate("[innerWidth, innerHeight]"))

    with serving() as (url, seen):
        asyncio.run(drive(url))
        detach_and_end(seen)


@browser_step
def playwright_again():
    """A second driver finds the page as the first left it."""
    id = client.sessions.create_session().data.id
    with serving() as (url, seen):
        with client.browser.connect(id) as browser:
            browser.contexts[0].pages[0].goto(url + "/sent?text=one")
        with client.browser.connect(id) as browser:
            assert browser.contexts[0].pages[0].inner_text("#text") == "one"
        detach_and_end(seen)


@browser_step
def agent_task():
    """The SDK's helper creates the session, holds a connection to the browser, and never ends the session."""
    with serving() as (url, _):
        answer = client.agent.task("Read the title", task_options={"url": url})
        assert answer.data.result is not None, answer
        client.sessions.delete_all_sessions()


@step
def requests():
    """The requests are those of the SDK. They and their answers are as the document says."""
    sent = [request for request in emulator("requests?limit=1000")["requests"] if request["operation"]]
    agents = {request["headers"]["user-agent"] for request in sent}
    assert agents == {f"{name}/Python {anchorbrowser.__version__}" for name in ("Anchorbrowser", "AsyncAnchorbrowser")}
    wrong = [request for request in sent if request["violations"] or request["answer_violations"]]
    assert [(request["operation"], request["status"]) for request in wrong] == [("get_all_sessions_status", 401)], wrong


@step
def nothing_left():
    assert running() == []
    left = emulator("state")
    kinds = ("batches", "profiles", "session_files", "logins")
    assert {kind: left["counts"][kind] for kind in kinds} == dict.fromkeys(kinds, 0), left["counts"]
    assert (left["webhooks"], left["waiting"]) == ([], 0), left


def main():
    passed, skipped = 0, 0
    for function, needs_browser in steps:
        name = function.__name__
        if needs_browser and not os.environ["EMULATOR_BROWSER"]:
            print(f"skipped {name}: the emulator has no browser", flush=True)
            skipped += 1
            continue
        try:
            function()
        except BaseException:
            traceback.print_exc()
            print(f"failed {name}\npython: {passed} passed, 1 failed, {skipped} skipped", flush=True)
            return 1
        print(f"ok {name}", flush=True)
        passed += 1
    print(f"python: {passed} passed, 0 failed, {skipped} skipped", flush=True)
    return 0


sys.exit(main())
