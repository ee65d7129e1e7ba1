-- Accounts. Times are Unix milliseconds UTC. Only MariaDB and MySQL read the text between /*! and */, and only MariaDB the
-- text between /*M! and */. They do not roll back a part of a migration, so each statement can be run again.
CREATE TABLE /*! IF NOT EXISTS */ users (
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

-- Fails if another application's table has this name.
/*! DO (SELECT MAX(password_hash) FROM users WHERE disabled_at = 0 AND 1 = 0) */;

-- Decides whether an address is taken. A check before an insert could not.
CREATE UNIQUE INDEX /*M! IF NOT EXISTS */ users_email ON users (email);
