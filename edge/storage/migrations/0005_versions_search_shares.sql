-- A conversation's items are a tree: `parent` is the position of the item before one, null for a first one. What is shown
-- is the path from a first item to `head`. Whoever inserts an item appends it to that path; an item that is put after an
-- earlier one is another version of what came after it, and nothing is lost.
ALTER TABLE conversation_items ADD COLUMN parent INTEGER;
ALTER TABLE conversations ADD COLUMN head INTEGER;
UPDATE conversation_items SET parent = (
  SELECT MAX(earlier.position) FROM conversation_items AS earlier
  WHERE earlier.conversation_id = conversation_items.conversation_id AND earlier.position < conversation_items.position
);
UPDATE conversations SET head = (
  SELECT MAX(position) FROM conversation_items WHERE conversation_id = conversations.id
);
CREATE INDEX conversation_items_by_parent ON conversation_items (conversation_id, parent, position);

CREATE TRIGGER conversation_item_appended AFTER INSERT ON conversation_items BEGIN
  UPDATE conversation_items SET parent = (SELECT head FROM conversations WHERE id = new.conversation_id)
  WHERE position = new.position;
  UPDATE conversations SET head = new.position WHERE id = new.conversation_id;
END;

CREATE TRIGGER conversation_item_removed AFTER DELETE ON conversation_items BEGIN
  UPDATE conversation_items SET parent = old.parent
  WHERE conversation_id = old.conversation_id AND parent = old.position;
  UPDATE conversations SET head = old.parent WHERE id = old.conversation_id AND head = old.position;
  UPDATE shares SET head = old.parent WHERE conversation_id = old.conversation_id AND head = old.position;
END;

-- Where a branch was made from.
ALTER TABLE conversations ADD COLUMN branched_from TEXT REFERENCES conversations (id) ON DELETE SET NULL;
ALTER TABLE conversations ADD COLUMN branched_at TEXT;
CREATE INDEX conversations_by_origin ON conversations (branched_from);

-- Links to what a conversation was when it was shared. A token is kept as its SHA-256.
CREATE TABLE shares (
  id TEXT PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  token_hash TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  head INTEGER,
  created_at INTEGER NOT NULL
);
CREATE INDEX shares_by_conversation ON shares (conversation_id, created_at);

-- What can be found: a conversation's title (no item) and the text of each item. The index keeps no text of its own.
CREATE TABLE search_documents (
  id INTEGER PRIMARY KEY,
  conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
  item_id TEXT REFERENCES conversation_items (id) ON DELETE CASCADE
);
CREATE INDEX search_documents_by_conversation ON search_documents (conversation_id);
CREATE INDEX search_documents_by_item ON search_documents (item_id);
CREATE VIRTUAL TABLE search_index USING fts5(
  text, content = '', contentless_delete = 1, tokenize = 'trigram remove_diacritics 1'
);

INSERT INTO search_documents (conversation_id) SELECT id FROM conversations;
INSERT INTO search_documents (conversation_id, item_id) SELECT conversation_id, id FROM conversation_items;
INSERT INTO search_index (rowid, text)
  SELECT document.id, COALESCE(json_extract(conversation.metadata, '$.title'), '')
  FROM search_documents AS document JOIN conversations AS conversation ON conversation.id = document.conversation_id
  WHERE document.item_id IS NULL;
INSERT INTO search_index (rowid, text)
  SELECT document.id, (SELECT group_concat(json_extract(value, '$.text'), ' ') FROM json_each(item.content))
  FROM search_documents AS document JOIN conversation_items AS item ON item.id = document.item_id;

CREATE TRIGGER conversation_findable AFTER INSERT ON conversations BEGIN
  INSERT INTO search_documents (conversation_id) VALUES (new.id);
  INSERT INTO search_index (rowid, text)
    SELECT id, COALESCE(json_extract(new.metadata, '$.title'), '') FROM search_documents
    WHERE conversation_id = new.id AND item_id IS NULL;
END;

CREATE TRIGGER conversation_renamed AFTER UPDATE OF metadata ON conversations BEGIN
  UPDATE search_index SET text = COALESCE(json_extract(new.metadata, '$.title'), '')
  WHERE rowid = (SELECT id FROM search_documents WHERE conversation_id = new.id AND item_id IS NULL);
END;

CREATE TRIGGER conversation_item_findable AFTER INSERT ON conversation_items BEGIN
  INSERT INTO search_documents (conversation_id, item_id) VALUES (new.conversation_id, new.id);
  INSERT INTO search_index (rowid, text)
    SELECT id, (SELECT group_concat(json_extract(value, '$.text'), ' ') FROM json_each(new.content))
    FROM search_documents WHERE item_id = new.id;
END;

CREATE TRIGGER search_document_removed AFTER DELETE ON search_documents BEGIN
  DELETE FROM search_index WHERE rowid = old.id;
END;
