-- Two accounts for the application's database on PostgreSQL, made by an administrator before the
-- migrations: the owner runs those, the application does the rest with as little as it needs.
--
--   psql -f deploy/grants-postgres.sql
--   diesel migration run --database-url 'postgres://session_owner:…@127.0.0.1/app?sslmode=…'
--
-- What to change: the passwords, and the name of the database. That they come over TLS alone is
-- said in pg_hba.conf: hostssl app session,session_owner ADDRESS scram-sha-256

CREATE ROLE session_owner LOGIN PASSWORD 'change me';
CREATE ROLE session LOGIN PASSWORD 'change me too';
CREATE DATABASE app OWNER session_owner;
REVOKE ALL ON DATABASE app FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO session;

\connect app
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO session_owner;

-- Where the migrations write down which of them have run. It is made before the next statement,
-- so that this does not cover it.
SET ROLE session_owner;
CREATE TABLE __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- Of every table that the migrations make: users, sessions, attempts and known_devices.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO session;
