-- Two accounts for the application's database on MariaDB or MySQL, made by an administrator before
-- the migrations: the owner runs those, the application does the rest with as little as it needs.
--
--   mariadb < deploy/grants-mariadb.sql
--   diesel migration run --database-url 'mysql://session_owner:…@127.0.0.1/app?ssl_ca=…'
--
-- What to change: the passwords, the name of the database, and 127.0.0.1, which is where the
-- application comes from. From the same machine by a socket, that is localhost, without REQUIRE SSL.

CREATE DATABASE app CHARACTER SET utf8mb4;

CREATE USER session_owner@'127.0.0.1' IDENTIFIED BY 'change me' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES
    ON app.* TO session_owner@'127.0.0.1';

-- Rights to a table that is not there yet have to include CREATE, which is taken back at once.
CREATE USER session@'127.0.0.1' IDENTIFIED BY 'change me too' REQUIRE SSL;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.users TO session@'127.0.0.1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.sessions TO session@'127.0.0.1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.attempts TO session@'127.0.0.1';
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON app.known_devices TO session@'127.0.0.1';
REVOKE CREATE ON app.users FROM session@'127.0.0.1';
REVOKE CREATE ON app.sessions FROM session@'127.0.0.1';
REVOKE CREATE ON app.attempts FROM session@'127.0.0.1';
REVOKE CREATE ON app.known_devices FROM session@'127.0.0.1';
