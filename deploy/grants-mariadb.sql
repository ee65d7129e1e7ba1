-- Two accounts for the application's database on MariaDB or MySQL. An administrator creates them before
-- the migrations. The owner runs the migrations; the application uses the account with the least rights.
--
--   mariadb < deploy/grants-mariadb.sql
--   ROCKET_DATABASES='{app={url="mysql://session_owner:…@127.0.0.1/app?ssl_ca=…"}}' rocket_diesel_session migrate
--
-- Change the passwords, the name of the database, and 127.0.0.1, the host of the application. If it
-- connects by a socket, that is localhost, without REQUIRE SSL.

CREATE DATABASE app CHARACTER SET utf8mb4;

CREATE USER session_owner@'127.0.0.1' IDENTIFIED BY 'change me' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES
    ON app.* TO session_owner@'127.0.0.1';

-- MariaDB grants rights to a missing table only together with CREATE, which is revoked at once.
CREATE USER session@'127.0.0.1' IDENTIFIED BY 'change me too' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.users TO session@'127.0.0.1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.sessions TO session@'127.0.0.1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.attempts TO session@'127.0.0.1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.known_devices TO session@'127.0.0.1';
REVOKE CREATE ON app.users FROM session@'127.0.0.1';
REVOKE CREATE ON app.sessions FROM session@'127.0.0.1';
REVOKE CREATE ON app.attempts FROM session@'127.0.0.1';
REVOKE CREATE ON app.known_devices FROM session@'127.0.0.1';
