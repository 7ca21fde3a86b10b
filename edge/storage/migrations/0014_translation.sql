-- Characters that an owner has had translated, by month (UTC), as DeepL counts them.
CREATE TABLE translated_characters (
  owner TEXT NOT NULL,
  month TEXT NOT NULL,
  characters INTEGER NOT NULL,
  PRIMARY KEY (owner, month)
);
