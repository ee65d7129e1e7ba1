ALTER TABLE attempts DROP COLUMN under_way;
