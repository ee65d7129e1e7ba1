// An Express application with express-session and passport, as there are many. It does not know
// that the Rocket application beside it uses its sessions, too.

import { pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

import express from 'express';
import session from 'express-session';
import passport from 'passport';
import LocalStrategy from 'passport-local';

import { openStore } from './store.js';

const { COOKIE_MAX_AGE, PORT = '3000', SESSION_SECRETS = 'keyboard cat' } = process.env;

// Stands for your users' table.
const users = [
  {
    id: 7,
    name: 'ada',
    password:
      '$pbkdf2-sha256$i=600000,l=32$b3duIHVzZXJzLCBzYWx0IQ$oT/ucI4o1eIVUn0ZUOPNp/o8xmPKFySSzlHBQerxDWo',
  },
  {
    id: 8,
    name: 'grace',
    password:
      '$pbkdf2-sha256$i=600000,l=32$b3duIHVzZXJzLCBzYWx0Pw$n+NdHd9S4WuLsBGUSnwclAdS/NoCgvuKrPw295HLV54',
  },
];

async function userWith(name, password) {
  const user = users.find((user) => user.name === name);
  return user && (await fits(password, user.password)) ? user : false;
}

async function fits(password, stored) {
  const [, , parameters, salt, hash] = stored.split('$');
  const [, rounds] = parameters.match(/i=(\d+)/);
  const expected = Buffer.from(hash, 'base64');
  const computed = await promisify(pbkdf2)(
    password,
    Buffer.from(salt, 'base64'),
    Number(rounds),
    expected.length,
    'sha256',
  );
  return timingSafeEqual(computed, expected);
}

passport.use(
  new LocalStrategy((name, password, done) => {
    userWith(name, password).then((user) => done(null, user), done);
  }),
);
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, users.find((user) => user.id === id) ?? false));

const app = express();
app.set('trust proxy', 'loopback');
app.use(
  session({
    store: await openStore(),
    secret: SESSION_SECRETS.split(','), // the first one signs, all of them verify
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax', maxAge: COOKIE_MAX_AGE ? Number(COOKIE_MAX_AGE) : null },
  }),
);
app.use(passport.session());

function me({ user, session: { visits = 0, cart = [] } }) {
  return { user: user?.name ?? null, visits, cart };
}

function forms(title, mount) {
  const form = (path, label, fields = '') =>
    `<form method="post" action="${mount}${path}">${fields}<button>${label}</button></form>`;
  const credentials = `
    <input name="username" placeholder="ada" autocomplete="username">
    <input name="password" type="password" autocomplete="current-password">`;
  return `<h2>${title}</h2>
    ${form('/login', 'Sign in', credentials)}
    ${form('/visits', 'Count a visit')}
    ${form('/cart/tea', 'Put tea into the cart')}
    ${form('/logout', 'Sign out')}`;
}

app.get('/', (req, res) => {
  const { user, visits, cart } = me(req);
  res.send(`<!doctype html>
    <title>Shop</title>
    <p>${user ? `Signed in as ${user}` : 'Nobody is signed in'}, ${visits} visits,
      ${cart.length} articles in the cart.</p>
    ${forms('Express', '')}
    ${forms('Rocket', '/new')}`);
});

app.get('/me', (req, res) => res.json(me(req)));

app.post('/visits', (req, res) => {
  req.session.visits = me(req).visits + 1;
  res.redirect(303, '/');
});

app.post('/cart/:article', (req, res) => {
  req.session.cart = [...me(req).cart, req.params.article];
  res.redirect(303, '/');
});

app.post(
  '/login',
  express.urlencoded(),
  passport.authenticate('local', { keepSessionInfo: true }),
  (req, res) => res.redirect(303, '/'),
);

app.post('/logout', (req, res, next) => {
  req.logout((error) => (error ? next(error) : res.redirect(303, '/')));
});

app.listen(Number(PORT), '127.0.0.1', (error) => {
  if (error) throw error;
  console.log(`Express listens on http://127.0.0.1:${PORT}`);
});
