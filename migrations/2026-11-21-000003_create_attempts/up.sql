-- Counts of wrong passwords. Times are Unix milliseconds UTC, computed by the application.
CREATE TABLE /*! IF NOT EXISTS */ attempts (
    -- SHA-256 of an account, an address, a device or a session, in lower-case hexadecimal
    id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL PRIMARY KEY,
    -- since the last right password
    failures BIGINT NOT NULL,
    -- end of the wait; 0 while attempts are free
    next_at BIGINT NOT NULL,
    -- the last attempt; the row has no meaning a day later
    last_at BIGINT NOT NULL
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Finds old rows without a scan of the table.
CREATE INDEX /*M! IF NOT EXISTS */ attempts_last_at ON attempts (last_at);
