-- Browsers in which the owner of an account has signed in. Times are Unix milliseconds UTC, computed by the application.
CREATE TABLE /*! IF NOT EXISTS */ known_devices (
    -- SHA-256 of the cookie, in lower-case hexadecimal
    id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL PRIMARY KEY,
    -- the owner of the account
    user_id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL,
    -- the last sign-in; the row has no meaning half a year later
    seen_at BIGINT NOT NULL
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Finds the devices of a user, of which the newest are kept.
CREATE INDEX /*M! IF NOT EXISTS */ known_devices_user_id ON known_devices (user_id);
-- Finds old rows without a scan of the table.
CREATE INDEX /*M! IF NOT EXISTS */ known_devices_seen_at ON known_devices (seen_at);
