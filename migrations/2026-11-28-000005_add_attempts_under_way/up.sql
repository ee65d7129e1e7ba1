-- Attempts whose password is being compared; they are not failures yet. Only MariaDB reads the text after /*M!, because it
-- keeps the column if this migration is interrupted.
ALTER TABLE attempts ADD COLUMN /*M! IF NOT EXISTS */ under_way BIGINT NOT NULL DEFAULT 0;
