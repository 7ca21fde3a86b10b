-- How an owner wants terms translated.
CREATE TABLE glossaries (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Milliseconds since the epoch.
  created_at INTEGER NOT NULL
);
CREATE INDEX glossaries_by_owner ON glossaries (owner, position);

-- Of a glossary, for one pair of languages (ISO 639-1).
CREATE TABLE glossary_dictionaries (
  glossary_id TEXT NOT NULL,
  source_language TEXT NOT NULL,
  target_language TEXT NOT NULL,
  -- JSON: [[source, target], ...].
  entries TEXT NOT NULL,
  entry_count INTEGER NOT NULL,
  PRIMARY KEY (glossary_id, source_language, target_language)
);
