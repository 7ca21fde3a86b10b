-- What models are trained on, and what comes of a training. The bytes lie in the object store as `files/<id>`. Times are
-- milliseconds. A file that is still being written is not ready: it holds a place in its owner's share.
CREATE TABLE files (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  ready INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX files_by_owner ON files (owner, position);

CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  filename TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Of the file that it becomes, in milliseconds after its making.
  file_lifetime INTEGER,
  status TEXT NOT NULL,
  file_id TEXT
);
CREATE INDEX uploads_by_owner ON uploads (owner);

-- A part's bytes lie in the object store as `uploads/<upload>/<part>`.
CREATE TABLE upload_parts (
  id TEXT PRIMARY KEY,
  upload_id TEXT NOT NULL REFERENCES uploads (id),
  bytes INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  ready INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX upload_parts_by_upload ON upload_parts (upload_id);

-- The list of jobs. Each job's own object knows better; `version` is that of what it told last.
CREATE TABLE training_jobs (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  status TEXT NOT NULL,
  -- What it was made from, for its object, and what the API shows of it: JSON.
  record TEXT NOT NULL,
  job TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
);
CREATE INDEX training_jobs_by_owner ON training_jobs (owner, position);
CREATE INDEX training_jobs_by_status ON training_jobs (status, position);

-- Models that were trained here. What is shown and run is the manifest in the object store.
CREATE TABLE trained_models (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  manifest TEXT NOT NULL
);
CREATE INDEX trained_models_by_owner ON trained_models (owner, position);

-- Which model needs which file, `models/<sha256>`; written before the file is. Two models may have one.
CREATE TABLE model_files (
  model_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (sha256, model_id)
);
CREATE INDEX model_files_by_model ON model_files (model_id);

-- Objects that nothing needs any more, to be taken from the object store. Until one is, nobody writes it anew.
CREATE TABLE doomed_objects (
  key TEXT PRIMARY KEY
);
