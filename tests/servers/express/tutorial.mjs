// An Express application without passport, as most tutorials on express-session write it: the user's id
// is in the session, at the path USER_PATH.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const { TEST_EXPRESS, PORT, SESSION_SECRETS, USER_PATH } = process.env;
const require = createRequire(join(TEST_EXPRESS, 'server.js'));
const express = require('express');
const session = require('express-session');
const { openStore } = await import(join(TEST_EXPRESS, 'store.js'));

const users = [
  { id: 7, name: 'ada' },
  { id: 8, name: 'grace' },
];

const names = USER_PATH.split('.');
const idIn = (session) => names.reduce((value, name) => value?.[name], session);
const withId = (id) => names.reduceRight((value, name) => ({ [name]: value }), id);

const redirectLogin = (req, res, next) => (idIn(req.session) ? next() : res.redirect(303, '/login'));
const redirectHome = (req, res, next) => (idIn(req.session) ? res.redirect(303, '/home') : next());

const app = express();
app.use(
  session({
    store: await openStore(),
    secret: SESSION_SECRETS,
    resave: false,
    saveUninitialized: false,
  }),
);
app.use((req, res, next) => {
  res.locals.user = users.find((user) => user.id === idIn(req.session));
  next();
});

app.get('/user', (req, res) => res.send(res.locals.user?.name ?? ''));
app.get('/home', redirectLogin, (req, res) => res.send(`Hello ${res.locals.user.name}`));
app.get('/login', redirectHome, (req, res) => res.send('Sign in'));
app.post('/log_in/:id', redirectHome, (req, res) => {
  Object.assign(req.session, withId(Number(req.params.id)));
  res.redirect(303, '/home');
});
app.post('/log_out', redirectLogin, (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.clearCookie('connect.sid').redirect(303, '/login')));
});

app.listen(Number(PORT), '127.0.0.1');
