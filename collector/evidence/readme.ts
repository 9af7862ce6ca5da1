/**
 * README-VERIFY.txt: how anyone checks a pack with stock tools. Lines that start with "    $ " are commands; a test
 * extracts them from a pack and runs them.
 */

export type ReadmeFacts = {
  readonly ledgerId: string;
  /** Where the ledger continues from a backup: which ledger it was, and what may be lost. */
  readonly restored?: string;
  readonly tenantId: string;
  readonly appId: string;
  readonly from: string;
  readonly to: string;
  readonly events: number;
  readonly size: number;
  /** Of the checkpoint's key: 8 hex characters. */
  readonly logId: string;
  /** What a reader should know of how whole the records are, in sentences. */
  readonly facts: readonly string[];
  /** Who issued the signing certificate; absent where it is self-made. */
  readonly issuer?: string;
};

const COLUMNS = 84;

/** Lines of at most so many columns, broken at spaces; none begins with one. */
const wrapped = (text: string): string =>
  text
    .split(/\s+/)
    .reduce<string[]>((lines, word) => {
      const last = lines.at(-1);
      if (last !== undefined && last.length + 1 + word.length <= COLUMNS)
        lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(word);
      return lines;
    }, [])
    .join('\n');

/** Seconds since 1970 that the stamp gives, by openssl and GNU date. */
const STAMPED =
  '"$(date -u -d "$(openssl ts -reply -in META-INF/checksums.tsr -text 2>/dev/null | sed -n \'s/^Time stamp: //p\')" +%s)"';
const CMS_COMMAND =
  'openssl cms -verify -binary -inform DER -in META-INF/checksums.p7s -content checksums.txt -CAfile org.pem -purpose any';

export const readmeText = (facts: ReadmeFacts): string => `HOW TO VERIFY THIS EVIDENCE PACK
================================

App            ${facts.appId}
Received       ${facts.from}
          to   ${facts.to}
Records        ${facts.events}
Ledger         ${facts.ledgerId} (tenant ${facts.tenantId})
Checkpoint     covers ${facts.size} records of that ledger
${facts.restored === undefined ? '' : `\n${wrapped(`This ledger continues from a backup. ${facts.restored}`)}\n`}
You need: this folder as unzipped, sha256sum (coreutils) and openssl 3.
You also need two files that must NOT come with the pack. Ask the one who runs the
collector for the output of "trailmix keys trust --out DIR", by a way that you trust:

    org.pem               the certificate that signs packs, or the root above it
    log-${facts.logId}.pem      the key that signs checkpoints

Put both beside this file, open a terminal here, and run the commands after each $.


1. Is every file as it was signed?

    $ sha256sum -c checksums.txt

   Every line must end in OK. This compares each file with its SHA-256 in checksums.txt.
   (macOS: shasum -a 256 -c checksums.txt)

2. Is there a file that nobody signed?

    $ find . -type f | sed 's|^\\./||' | LC_ALL=C sort | awk 'NR == FNR { named[substr($0, 67)]; next } !($0 in named)' checksums.txt -

   It must list only checksums.txt, mimetype, org.pem, log-${facts.logId}.pem and, in META-INF,
   checksums.p7s, ASiCManifest001.xml and signature001.p7s (and, once the pack is stamped,
   checksums.tsr, tsa-chain.pem and your tsa-root.pem). Anything else was added and
   proves nothing.

3. Who signed checksums.txt?

    $ ${CMS_COMMAND} -out /dev/null

   It must say "CMS Verification successful" (OpenSSL 3.0: "Verification successful").
   With step 1 it shows that the holder of that certificate's key signed every file here.

4. Did the ledger sign its checkpoint?

    $ openssl pkeyutl -verify -rawin -pubin -inkey log-${facts.logId}.pem -in checkpoint.body -sigfile checkpoint.sig

   It must say "Signature Verified Successfully". checkpoint.body holds the ledger's
   name, the number of its records and the root of the tree over all of them.


5. Who dated it? (Only where META-INF/checksums.tsr is here: a pack can be stamped later.)

   Get the root certificate of the time-stamping authority from the authority itself and put
   it beside this file as tsa-root.pem.

    $ openssl ts -verify -data checksums.txt -in META-INF/checksums.tsr -CAfile tsa-root.pem -untrusted META-INF/tsa-chain.pem -attime ${STAMPED}

   It must say "Verification: OK". The time: openssl ts -reply -in META-INF/checksums.tsr -text
   Step 3 again, as of that time: it holds also after the certificate has expired.

    $ ${CMS_COMMAND} -attime ${STAMPED} -out /dev/null

   (macOS has no date -d: give the seconds since 1970 of that time after -attime.)


What these steps show, and what they do not

They show that the files are those that were signed, by whom, that the ledger's key signed
the tree's root and, where the pack is stamped, that all this was there at that time. They do not recompute the hashes of records, their signatures, the
tree, the scope or the approvals. For that use the verifier, which needs no network:

    trailmix verify PACK.zip --trust DIR
    node trailmix-verify.mjs PACK.zip --trust DIR        one file, for plain Node 22 or newer
    trailmix-verify.html                                 the same as a page: open it from disk

(get these from a place that you trust, for example a TrailMix of your own:
Evidence > Verify), or another verifier written from the specification (docs/spec/pack.md of Audit TrailMix).

Until it is stamped, all times of the pack are the collector's own (the verifier says
"time: not shown").
${wrapped(
  facts.issuer === undefined
    ? 'The certificate is self-made: it is as good as the way by which org.pem reached you.'
    : `The certificate was issued by ${facts.issuer}.`,
)}
The file is also an ASiC-E container with a CAdES signature (ETSI EN 319 162-1): tools for
electronic signatures open it as it is. The pack claims that it holds every record of this app
that the collector received in this window. It says nothing about what was never sent.


How whole the records are

The questions that were put to the records, with their results (queries.jsonl; the verifier asks
them again). These are facts, not faults.

${facts.facts.map(fact => wrapped(`- ${fact}`).replaceAll('\n', '\n  ')).join('\n')}


What is in this folder

events.jsonl              every record of the scope, one JSON object a line
extras.jsonl              records from outside the scope that these rest on
heads.jsonl               the record before and the one after the scope
approvals.jsonl           each approval: question, answers, use, outcome
evals.jsonl               each eval of a record
queries.jsonl             which records the scope is, and how whole they are
policies.json policies/   the policies in force, with their sources
blobs/                    large values that records name by hash
checkpoint.*              the signed checkpoint, its text and its signature
proofs/ consistency/      what leads from the records, and older checkpoints, to the root
keys/                     public keys that the records name (not a source of trust)
summary.pdf               the same for reading; the records decide, not the summary
manifest.json             scope, checkpoint and every file with its hash
`;
