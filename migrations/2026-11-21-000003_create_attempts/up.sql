-- How often passwords were tried. Times are Unix milliseconds UTC, computed by the application.
CREATE TABLE /*! IF NOT EXISTS */ attempts (
    -- SHA-256 of what is counted for: an account, an address, a device or a session; in lower-case hexadecimal
    id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL PRIMARY KEY,
    -- since the last right password
    failures BIGINT NOT NULL,
    -- nobody may try again before; 0 while attempts are free
    next_at BIGINT NOT NULL,
    -- the last attempt; a day later the row means nothing any more
    last_at BIGINT NOT NULL
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- For deleting what means nothing any more, which would scan the table without it.
CREATE INDEX /*M! IF NOT EXISTS */ attempts_last_at ON attempts (last_at);
