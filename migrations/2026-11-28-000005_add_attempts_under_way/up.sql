-- Attempts whose password is compared now; they are no failures yet. MariaDB alone reads what /*M! begins, since it keeps
-- the column if this migration is interrupted.
ALTER TABLE attempts ADD COLUMN /*M! IF NOT EXISTS */ under_way BIGINT NOT NULL DEFAULT 0;
