-- A response that answers in a conversation. One at a time: the next waits for the end of the one before.
CREATE TABLE turns (
  response_id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  -- Position of the item that is answered.
  asked_at INTEGER,
  ended_at INTEGER
);

CREATE UNIQUE INDEX turns_in_progress ON turns (conversation_id) WHERE ended_at IS NULL;
