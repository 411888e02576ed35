// @ts-check
// The vendor's TypeScript SDK, as published, against the emulator.
//
// The environment has ANCHORBROWSER_BASE_URL and ANCHORBROWSER_API_KEY, which the SDK reads itself, and
// EMULATOR_BROWSER, which is empty if the emulator has no browser. The SDK has no methods for batches, webhooks and
// lists of files: these requests go through its `get`, `post` and `delete`.

import assert from 'node:assert/strict';
import { Buffer, File } from 'node:buffer';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';

import Anchorbrowser, { toFile } from 'anchorbrowser';
import { VERSION } from 'anchorbrowser/version';

// Node.js 18 does not have it as a global, and the SDK's uploads need it.
globalThis.File ??= /** @type {any} */ (File);

const BASE_URL = process.env['ANCHORBROWSER_BASE_URL'] ?? '';
const LIMIT = 30_000;
const GREEN = [0x00, 0x80, 0x00];
const HEAD = '<!doctype html><body style="margin: 0; background: green">';
const FORM = `${HEAD}<title>Form</title><form action="/sent"><input name="text"><button>Send</button></form>`;
// The request to /held lasts as long as the browser.
const SENT = `${HEAD}<title>Sent</title><p id="text"></p>
<script>text.innerText = new URLSearchParams(location.search).get('text'); fetch('/held')</script>`;

const client = new Anchorbrowser();

/** @type {[name: string, run: () => Promise<void>, needsBrowser: boolean][]} */
const steps = [];
/** @type {(name: string, run: () => Promise<void>) => void} */
const step = (name, run) => void steps.push([name, run, false]);
/** @type {(name: string, run: () => Promise<void>) => void} */
const browserStep = (name, run) => void steps.push([name, run, true]);

/**
 * A server on loopback that serves a form and takes webhooks.
 * @param {(url: string, seen: () => Promise<any>) => Promise<void>} use gets its URL, and what it sees next
 */
async function serving(use) {
  /** @type {any[]} */
  const seen = [];
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    if (path === '/held') {
      seen.push('held');
      request.socket.once('close', () => seen.push('gone'));
    } else if (request.method === 'POST') {
      const body = Buffer.concat(await request.toArray());
      response.writeHead(204).end();
      seen.push({ headers: request.headers, body });
    } else {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(path.startsWith('/sent') ? SENT : FORM);
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  try {
    await use(`http://127.0.0.1:${port}`, () => until('a request', async () => seen.shift()));
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/**
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} found
 */
async function until(what, found) {
  for (const deadline = Date.now() + LIMIT; Date.now() < deadline; await sleep(50)) {
    const value = await found();
    if (value) return value;
  }
  throw new Error(`${what}: not within ${LIMIT} ms`);
}

/**
 * The emulator's own account.
 * @param {string} what
 * @returns {Promise<any>}
 */
const emulator = async (what) => (await fetch(`${BASE_URL}/__emulator/${what}`)).json();

async function running() {
  const { data } = await client.sessions.all.status();
  return (data?.items ?? []).filter((item) => item.status === 'running').map((item) => item.session_id);
}

/** @param {string} [id] */
const status = async (id) => (await client.sessions.retrieve(id ?? '')).data?.status;

/**
 * Size and first pixel of a PNG. The bytes of that one are stored as they are.
 * @param {Buffer} image
 */
function png(image) {
  assert.equal(image.subarray(0, 8).toString('latin1'), '\x89PNG\r\n\x1a\n');
  const parts = [];
  for (let at = 8; at < image.length; at += image.readUInt32BE(at) + 12) {
    const start = at + 8;
    if (image.toString('latin1', at + 4, start) === 'IDAT') {
      parts.push(image.subarray(start, start + image.readUInt32BE(at)));
    }
  }
  const pixel = [...inflateSync(Buffer.concat(parts)).subarray(1, 4)];
  return { size: [image.readUInt32BE(16), image.readUInt32BE(20)], pixel };
}

/** @param {string} id */
async function screenshot(id) {
  const answer = await client.sessions.retrieveScreenshot(id);
  assert.equal(answer.headers.get('content-type'), 'image/png');
  return png(Buffer.from(await answer.arrayBuffer()));
}

let session = '';

step('create', async () => {
  const { data } = await client.sessions.create({
    session: { timeout: { max_duration: 10 } },
    browser: { headless: { active: true }, viewport: { width: 800, height: 600 } },
  });
  session = data?.id ?? '';
  assert.match(session, /^[0-9a-f-]{36}$/);
  const addresses = [data?.cdp_url, data?.live_view_url];
  for (const [address, base] of [
    [addresses[0], BASE_URL.replace('http://', 'ws://')],
    [addresses[1], BASE_URL],
  ]) {
    assert.ok(address?.startsWith(base ?? '') && address.includes(session), address);
  }
});

step('get', async () => {
  const { data } = await client.sessions.retrieve(session);
  assert.deepEqual([data?.session_id, data?.status], [session, 'running']);
  assert.deepEqual(/** @type {any} */ (data?.configuration).browser.viewport, { width: 800, height: 600 });
});

step('list_active', async () => {
  assert.deepEqual(await running(), [session]);
});

step('screenshot', async () => {
  assert.deepEqual((await screenshot(session)).size, [800, 600]);
});

step('upload', async () => {
  const file = await toFile(Buffer.from('four'), 'notes.txt', { type: 'text/plain' });
  const { data } = await client.sessions.uploadFile(session, { file });
  assert.equal(data?.status, 'success');
  assert.match(data?.message ?? '', /notes\.txt/);
  assert.equal((await client.sessions.agent.files.upload(session, { file })).data?.status, 'success');
  const listed = /** @type {any} */ (await client.get(`/v1/sessions/${session}/agent/files`));
  const [{ name, size, type }, ...others] = listed.data.files;
  assert.deepEqual([name, size, type, others], ['notes.txt', 4, 'text/plain', []]);
});

step('batch', async () => {
  const body = { count: 3, metadata: { run: 7 } };
  const made = /** @type {any} */ (await client.post('/v1/batch-sessions', { body })).data;
  assert.equal(made.total_requests, 3);
  const path = `/v1/batch-sessions/${made.batch_id}`;
  const done = await until('the batch', async () => {
    const found = /** @type {any} */ (await client.get(path)).data;
    return ['completed', 'failed', 'cancelled'].includes(found.status) && found;
  });
  assert.deepEqual([done.status, done.completed_requests, done.failed_requests], ['completed', 3, 0]);
  /** @type {string[]} */
  const sessions = done.sessions.map((/** @type {any} */ item, /** @type {number} */ index) => {
    assert.deepEqual([item.item_index, item.metadata], [index, { run: 7 }]);
    assert.ok(item.cdp_url.includes(item.session_id), item);
    return item.session_id;
  });
  assert.deepEqual((await running()).sort(), [session, ...sessions].sort());
  const gone = /** @type {any} */ (await client.delete(path)).data;
  assert.deepEqual([gone.deleted_sessions, gone.failed_deletions], [3, 0]);
  assert.deepEqual(await running(), [session]);
});

step('profile', async () => {
  const name = 'vendor';
  await client.profiles.create({ name, description: 'kept', source: 'session', session_id: session });
  const [listed, ...others] = (await client.profiles.list()).data?.items ?? [];
  assert.deepEqual([listed?.name, listed?.description, listed?.session_id, others], [name, 'kept', session, []]);
  assert.equal((await client.profiles.retrieve(name)).data?.name, name);
  await client.profiles.delete(name);
  assert.deepEqual((await client.profiles.list()).data?.items, []);
});

step('event', async () => {
  const waiting = client.events.waitFor('vendor', { timeoutMs: LIMIT }).asResponse();
  await until('the wait', async () => (await emulator('state')).waiting === 1);
  await client.events.signal('vendor', { data: { answer: 42 } });
  assert.deepEqual(await (await waiting).json(), { data: { answer: 42 } });
  // The SDK repeats what ends in 408.
  const late = client.events.waitFor('never', { timeoutMs: 20 }, { maxRetries: 0 });
  await assert.rejects(late, { status: 408 });
});

step('webhook', () =>
  serving(async (url, seen) => {
    const body = { url: `${url}/hook`, subscribed_events: ['session.completed'] };
    const hook = /** @type {any} */ (await client.post('/v1/webhooks', { body }));
    const ended = (await client.sessions.create()).data?.id ?? '';
    await client.sessions.delete(ended);
    const delivery = await seen();
    const stamp = delivery.headers['anchor-timestamp'];
    const digest = createHmac('sha256', hook.secret).update(`v0:${stamp}:`).update(delivery.body).digest('hex');
    assert.equal(delivery.headers['anchor-signature'], `t=${stamp},v1=${digest}`);
    assert.equal(delivery.headers['anchor-event'], 'session.completed');
    assert.ok(Math.abs(Date.now() / 1000 - Number(stamp)) < 120, stamp);
    const sent = JSON.parse(delivery.body);
    assert.equal(sent.type, 'session.completed');
    assert.ok(JSON.stringify(sent.data).includes(ended), delivery.body);
    assert.deepEqual(await client.delete(`/v1/webhooks/${hook.id}`), { ok: true });
  }),
);

step('errors', async () => {
  const unknown = randomUUID();
  await assert.rejects(client.sessions.retrieve(unknown), (error) => {
    assert.ok(error instanceof Anchorbrowser.NotFoundError);
    assert.ok(error.message.includes(unknown), error.message);
    return true;
  });
  // Here the key and the base URL come from options.
  const stranger = new Anchorbrowser({ apiKey: 'not-the-key', baseURL: BASE_URL });
  await assert.rejects(stranger.sessions.all.status(), Anchorbrowser.AuthenticationError);
  const solver = client.sessions.create({ browser: { captcha_solver: { active: true } } });
  await assert.rejects(solver, Anchorbrowser.BadRequestError);
});

step('end', async () => {
  assert.equal((await client.sessions.delete(session)).data?.status, 'success');
  assert.equal(await status(session), 'completed');
  assert.deepEqual(await running(), []);
  await assert.rejects(client.sessions.retrieveScreenshot(session), Anchorbrowser.NotFoundError);
});

/**
 * Fills and sends the form.
 * @param {import('playwright').Browser} browser
 * @param {string} url
 */
async function drive(browser, url) {
  const page = browser.contexts()[0]?.pages()[0];
  assert.ok(page);
  await page.goto(url);
  await page.fill('input', 'Zoë & co');
  await page.click('button');
  await page.waitForSelector('#text');
  assert.equal(await page.innerText('#text'), 'Zoë & co');
  return page;
}

browserStep('playwright', () =>
  serving(async (url, seen) => {
    const viewport = { width: 800, height: 600 };
    const browser = await client.browser.create({ sessionOptions: { browser: { viewport } } });
    const page = await drive(browser, url);
    const [driven = '', ...others] = await running();
    assert.deepEqual(others, []);
    const expected = { size: [800, 600], pixel: GREEN };
    assert.deepEqual(png(await page.screenshot()), expected);
    assert.deepEqual(await screenshot(driven), expected);
    // Playwright is detached: that ends neither the session nor the browser. The API does.
    await browser.close();
    assert.equal(await seen(), 'held');
    const again = await client.browser.connect(driven);
    assert.equal(await again.contexts()[0]?.pages()[0]?.innerText('#text'), 'Zoë & co');
    await again.close();
    assert.equal(await status(driven), 'running');
    await client.sessions.delete(driven);
    assert.equal(await seen(), 'gone');
    assert.deepEqual(await running(), []);
  }),
);

browserStep('agent_task', () =>
  serving(async (url) => {
    const answer = await client.agent.task('Read the title', { taskOptions: { url } });
    assert.ok(/** @type {any} */ (answer).data.result !== undefined, JSON.stringify(answer));
    // The SDK's helpers never end a session.
    await client.sessions.all.delete();
  }),
);

// The requests are those of the SDK. They and their answers are as the document says.
step('requests', async () => {
  /** @type {any[]} */
  const sent = (await emulator('requests?limit=1000')).requests.filter((/** @type {any} */ { operation }) => operation);
  assert.deepEqual([...new Set(sent.map(({ headers }) => headers['user-agent']))], [`Anchorbrowser/JS ${VERSION}`]);
  const wrong = sent.filter(({ violations, answer_violations: answer }) => violations.length + answer.length);
  assert.deepEqual(wrong.map(({ operation, status }) => [operation, status]), [['get_all_sessions_status', 401]]);
});

step('nothing_left', async () => {
  assert.deepEqual(await running(), []);
  const { counts, webhooks, waiting } = await emulator('state');
  const { batches, profiles, session_files: files, logins } = counts;
  assert.deepEqual({ batches, profiles, files, logins, webhooks, waiting }, {
    batches: 0, profiles: 0, files: 0, logins: 0, webhooks: [], waiting: 0,
  });
});

let [passed, failed, skipped] = [0, 0, 0];
for (const [name, run, needsBrowser] of steps) {
  if (needsBrowser && !process.env['EMULATOR_BROWSER']) {
    console.log(`skipped ${name}: the emulator has no browser`);
    skipped += 1;
    continue;
  }
  try {
    await run();
  } catch (error) {
    console.log(`failed ${name}`);
    console.error(error);
    failed = 1;
    break;
  }
  console.log(`ok ${name}`);
  passed += 1;
}
console.log(`typescript: ${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed);
