// Where the sessions are: in MariaDB or MySQL, or in Redis where REDIS_URL is set.

import { RedisStore } from 'connect-redis';
import mysqlSession from 'express-mysql-session';
import session from 'express-session';
import { createClient } from 'redis';

const {
  DATABASE_URL = 'mysql://session:session@127.0.0.1:3306/shop',
  REDIS_URL,
} = process.env;

export function openStore() {
  return REDIS_URL ? openRedis() : openDatabase();
}

async function openDatabase() {
  const MySQLStore = mysqlSession(session);
  const url = new URL(DATABASE_URL);
  const store = new MySQLStore({
    host: url.hostname,
    port: url.port || 3306,
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.pathname.slice(1),
  });
  await store.onReady(); // makes the table where there is none
  return store;
}

async function openRedis() {
  const client = createClient({ url: REDIS_URL });
  client.on('error', console.error);
  await client.connect();
  return new RedisStore({ client });
}
