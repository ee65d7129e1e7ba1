// Does with sessions what express-session and its stores do, for the tests:
//
//   node sessions.mjs TASK <input.json >output.json

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const require = createRequire(join(process.env.TEST_EXPRESS, 'server.js'));
const { Cookie } = require('express-session');
const { sign } = require('cookie-signature');
const { openStore } = await import(join(process.env.TEST_EXPRESS, 'store.js'));

const HOUR = 60 * 60 * 1000;
const store = await openStore();

// All that the option `cookie` of express-session takes.
const cookies = {
  'no option': {},
  'maxAge null': { maxAge: null },
  'maxAge a number': { maxAge: HOUR },
  'expires a date': { expires: new Date(Date.now() + HOUR) },
  'expires false': { expires: false },
  'originalMaxAge false': { originalMaxAge: false },
  partitioned: { partitioned: true, secure: true },
  'priority low': { priority: 'low' },
  'priority medium': { priority: 'medium' },
  'priority high': { priority: 'high' },
  secure: { secure: true },
  'not secure': { secure: false },
  'secure auto': { secure: 'auto' },
  'not httpOnly': { httpOnly: false },
  domain: { domain: 'example.com' },
  path: { path: '/new' },
  'sameSite true': { sameSite: true },
  'sameSite false': { sameSite: false },
  'sameSite strict': { sameSite: 'strict' },
  'sameSite lax': { sameSite: 'lax' },
  'sameSite none': { sameSite: 'none', secure: true },
  'options of other middleware': { signed: true, overwrite: true },
  everything: {
    maxAge: HOUR,
    partitioned: true,
    priority: 'high',
    secure: true,
    httpOnly: false,
    domain: 'example.com',
    path: '/',
    sameSite: 'lax',
  },
};

// Values that applications and their middleware keep beside it.
const data = {
  passport: { user: 7 },
  visits: 1,
  nested: { list: [1, [2, { three: [null, false, ''] }]], none: {}, empty: [] },
  buffer: Buffer.from([0, 127, 255]),
  date: new Date(0),
  words: 'Zoë 😀 \u2028 "\\/ \u0000 \u007f',
  half: '😀'.slice(0, 1),
  'Schlüssel ☕': true,
  '': 'no name',
  numbers: [0.1, 1e21, 5e-324, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 64, -0.5, 1e-7],
  flash: { error: ['Wrong password.'] },
  messages: ['Missing credentials'],
  csrfSecret: 'k3jB-_',
  returnTo: '/home?a=1&b=2',
  '@type': 'of somebody else',
  user_id: 9,
};

// Texts that are no session, and when they expire where that is not in an hour.
const poison = {
  'no cookie': ['{"visits":1}'],
  'cookie null': ['{"cookie":null,"visits":1}'],
  'cookie a text': ['{"cookie":"","visits":1}'],
  'broken JSON': ['{"cookie":{"path":"/"},"visits":'],
  'an array': ['[{"cookie":{"path":"/"}}]'],
  null: ['null'],
  'a number': ['1'],
  'expires a word': ['{"cookie":{"expires":"tomorrow"},"visits":1}'],
  'expires an object': ['{"cookie":{"expires":{}},"visits":1}'],
  'expires in the year 275760': ['{"cookie":{"expires":"+275760-09-13T00:00:00.000Z"}}'],
  'expires in 2106': ['{"cookie":{"expires":null},"visits":1}', 2 ** 32 - 1],
  'expired in 1970': ['{"cookie":{"expires":null},"visits":1}', 1],
};

const raw = store.client
  ? {
      get: (sid) => store.client.get(`sess:${sid}`),
      set: (sid, text, expires) => store.client.set(`sess:${sid}`, text, { EXAT: expires }),
    }
  : {
      async get(sid) {
        const [rows] = await store.query('SELECT data FROM sessions WHERE session_id = ?', [sid]);
        return rows[0]?.data ?? null;
      },
      set: (sid, text, expires) =>
        store.query('INSERT INTO sessions VALUES (?, ?, ?)', [sid, expires, text]),
    };

// Stores each of `entries`, and answers by what cookie and with what text it can be found.
async function write(entries, store) {
  const written = {};
  for (const [name, entry] of Object.entries(entries)) {
    const sid = name.replaceAll(' ', '-').padEnd(32, '_');
    await store(sid, entry);
    const signed = encodeURIComponent(`s:${sign(sid, process.env.SESSION_SECRETS)}`);
    written[name] = { sid, cookie: `connect.sid=${signed}`, text: await raw.get(sid) };
  }
  return written;
}

// A session as a request of Express gets it, in two parts.
function opened(session) {
  const { cookie, '@session': _, ...values } = store.createSession({}, session);
  const { expires, ...options } = cookie.data;
  if (!(expires instanceof Date)) options.expires = expires;
  else assert(expires > new Date());
  return { options, values };
}

const tasks = {
  write: () =>
    write(cookies, (sid, options) => store.set(sid, { cookie: new Cookie(options), ...data })),

  // Only the number of visits and the time of expiry are different; and no other language has half
  // a character.
  async check(written) {
    for (const [name, { sid, text }] of Object.entries(written)) {
      const before = opened(JSON.parse(text));
      before.values.visits += 1;
      before.values.half = '\ufffd';
      assert.deepEqual(opened(await store.get(sid)), before, name);
    }
  },

  poison: () =>
    write(poison, (sid, [text, expires = Math.ceil((Date.now() + HOUR) / 1000)]) =>
      raw.set(sid, text, expires),
    ),

  async unchanged(written) {
    for (const [name, { sid, text }] of Object.entries(written)) {
      assert.equal(await raw.get(sid), text, name);
    }
  },

  texts: (sids) => Promise.all(sids.map(raw.get)),
};

const input = JSON.parse(await text(process.stdin));
const output = await tasks[process.argv[2]](input);
process.stdout.write(JSON.stringify(output ?? null), () => process.exit());
