-- Records that may name blobs, so that whoever erases one need not read the whole ledger for other uses of it.
CREATE TABLE blob_record (
  seq INTEGER PRIMARY KEY
) STRICT;
INSERT INTO blob_record (seq) SELECT seq FROM record WHERE instr(body, '$blob"') > 0;
