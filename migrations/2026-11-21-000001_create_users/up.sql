-- Accounts. Times are Unix milliseconds UTC. What stands between /*! and */ is read by MariaDB and MySQL alone.
CREATE TABLE users (
    -- UUIDv7 as text, made by the application
    id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL PRIMARY KEY,
    -- canonical: trimmed and in lower case
    email VARCHAR(254) NOT NULL,
    first_name VARCHAR(64) NOT NULL,
    last_name VARCHAR(64) NOT NULL,
    -- empty until its owner fills it in
    location VARCHAR(128) NOT NULL DEFAULT '',
    -- PHC string: algorithm, rounds, salt and hash
    password_hash VARCHAR(255) NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- when set, the account cannot be used
    disabled_at BIGINT
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Decides whether an address is taken; no check before an insert could.
CREATE UNIQUE INDEX users_email ON users (email);
