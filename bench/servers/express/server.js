// Express with express-session and express-mysql-session on MariaDB, with the settings that cost least.
'use strict';
const express = require('express');
const session = require('express-session');
const MySQLStore = require('express-mysql-session')(session);
const mysql = require('mysql2/promise');

const database = { uri: process.env.DATABASE_URL, connectionLimit: 10 };
const store = new MySQLStore({ disableTouch: true }, mysql.createPool(database));
const users = mysql.createPool(database);
const application = express();
application.disable('x-powered-by');
application.set('etag', false);

const text = (response, body) => response.type('text').send(body);
const signedIn = (request, response, next) =>
  request.session.user_id === undefined ? response.status(401).end() : next();

application.get('/hello', (request, response) => text(response, 'hello'));
application.use(session({ secret: 'not secret', store, resave: false, saveUninitialized: false }));
application.get('/ping', (request, response) => text(response, 'pong'));
application.get('/visits', signedIn, (request, response) =>
  text(response, `visits: ${request.session.visits}`));
application.post('/visits', signedIn, (request, response) =>
  text(response, `visits: ${++request.session.visits}`));
application.get('/me', signedIn, async (request, response) => {
  const query = 'SELECT id, email, name FROM users WHERE id = ?';
  const [[user]] = await users.execute(query, [request.session.user_id]);
  text(response, user.email);
});
application.get('/anon', (request, response) => {
  request.session.k = 'v';
  text(response, 'created');
});
application.get('/login', (request, response) => {
  Object.assign(request.session, {
    user_id: Number(request.query.uid),
    visits: 0,
    csrf: '0123456789abcdef0123456789abcdef',
    locale: 'en-GB',
    theme: 'dark',
    last: '/catalogue/lamps/desk/4711',
    pad: 'x'.repeat(150),
  });
  text(response, 'ok');
});

store.onReady().then(() => application.listen(Number(process.env.PORT), '127.0.0.1'));
