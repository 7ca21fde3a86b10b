-- Who wrote a row: the edge that gave the answer, or, where that was gone, what a runner told. The edge knows better.
ALTER TABLE usage ADD COLUMN written_by TEXT NOT NULL DEFAULT 'edge';
-- Where it was asked for; null for what is older.
ALTER TABLE usage ADD COLUMN route TEXT;
