-- One row per session. Times are Unix milliseconds UTC, computed by the application. Each statement can be run again, and
-- keeps a table that session.create_table has created. Only MariaDB and MySQL read the text between /*! and */, and only
-- MySQL the text between /*!50700 and */.
CREATE TABLE IF NOT EXISTS sessions (
    -- SHA-256 of the browser's token, in lower-case hexadecimal
    id VARCHAR(64) /*! CHARACTER SET ascii COLLATE ascii_bin */ NOT NULL PRIMARY KEY,
    -- the signed-in user, or NULL. Binary, because MariaDB's text columns take 'ada ' for 'ada'
    user_id VARCHAR(64) /*! CHARACTER SET binary */,
    -- the session's values, one JSON object; the length makes it a MEDIUMTEXT on MariaDB and MySQL
    data TEXT/*!(1000000)*/ NOT NULL,
    -- every update compares this number and changes it
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- last use, exact to one touch interval
    seen_at BIGINT NOT NULL,
    -- end of the idle timeout
    expires_at BIGINT NOT NULL,
    -- end of the absolute timeout
    deadline BIGINT NOT NULL,
    -- for the list of a user's devices
    user_agent VARCHAR(255),
    ip VARCHAR(45)
    -- here, because MySQL has no CREATE INDEX IF NOT EXISTS
    /*!50700 , KEY sessions_user_id (user_id), KEY sessions_expires_at (expires_at) */
) /*! ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin */;

-- Fails if another application's table has this name.
/*! DO ( */ SELECT MAX(deadline) FROM sessions WHERE version = 0 AND 1 = 0 /*! ) */;

-- For MySQL, each of the next statements is only a quoted text.
-- For a user's sessions: to list them, and to end them.
/*!50700 DO ' */ CREATE INDEX IF NOT EXISTS sessions_user_id ON sessions (user_id) /*!50700 ' */;
-- Finds expired rows without a scan of the table.
/*!50700 DO ' */ CREATE INDEX IF NOT EXISTS sessions_expires_at ON sessions (expires_at) /*!50700 ' */;
