-- Times are milliseconds since the epoch. Metadata and content are JSON.
CREATE TABLE conversations (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  metadata TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);

CREATE INDEX conversations_by_activity ON conversations (owner, updated_at, id);

CREATE TABLE conversation_items (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  status TEXT NOT NULL,
  content TEXT NOT NULL,
  created_at INTEGER NOT NULL
);

CREATE INDEX conversation_items_in_order ON conversation_items (conversation_id, position);

-- What a POST with an Idempotency-Key answered, for a day.
CREATE TABLE idempotent_answers (
  owner TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (owner, idempotency_key)
);

CREATE INDEX idempotent_answers_by_age ON idempotent_answers (created_at);
