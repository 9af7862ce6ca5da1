-- Erasure (collector/ledger/erasure_commands.ts). The records are the evidence; these rows are what is left to do.
-- One row for each record whose body an erasure record names. state: 0 named, 1 body gone, 2 also gone from the search index.
CREATE TABLE erasure (
  seq INTEGER PRIMARY KEY,
  by_seq INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state IN (0, 1, 2))
) STRICT;
CREATE INDEX erasure_open ON erasure (state) WHERE state < 2;

-- Blobs that erased bodies named, until it is known whether another body names them too.
CREATE TABLE erasure_blob (
  sha256 TEXT PRIMARY KEY,
  type TEXT NOT NULL
) STRICT, WITHOUT ROWID;
