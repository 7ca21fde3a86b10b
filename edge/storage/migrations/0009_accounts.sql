-- Limits of a key as JSON; null for none.
ALTER TABLE keys ADD COLUMN limits TEXT;

-- What was generated, for whom. One row for each generation, written when it has ended; times are milliseconds.
CREATE TABLE usage (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  key_id TEXT,
  model TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  cached_tokens INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  outcome TEXT NOT NULL
);

CREATE INDEX usage_by_owner ON usage (owner, started_at);
CREATE INDEX usage_by_time ON usage (started_at);
