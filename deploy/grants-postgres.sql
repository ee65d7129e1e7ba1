-- Two accounts for the application's database on PostgreSQL. An administrator creates them before the
-- migrations. The owner runs the migrations; the application uses the account with the least rights.
--
--   runuser -u postgres psql < deploy/grants-postgres.sql
--   ROCKET_DATABASES='{app={url="postgres://session_owner:…@127.0.0.1/app?sslmode=…"}}' rocket_diesel_session migrate
--
-- Change the passwords, and the name of the database. To accept these accounts over TLS only, add to
-- pg_hba.conf: hostssl app session,session_owner ADDRESS scram-sha-256

CREATE ROLE session_owner LOGIN PASSWORD 'change me';
CREATE ROLE session LOGIN PASSWORD 'change me too';
CREATE DATABASE app OWNER session_owner;
REVOKE ALL ON DATABASE app FROM PUBLIC;
GRANT CONNECT ON DATABASE app TO session;

\connect app
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT CREATE ON SCHEMA public TO session_owner;

-- The table in which Diesel records the migrations that have run. It comes before the next statement,
-- which must not apply to it.
SET ROLE session_owner;
CREATE TABLE __diesel_schema_migrations (
    version VARCHAR(50) PRIMARY KEY NOT NULL,
    run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- Applies to the tables that the migrations create: users, sessions, attempts and known_devices.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO session;
