-- Browsers in which the owner of an account has signed in. Times are Unix milliseconds UTC, computed by the application.
CREATE TABLE /*! IF NOT EXISTS */ known_devices (
    -- SHA-256 of the cookie, in lower-case hexadecimal
    id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL PRIMARY KEY,
    -- whose account it is
    user_id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL,
    -- the last sign-in; half a year later the row means nothing any more
    seen_at BIGINT NOT NULL
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- For a user's devices, of which the newest are kept.
CREATE INDEX /*M! IF NOT EXISTS */ known_devices_user_id ON known_devices (user_id);
-- For deleting what means nothing any more, which would scan the table without it.
CREATE INDEX /*M! IF NOT EXISTS */ known_devices_seen_at ON known_devices (seen_at);
