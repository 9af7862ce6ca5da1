#!/usr/bin/env python3
"""A second verifier of evidence packs, written from docs/spec alone, to hold the first one to it.

Use: verify.py PACK.zip [--trust DIR] [--since OLD.zip] [--now MILLISECONDS]   Needs Python 3.9 and `cryptography`.
Prints {"verdicts": {...}, "findings": [{"code", "where"}]} or {"refused": why}; exits as `trailmix verify` does.
It holds a pack in memory, has no ML-DSA, and judges of the figures of summary.pdf only their totals. The rules are named by the file of docs/spec they are in.
"""
import base64, calendar, hashlib, hmac, json, re, struct, sys, time, zlib
from datetime import datetime, timedelta
from pathlib import Path
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LEVELS = json.loads((Path(__file__).parents[2] / 'docs/spec/findings.json').read_text())
FOUND = []
HEX64 = re.compile(r'[0-9a-f]{64}')
TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z')

def add(code, where=''): FOUND.append({'code': code, 'where': where})
def sha(data): return hashlib.sha256(data).digest()
def shex(data): return hashlib.sha256(data).hexdigest()
def obj(value): return value if isinstance(value, dict) else {}
def text(value): return value if isinstance(value, str) else ''
def is_int(value, least=0): return type(value) is int and least <= value < 2 ** 53
def is_hash(value): return isinstance(value, str) and HEX64.fullmatch(value) is not None

class NoPack(Exception): pass
class Wrong(Exception): pass

def need(holds, what='', error=Wrong):
    if not holds: raise error(what)

def b64(value, size=None):
    """Strict base64; ValueError for any other spelling."""
    if not isinstance(value, str): raise ValueError('no text')
    data = base64.b64decode(value, validate=True)
    if base64.b64encode(data).decode() != value or size not in (None, len(data)): raise ValueError('not canonical')
    return data

def maybe_b64(value, size):
    try: return b64(value, size)
    except ValueError: return None

def ed25519(key, message, signature):
    try: Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError): return False
    return True

def valid_time(value):
    if not isinstance(value, str) or not TIME.fullmatch(value, 0): return False
    try: datetime.strptime(('2' + value[1:19]) if value < '0001' else value[:19], '%Y-%m-%dT%H:%M:%S')
    except ValueError: return False
    return value[17:19] <= '59' and value.isascii()

# --- ledger.md, Canonical JSON

def number(x):
    if type(x) is int: return str(x)
    if x == 0: return '0'
    mantissa, _, exponent = repr(x).partition('e')
    sign = '-' if mantissa[0] == '-' else ''
    whole, _, part = mantissa.lstrip('-').partition('.')
    digits, point = (whole + ('' if part == '0' else part)).lstrip('0'), len(whole) + int(exponent or 0)
    if whole.strip('0') == '': point -= len(whole) + len(part) - len(part.lstrip('0'))
    digits = digits.rstrip('0')
    if 0 < point <= 21: return sign + (digits.ljust(point, '0') if len(digits) <= point else digits[:point] + '.' + digits[point:])
    if -6 < point <= 0: return sign + '0.' + '0' * -point + digits
    return sign + digits[0] + ('.' + digits[1:] if len(digits) > 1 else '') + 'e' + ('+' if point > 0 else '-') + str(abs(point - 1))

def jcs(value):
    if value is None: return 'null'
    if isinstance(value, bool): return 'true' if value else 'false'
    if isinstance(value, (int, float)): return number(value)
    if isinstance(value, str):
        value.encode()
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)): return '[' + ','.join(map(jcs, value)) + ']'
    return '{' + ','.join(jcs(k) + ':' + jcs(value[k]) for k in sorted(value, key=lambda k: k.encode('utf-16-be', 'surrogatepass'))) + '}'

def no_constant(_): raise ValueError('not JSON')
def parse_int(digits):
    value = int(digits) if len(digits) < 400 else float('inf')
    return value if abs(value) < 2 ** 53 else float(value)
def parse_json(line): return json.loads(line, parse_constant=no_constant, parse_int=parse_int)

def canonical(data):
    """Value of bytes that are canonical JSON. Wrong for anything else."""
    try:
        line = data.decode()
        value = parse_json(line)
        need(jcs(value) == line, 'not canonical JSON')
        return value
    except (ValueError, RecursionError, OverflowError) as error: raise Wrong(str(error)) from error

def jhash(value): return shex(jcs(value).encode())

# --- pack.md, Zip

NAME = re.compile(r'[A-Za-z0-9._/-]{1,512}')
def name_ok(name): return NAME.fullmatch(name) is not None and all(s not in ('', '.', '..') for s in name.split('/'))

def read_zip(data):
    def no(holds, what): need(holds, what, NoPack)
    no(len(data) >= 22, 'too short')
    stop = len(data) - 22
    sig, disk, disk2, here, count, size, start, comment = struct.unpack('<IHHHHIIH', data[stop:])
    no(sig == 0x06054b50 and disk == disk2 == comment == 0 and here == count, 'end record')
    if count == 0xffff or 0xffffffff in (size, start):
        no(stop >= 76, 'zip64')
        r = struct.unpack('<IQHHIIQQQQ', data[stop - 76:stop - 20])
        no(r[:2] == (0x06064b50, 44) and r[4] == r[5] == 0 and r[6] == r[7], 'zip64 record')
        no((count, size, start) == (min(r[7], 0xffff), min(r[8], 0xffffffff), min(r[9], 0xffffffff)), 'zip64 differs')
        no(struct.unpack('<IIQI', data[stop - 20:stop]) == (0x07064b50, 0, stop - 76, 1), 'zip64 locator')
        (count, size, start), stop = r[7:], stop - 76
    no(start + size == stop and count <= 100_000 and size <= count * 1024, 'layout of the directory')
    at, place, total, entries, seen = start, 0, 0, {}, set()
    for _ in range(count):
        no(at + 46 <= stop, 'directory ends early')
        (sig, _made, *fixed, crc, packed, length, n, x, c, disk, internal, external, offset) = struct.unpack('<IHHHHHHIIIHHHHHII', data[at:at + 46])
        no(sig == 0x02014b50 and c == disk == 0 and internal <= 1 and at + 46 + n + x <= stop, 'directory entry')
        raw, extra = data[at + 46:at + 46 + n], data[at + 46 + n:at + 46 + n + x]
        name = raw.decode('latin-1')
        no(name_ok(name), 'name'); no(name.lower() not in seen, 'twice'); seen.add(name.lower())
        no(fixed[1] & ~0x800 == 0 and fixed[2] in (0, 8), 'flags or method')
        no(external >> 28 in (0, 8) and external & 0x18 == 0, 'no plain file')
        wide, far = 0xffffffff in (packed, length), offset == 0xffffffff
        want = 16 * wide + 8 * far
        no(x == (want + 4 if want else 0), 'extra fields')
        if want:
            tag, held, *values = struct.unpack('<HH' + 'Q' * (want // 8), extra)
            no((tag, held) == (1, want), 'extra fields')
            if wide: no(packed == length == 0xffffffff, 'half a zip64 size'); length, packed = values[:2]
            if far: offset = values[-1]; no(offset >= 0xffffffff, 'zip64 offset')
        no(fixed[2] == 8 or packed == length, 'stored with two sizes')
        total += length
        no(offset == place and length <= 2 ** 40 and total <= 2 ** 41 and length <= 2 ** 20 + packed * 200, 'layout, size or ratio')
        local = struct.pack('<I5H3I2H', 0x04034b50, *fixed, crc, *((0xffffffff,) * 2 if wide else (packed, length)), n, 20 * wide) + raw
        if wide: local += struct.pack('<HHQQ', 1, 16, length, packed)
        no(data[offset:offset + len(local)] == local, 'the two headers disagree')
        place = offset + len(local) + packed
        no(place <= start, 'reaches beyond its place')
        entries[name] = (fixed[2] == 8, data[place - packed:place], length, crc)
        at += 46 + n + x
    no(at == stop and place == start, 'something between')
    return entries

class Files:
    def __init__(self, data): self.entries, self.known = read_zip(data), {}
    def has(self, path): return path in self.entries
    def size(self, path): return self.entries[path][2]
    def read(self, path):
        if path not in self.entries: return None
        if path not in self.known:
            deflated, raw, size, crc = self.entries[path]
            if deflated:
                inflate = zlib.decompressobj(-15)
                try: data = inflate.decompress(raw, size + 1)
                except zlib.error: data = None
                if not inflate.eof or inflate.unused_data: data = None
            else: data = raw
            if data is not None and (len(data) != size or zlib.crc32(data) != crc): data = None
            if data is None: add('file_damaged', path)
            self.known[path] = data
        return self.known[path]
    def lines(self, path):
        """Lines as text up to the first that cannot be read; adds line_form for that one."""
        parts = (self.read(path) or b'').split(b'\n')
        for i, part in enumerate(parts):
            if i == len(parts) - 1 and part == b'': return
            try:
                need(i < len(parts) - 1 and len(part) <= 2 ** 20)
                yield i + 1, part.decode()
            except (ValueError, Wrong): return add('line_form', f'{path}:{i + 1}')

# --- pack.md, manifest.json and checksums.txt

ROLES = {'events.jsonl': 'events', 'extras.jsonl': 'extras', 'heads.jsonl': 'heads', 'policies.json': 'policies', 'proofs/multiproof.jsonl': 'proof',
         'summary.pdf': 'summary', 'README-VERIFY.txt': 'readme', **{f'{n}.jsonl': 'derived' for n in ('approvals', 'replays', 'evals', 'queries', 'disclosures')},
         **{f'checkpoint.{n}': 'checkpoint' for n in ('note', 'body', 'sig')}}
FORMS = {r'blobs/[0-9a-f]{64}': 'blob', r'policies/[0-9a-f]{64}/\d{1,6}\.(rego|json)': 'policy', r'(epochs/[0-9a-f]{32}/)?consistency/\d{1,16}-\d{1,16}': 'consistency', r'epochs/[0-9a-f]{32}/keys\.jsonl': 'epoch',
         r'anchors/\d{1,16}\.(note|body|tsr)': 'anchor', r'keys/[0-9a-f]{64}\.pem': 'key'}
META = ['mimetype'] + ['META-INF/' + n for n in ('checksums.p7s', 'ASiCManifest001.xml', 'signature001.p7s', 'checksums.tsr', 'tsa-chain.pem', 'cosignatures.note')]
def role_of(path): return ROLES.get(path) or next((role for form, role in FORMS.items() if re.fullmatch(form, path, re.A)), None)

def exact(value, *names):
    need(isinstance(value, dict) and sorted(value) == sorted(names), f'not exactly {names}')
    return value

def parse_manifest(data):
    m = exact(canonical(data), 'v', 'ledger_id', 'tenant_id', 'app_id', 'scope', 'checkpoint', 'include', 'files', 'withheld')
    def form(value, pattern): return isinstance(value, str) and len(value) <= 1024 and re.fullmatch(pattern, value, re.S | re.A) is not None
    need(m['v'] == 1 and is_int(m['v']) and form(m['ledger_id'], '[0-9a-f]{32}') and form(m['tenant_id'], '[a-z0-9-]{1,64}') and form(m['app_id'], '.{1,256}'))
    s = exact(m['scope'], 'by', 'requested', 'from', 'to', 'first_app_seq', 'last_app_seq')
    r = exact(s['requested'], 'from', 'to')
    need(s['by'] in ('received_at', 'ts', 'session') and form(r['from'], '.*') and form(r['to'], '.*'))
    need(all(form(s[n], r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z') for n in ('from', 'to')))
    need(is_int(s['first_app_seq'], 1) and is_int(s['last_app_seq']) and s['last_app_seq'] >= s['first_app_seq'] - 1)
    c = exact(m['checkpoint'], 'size', 'root')
    need(is_int(c['size']) and is_hash(c['root']))
    need(isinstance(m['include'], list) and all(w in ('approvals', 'evals', 'policies', 'traces') for w in m['include']) and m['include'] == sorted(set(m['include'])))
    need(isinstance(m['files'], list) and isinstance(m['withheld'], list))
    for f in m['files']:
        exact(f, 'path', 'sha256', 'bytes', 'role')
        need(isinstance(f['path'], str) and name_ok(f['path']) and is_hash(f['sha256']) and is_int(f['bytes']) and role_of(f['path']) == f['role'] is not None)
    need([f['path'] for f in m['files']] == sorted({f['path'] for f in m['files']}))
    for w in m['withheld']: need(is_int(exact(w, 'seq', 'hash_self', 'reason')['seq']) and is_hash(w['hash_self']) and form(w['reason'], '.*'))
    return m

def parse_checksums(data):
    rows = [re.fullmatch(r'([0-9a-f]{64})  ([A-Za-z0-9._/-]+)', line) for line in data.decode('latin-1').split('\n')[:-1]]
    need(rows and data.endswith(b'\n') and all(row and name_ok(row[2]) for row in rows))
    paths = [row[2] for row in rows]
    need(paths == sorted(set(paths)))
    return {row[2]: row[1] for row in rows}

def reading(code, where, read, data):
    if data is None: return None
    try: return read(data)
    except Wrong: return add(code, where)

def check_names(files, manifest, sums):
    for path in files.entries:
        if path not in sums and path != 'checksums.txt' and path not in META: add('file_unlisted', path)
    for path in sums:
        if not files.has(path): add('file_missing', path)
        if path != 'manifest.json' and role_of(path) is None: add('file_role_wrong', path)
    if 'manifest.json' not in sums: add('manifest_disagrees', 'checksums.txt')
    if manifest is not None:
        listed = {f['path']: f for f in manifest['files']}
        for path, digest in sums.items():
            if path != 'manifest.json' and obj(listed.get(path)).get('sha256') != digest: add('manifest_disagrees', path)
        for path, f in listed.items():
            if path not in sums: add('manifest_disagrees', path)
            elif files.has(path) and files.size(path) != f['bytes']: add('file_hash_wrong', path)
        for path in ROLES:
            if path not in listed: add('file_missing', path)
    for path, digest in sums.items():
        data = files.read(path)
        if data is not None and shex(data) != digest: add('file_hash_wrong', path)

# --- pack.md, Signatures, Container, Certificates, Time: just enough DER

def tlv(tag, *parts):
    body = b''.join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([128 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return bytes([tag]) + size + body

def der(data, at=0):
    """(tag, content, whole, end) of the value at `at`."""
    need(at + 2 <= len(data), 'DER')
    tag, n, begin = data[at], data[at + 1], at + 2
    if n >= 128:
        begin += n - 128
        n = int.from_bytes(data[at + 2:begin], 'big')
    need(tag & 31 != 31 and data[at + 1] not in (128, 255) and begin + n <= len(data), 'DER')
    return tag, data[begin:begin + n], data[at:begin + n], begin + n

def items(content):
    found, at = [], 0
    while at < len(content):
        value = der(content, at)
        found.append(value)
        at = value[3]
    return found

def oid(dotted):
    first, second, *rest = map(int, dotted.split('.'))
    out = b''
    for n in [40 * first + second, *rest]:
        part = bytes([n & 127])
        while n := n >> 7: part = bytes([128 | n & 127]) + part
        out += part
    return tlv(6, out)

SIGNED, DATA, TST = oid('1.2.840.113549.1.7.2'), oid('1.2.840.113549.1.7.1'), oid('1.2.840.113549.1.9.16.1.4')
TYPE, DIGEST, WHEN, CERT2, CERT1, STAMP = (oid('1.2.840.113549.1.9.' + n) for n in ('3', '4', '5', '16.2.47', '16.2.12', '16.2.14'))
SHA256 = oid('2.16.840.1.101.3.4.2.1')
HASHES = {SHA256: hashes.SHA256(), oid('2.16.840.1.101.3.4.2.2'): hashes.SHA384(), oid('2.16.840.1.101.3.4.2.3'): hashes.SHA512()}
def digest_by(algorithm, data):
    h = hashes.Hash(algorithm)
    h.update(data)
    return h.finalize()

def pem_certificates(data): return x509.load_pem_x509_certificates(data) if data and b'BEGIN CERTIFICATE' in data else []
def cert_sha(certificate): return certificate.fingerprint(hashes.SHA256())
def ms(when): return calendar.timegm(when.timetuple()) * 1000
def valid_at(c, at): return ms(c.not_valid_before_utc) <= at <= ms(c.not_valid_after_utc)
def extension(c, kind):
    try: return c.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound: return None

def key_signed(key, signature, message, algorithm):
    try:
        if isinstance(key, rsa.RSAPublicKey): key.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey): key.verify(signature, message, ec.ECDSA(algorithm))
        else: return False
    except InvalidSignature: return False
    return True

def issued(child, issuer):
    if not isinstance(child.signature_hash_algorithm, (hashes.SHA256, hashes.SHA384, hashes.SHA512)): return False
    try: child.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError): return False
    return True

UNDERSTOOD = ('2.5.29.15', '2.5.29.19', '2.5.29.37', '2.5.29.17', '2.5.29.32', '2.5.29.14', '2.5.29.35')
def strange(c): return any((e.critical and e.oid.dotted_string not in UNDERSTOOD) or e.oid.dotted_string == '2.5.29.30' for e in c.extensions)

def chain(leaf, others, trusted, at):
    roots = {cert_sha(c) for c in trusted}
    if cert_sha(leaf) in roots: return [leaf]
    if strange(leaf) or not valid_at(leaf, at): return None
    def walk(path):
        last = path[-1]
        if cert_sha(last) in roots: return path
        if len(path) >= 8: return None
        for c in trusted + others:
            basic, usage = extension(c, x509.BasicConstraints), extension(c, x509.KeyUsage)
            if c.subject.public_bytes() != last.issuer.public_bytes() or cert_sha(c) in map(cert_sha, path): continue
            below = sum(one.subject != one.issuer for one in path[1:])
            if not basic or not basic.value.ca or (usage and not usage.value.key_cert_sign) or strange(c) or not valid_at(c, at): continue
            if basic.value.path_length is not None and basic.value.path_length < below or not issued(last, c): continue
            whole = walk(path + [c])
            if whole: return whole
        return None
    return walk([leaf])

def parse_cms(data):
    """Parts of a signature that is byte for byte what its parts make. Wrong for anything else."""
    content = items(items(items(der(data)[1])[1][1])[0][1])
    held = [x509.load_der_x509_certificate(c[2]) for c in items(content[3][1])]
    info = items(items(content[4][1])[0][1])
    signer = next((c for c in held if tlv(48, c.issuer.public_bytes(), tlv(2, c.serial_number.to_bytes(c.serial_number.bit_length() // 8 + 1, 'big'))) == info[1][2]), None)
    need(signer is not None, 'no certificate')
    values = {items(a[1])[0][2]: items(items(a[1])[1][1])[0] for part in (info[3], *info[6:7]) for a in items(part[1])}
    old, is_rsa, stamp = CERT2 not in values, isinstance(signer.public_key(), rsa.RSAPublicKey), values.get(STAMP)
    def attribute(kind, value): return tlv(48, kind, tlv(49, value))
    signed = [attribute(TYPE, DATA), attribute(WHEN, tlv(23, values[WHEN][1])), attribute(DIGEST, tlv(4, values[DIGEST][1]))]
    if not old: signed.append(attribute(CERT2, tlv(48, tlv(48, tlv(48, tlv(4, cert_sha(signer)))))))
    body = b''.join(sorted(signed))
    algorithm = tlv(48, oid('1.2.840.113549.1.1.1' if old else '1.2.840.113549.1.1.11'), b'\5\0') if is_rsa else tlv(48, oid('1.2.840.10045.4.3.2'))
    sha256 = tlv(48, SHA256, b'\5\0')
    made = tlv(48, tlv(2, b'\1'), info[1][2], sha256, tlv(0xa0, body), algorithm, tlv(4, info[5][1]),
               *([tlv(0xa1, attribute(STAMP, stamp[2]))] if stamp else []))
    certificates = tlv(0xa0, *sorted(c.public_bytes(serialization.Encoding.DER) for c in held))
    need(tlv(48, SIGNED, tlv(0xa0, tlv(48, tlv(2, b'\1'), tlv(49, sha256), tlv(48, DATA), certificates, tlv(49, made)))) == data, 'another form')
    return signer, held, tlv(49, body), info[5][1], values, old, stamp and stamp[2]

def check_cms(data, content):
    """(signer, others, signing time, value, stamp) of a good signature over the content, or None."""
    try:
        signer, held, signed, value, values, old, stamp = parse_cms(data)
        key, usage = signer.public_key(), extension(signer, x509.KeyUsage)
        strong = key.key_size >= 3072 if isinstance(key, rsa.RSAPublicKey) else isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in ('secp256r1', 'secp384r1')
        need(strong and values[DIGEST][1] == sha(content) and key_signed(key, value, signed, hashes.SHA256()))
        need(not usage or usage.value.digital_signature or usage.value.content_commitment)
        need(not old or (signer.issuer == signer.subject and issued(signer, signer)))
        return signer, held, ms(datetime.strptime(values[WHEN][1].decode(), '%y%m%d%H%M%SZ')), value, stamp
    except (Wrong, ValueError, KeyError, IndexError, TypeError): return None

def check_stamp(data, digest, where, roots, more):
    """Time (ms) that a good and trusted stamp gives, else None; adds what is wrong with it."""
    def fail(code): raise NoPack(code)
    try:
        try:
            outer = items(der(data)[1])
            need(der(data)[3] == len(data))
            if outer[0][2] != SIGNED:
                need(items(outer[0][1])[0][1][0] <= 1)
                outer = items(outer[1][1])
            content = items(items(outer[1][1])[0][1])
            encapsulated, info = items(content[2][1]), items(content[-1][1])
            need(encapsulated[0][2] == TST and len(info) == 1)
            inside = items(encapsulated[1][1])[0][1]
            tst = items(der(inside)[1])
            held = [x509.load_der_x509_certificate(c[2]) for part in content if part[0] == 0xa0 for c in items(part[1]) if c[0] == 48]
            info = items(info[0][1])
            algorithm = HASHES[items(info[2][1])[0][2]]
            values = {items(a[1])[0][2]: items(items(a[1])[1][1])[0] for a in items(info[3][1])}
            need(info[3][0] == 0xa0 and DIGEST in values and TYPE in values)
            first = items(items(items((values.get(CERT2) or values[CERT1])[1])[0][1])[0][1])
            explicit = CERT2 in values and first[0][0] == 48
            by = hashes.SHA1() if CERT2 not in values else HASHES[items(first[0][1])[0][2]] if explicit else hashes.SHA256()
            signer = next((c for c in held if c.fingerprint(by) == first[1 if explicit else 0][1]), None)
            need(signer is not None)
            when = re.fullmatch(r'(\d{14})(\.\d+)?Z', tst[4][1].decode())
            at = ms(datetime.strptime(when[1], '%Y%m%d%H%M%S')) + int(float(when[2] or 0) * 1000)
        except (Wrong, ValueError, KeyError, IndexError, TypeError): fail('timestamp_form')
        if values[TYPE][2] != TST or values[DIGEST][1] != digest_by(algorithm, inside): fail('timestamp_signature_wrong')
        if not key_signed(signer.public_key(), info[5][1], tlv(49, info[3][1]), algorithm): fail('timestamp_signature_wrong')
        imprint = items(tst[2][1])
        if items(imprint[0][1])[0][2] != SHA256 or imprint[1][1] != digest: fail('timestamp_wrong')
        usage = extension(signer, x509.ExtendedKeyUsage)
        if not usage or not usage.critical or [u.dotted_string for u in usage.value] != ['1.3.6.1.5.5.7.3.8']: fail('timestamp_purpose_wrong')
        if not valid_at(signer, at): fail('timestamp_expired')
    except NoPack as fault: return add(str(fault), where), None
    if not roots or not chain(signer, held + more, roots, at): return add('timestamp_untrusted', where), None
    return True, at

def check_seal(files, sums, trust, now):
    raw, roots = files.read('checksums.txt'), pem_certificates(trust.get('tsa-root.pem')) if trust else []
    stamps = []
    if raw is not None and files.has('META-INF/checksums.tsr'):
        stamps.append(check_stamp(files.read('META-INF/checksums.tsr') or b'', sha(raw), 'META-INF/checksums.tsr', roots, pem_certificates(files.read('META-INF/tsa-chain.pem'))))
    container = ('mimetype', 'META-INF/ASiCManifest001.xml', 'META-INF/signature001.p7s')
    second = None
    if sums is not None and any(map(files.has, container)):
        for path in container:
            if not files.has(path): add('container_incomplete', path)
        if files.has('mimetype'):
            first = next(iter(files.entries)) == 'mimetype' and not files.entries['mimetype'][0]
            if not first or files.read('mimetype') != b'application/vnd.etsi.asic-e+zip': add('mimetype_wrong', 'mimetype')
        xml, signature = files.read(container[1]), files.read(container[2])
        if xml is not None:
            rows = ''.join(f'<asic:DataObjectReference URI="{path}"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
                           f'<ds:DigestValue>{base64.b64encode(bytes.fromhex(d)).decode()}</ds:DigestValue></asic:DataObjectReference>\n'
                           for path, d in sorted({**sums, 'checksums.txt': shex(raw)}.items()))
            wanted = ('<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
                      'xmlns:ds="http://www.w3.org/2000/09/xmldsig#">\n<asic:SigReference URI="META-INF/signature001.p7s" MimeType="application/pkcs7-signature"/>\n'
                      f'{rows}</asic:ASiCManifest>\n')
            if xml != wanted.encode(): add('asic_manifest_wrong', container[1])
        if xml is not None and signature is not None:
            second = check_cms(signature, xml)
            if second is None: add('asic_signature_wrong', container[2])
            elif second[4]: stamps.append(check_stamp(second[4], sha(second[3]), container[2], roots, []))
    at = min((when for _, when in stamps if when is not None), default=None)
    path = 'META-INF/checksums.p7s'
    signature = files.read(path)
    if signature is None or raw is None: add('cms_missing', path)
    else:
        found = check_cms(signature, raw)
        if found is None: add('cms_invalid', path)
        else: judge_signer(found, trust, at, now, path, second)
    return bool(stamps) or files.has('META-INF/checksums.tsr')

def judge_signer(found, trust, at, now, path, second):
    signer, held, signing, _, _ = found
    roots = pem_certificates(trust.get('org.pem')) if trust else []
    trusted = chain(signer, held, roots, signing if at is None else at)
    if not trust or 'org.pem' not in trust: add('signer_untrusted', path)
    elif not trusted: add('cms_signer_wrong', path)
    if signer.subject == signer.issuer and issued(signer, signer): add('certificate_self_made', path)
    if at is None and now > ms(signer.not_valid_after_utc): add('certificate_expired', path)
    for data in [data for name, data in (trust or {}).items() if name.endswith('.crl.pem')] if trusted and len(trusted) > 1 else []:
        for block in re.findall(rb'-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----', data):
            crl = x509.load_pem_x509_crl(block)
            if crl.issuer.public_bytes() != trusted[1].subject.public_bytes() or not crl.is_signature_valid(trusted[1].public_key()): continue
            revoked = crl.get_revoked_certificate_by_serial_number(signer.serial_number)
            if revoked: return add('certificate_revoked_later' if at is not None and at < ms(revoked.revocation_date_utc) else 'certificate_revoked', path)
    if second is not None and cert_sha(second[0]) != cert_sha(signer): add('asic_signer_differs', path)

# --- ledger.md: records, keys, chain

HEAD = ('app_id', 'app_seq', 'body_hash', 'event_type', 'hash_prev', 'ledger_id', 'received_at', 'seq', 'tenant_id', 'ts', 'v')
SEAL = ('hash_self', 'key_id', 'signature')
RESERVED = tuple(p + '.' for p in ('policy approval key ledger erasure export checkpoint decision intent outcome person clock replay reveal '
                                   'restore import witness timestamp retention').split())
GATE = ('decision.', 'approval.', 'intent.', 'outcome.')

def check_head(head):
    need(isinstance(head, dict) and tuple(sorted(head)) == HEAD and type(head['v']) is int and head['v'] == 1)
    need(re.fullmatch('[0-9a-f]{32}', text(head['ledger_id'])) and re.fullmatch('[a-z0-9-]{1,64}', text(head['tenant_id'])))
    need(is_int(head['seq']) and is_int(head['app_seq'], 1) and 0 < len(text(head['app_id'])) <= 256 and re.fullmatch('[a-z][a-z0-9_.-]{0,63}', text(head['event_type'])))
    need(valid_time(head['ts']) and valid_time(head['received_at']) and len(head['received_at']) == 27 and is_hash(head['hash_prev']) and is_hash(head['body_hash']))

class Record:
    def __init__(self, file, line, source):
        self.file, self.where, self.role = file, f'{file}.jsonl:{line}', None
        try: value = canonical(source.encode())
        except Wrong: raise Wrong('line_form')
        if not isinstance(value, dict): raise Wrong('line_form')
        try:
            if file == 'heads':
                exact(value, 'hash_self', 'head', 'key_id', 'role', 'signature')
                need(value['role'] in ('before', 'after', 'erased', 'withheld'))
                self.role, self.head, self.body = value['role'], value['head'], None
                self.value = value['head']
            else:
                self.value, self.head = value, {n: value[n] for n in HEAD if n in value}
                self.body = {n: v for n, v in value.items() if n not in HEAD + SEAL} or None
            check_head(self.head)
            need(is_hash(value.get('hash_self')) and is_hash(value.get('key_id')))
            self.hash_self, self.key_id, self.signature = value['hash_self'], value['key_id'], b64(value.get('signature'), 64)
        except (Wrong, ValueError): raise Wrong('record_form')
        self.seq, self.type = self.head['seq'], self.head['event_type']

def source_of(files, name):
    for line, raw in files.lines(name + '.jsonl'):
        try: yield Record(name, line, raw)
        except Wrong as fault: add(str(fault), f'{name}.jsonl:{line}')

class Keys:
    def __init__(self): self.event, self.checkpoint, self.all, self.told = None, [], [], False
    def take(self, record):
        """The key that must have signed it; then what the record itself says of keys."""
        value = record.value
        if record.seq == 0 and self.event is None:
            event, checkpoint = maybe_b64(value.get('event_key'), 32), maybe_b64(value.get('checkpoint_key'), 32)
            if record.type == 'ledger.opened' and record.body and event and checkpoint:
                self.event, self.checkpoint, self.all = event, [checkpoint], [event, checkpoint]
        if self.event is None:
            if not self.told: add('keys_missing', record.where)
            self.told = True
            return
        if record.key_id != shex(self.event): add('key_wrong', record.where)
        elif not ed25519(self.event, b'trailmix/event/v1\n' + record.hash_self.encode(), record.signature): add('signature_wrong', record.where)
        if not record.type.startswith('key.') or not record.body: return
        if 'new_key' in value:
            new, signature = maybe_b64(value['new_key'], 32), maybe_b64(value.get('new_key_sig'), 64)
            if not new or not signature: return add('key_rotation_wrong', record.where)
            said = {'ledger_id': record.head['ledger_id'], 'tenant_id': record.head['tenant_id'], 'old_key_id': shex(self.event), 'new_key': value['new_key']}
            if not ed25519(new, b'trailmix/key/v1\n' + jcs(said).encode(), signature): add('key_rotation_wrong', record.where)
            self.event = new
            self.all.append(new)
        if 'new_checkpoint_key' in value:
            new = maybe_b64(value['new_checkpoint_key'], 32)
            if not new: return add('key_rotation_wrong', record.where)
            self.checkpoint.append(new)
            self.all.append(new)

class Chain:
    def __init__(self, manifest): self.manifest, self.keys, self.last, self.apps = manifest, Keys(), None, {}
    def take(self, r):
        h = r.head
        if (h['ledger_id'], h['tenant_id']) != (self.manifest['ledger_id'], self.manifest['tenant_id']): add('record_foreign', r.where)
        if jhash(h) != r.hash_self: add('head_hash_wrong', r.where)
        if r.body is not None:
            if jhash(r.body) != h['body_hash']: add('body_hash_wrong', r.where)
            auth = obj(r.value.get('source')).get('auth')
            if not isinstance(auth, str): add('record_form', r.where)
            elif r.type.startswith(RESERVED) and auth not in ('self', 'person'): add('reserved_type', r.where)
        last = self.last
        if last:
            if r.seq <= last.seq: add('seq_twice' if r.seq == last.seq else 'seq_order', r.where)
            if h['received_at'] < last.head['received_at']: add('time_falls', r.where)
            if r.seq == last.seq + 1 and h['hash_prev'] != last.hash_self: add('chain_broken', r.where)
        if r.seq == 0 and h['hash_prev'] != '0' * 64: add('chain_broken', r.where)
        before = self.apps.get(h['app_id'], 0)
        if h['app_seq'] <= before and r.seq != last.seq: add('app_seq_falls', r.where)
        self.apps[h['app_id']] = max(before, h['app_seq'])
        self.keys.take(r)
        if not last or r.seq >= last.seq: self.last = r

# --- tree.md

def node(left, right): return sha(b'\1' + left + right)

class Multiproof:
    """Leaves and lines merged by first leaf into the root; the first fault ends it."""
    def __init__(self, files, size):
        self.n, self.next, self.stack, self.root, self.good = size, 0, [], None, True
        self.lines = files.lines('proofs/multiproof.jsonl')
        self.line = None
        try:
            need(next(self.lines, (0, ''))[1] == '{"size":%d}' % size, 'header')
            self.advance()
        except Wrong as fault: self.fail(fault)
    def fail(self, fault):
        self.good = False
        add('proof_wrong', 'proofs/multiproof.jsonl')
    def advance(self):
        raw = next(self.lines, None)
        if raw is None: self.line = None; return
        m = re.fullmatch(r'\[(0|[1-9]\d?),(0|[1-9]\d{0,15}),"([A-Za-z0-9+/=]{44})"\]', raw[1], re.A)
        try: need(m is not None, 'form'); self.line = int(m[1]), int(m[2]), b64(m[3], 32)
        except ValueError: raise Wrong('form')
        level, index, _ = self.line
        need(level < 53 and index << level < self.n and (level == 0 or (index << level) + (1 << level - 1) < self.n), 'range')
    def push(self, level, first, value, is_line):
        need(first == self.next, 'missing, extra or twice')
        self.next = min(first + (1 << level), self.n)
        while self.stack and self.stack[-1][0] == level:
            _, left, was_line = self.stack.pop()
            need(not (was_line and is_line), 'not_least')
            level, value, is_line = level + 1, node(left, value), False
        self.stack.append((level, value, is_line))
    def lines_before(self, seq):
        while self.line and self.line[0] is not None and self.line[1] << self.line[0] < seq:
            level, index, value = self.line
            self.push(level, index << level, value, True)
            self.advance()
    def leaf(self, record):
        if record.seq >= self.n: return add('beyond_checkpoint', record.where)
        if not self.good: return
        try:
            self.lines_before(record.seq)
            self.push(0, record.seq, sha(b'\0' + bytes.fromhex(record.hash_self)), False)
        except Wrong as fault: self.fail(fault)
    def finish(self):
        if not self.good: return None
        try:
            self.lines_before(self.n)
            need(self.next == self.n and self.stack, 'missing')
            *rest, (_, value, is_line) = self.stack
            for _, left, was_line in reversed(rest):
                need(not (was_line and is_line), 'not_least')
                value, is_line = node(left, value), False
            return value
        except Wrong as fault: self.fail(fault)

def consistent(first, second, root1, root2, proof):
    """RFC 9162, 2.1.4.2."""
    if first == second: return not proof and root1 == root2
    if first == 0: return not proof and root1 == sha(b'')
    if not proof: return False
    if first & first - 1 == 0: proof = [root1] + proof
    fn, sn = first - 1, second - 1
    while fn & 1: fn, sn = fn >> 1, sn >> 1
    a = b = proof[0]
    for c in proof[1:]:
        if sn == 0: return False
        if fn & 1 or fn == sn:
            a, b = node(c, a), node(c, b)
            while fn and not fn & 1: fn, sn = fn >> 1, sn >> 1
        else: b = node(b, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and a == root1 and b == root2

def parse_note(data):
    """(text, [(name, id, signature)], (origin, size, root))."""
    try:
        need(len(data) <= 65536)
        body, mark, tail = data.decode().rpartition('\n\n')
        need(mark and tail.endswith('\n') and body and not re.search(r'[\x00-\x09\x0b-\x1f]', body))
        rows = tail[:-1].split('\n')
        need(len(rows) <= 64)
        lines = []
        for row in rows:
            m = re.fullmatch(r'— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})', row)
            need(m is not None and not re.search(r'[\x00-\x1f\x7f-\x9f]', m[1]))
            raw = b64(m[2])
            need(len(raw) >= 5)
            lines.append((m[1], raw[:4], raw[4:]))
        m = re.fullmatch(r'([^\s+]+)\n(0|[1-9]\d{0,15})\n(\S+)', body, re.A)
        need(m is not None and int(m[2]) < 2 ** 53)
        return body + '\n', lines, (m[1], int(m[2]), b64(m[3], 32))
    except ValueError as error: raise Wrong(str(error)) from error

def note_id(name, key): return sha(name.encode() + b'\n\1' + key)[:4]

def check_checkpoint(files, manifest, keys, vkeys, note):
    said, lines, (origin, size, root) = note
    wanted = f"trailmix.invalid/{manifest['ledger_id']}/{manifest['tenant_id']}", manifest['checkpoint']['size'], manifest['checkpoint']['root']
    if (origin, size, root.hex()) != wanted: add('checkpoint_wrong', 'checkpoint.note')
    if files.read('checkpoint.body') != said.encode() or files.read('checkpoint.sig') not in [line[2] for line in lines]: add('checkpoint_files_differ', 'checkpoint.body')
    trusted = keys.checkpoint if vkeys is None else [key for name, key in vkeys if name == origin]
    signers = set()
    for name, key_id, signature in lines:
        known = [key for key in trusted if name == origin and note_id(name, key) == key_id]
        if known and not any(ed25519(key, said.encode(), signature) for key in known): return add('checkpoint_signature_wrong', 'checkpoint.note'), unknown_keys(vkeys)
        signers.update(known)
    if not signers or vkeys is not None and not signers & set(keys.checkpoint): add('checkpoint_key_wrong', 'checkpoint.note')
    unknown_keys(vkeys)

def unknown_keys(vkeys):
    if vkeys is None: add('keys_untrusted', 'checkpoint.note')

def proof_lines(data):
    return [b64(line, 32) for line in data.decode().split('\n')[:-1]] if data.endswith(b'\n') else [b64('!')]

def keys_of(older, origin):
    """Event keys by id, and checkpoint keys, that an older pack's own records name; none where those do not verify."""
    before, (_, ledger, tenant) = list(FOUND), origin.split('/')
    FOUND.clear()
    chain_ = Chain({'ledger_id': ledger, 'tenant_id': tenant})
    for name in ('extras', 'events'):
        for r in source_of(older, name):
            if r.seq == 0 or r.type.startswith('key.'): chain_.take(r)
        if chain_.keys.all: break
    bad = any(LEVELS[f['code']]['level'] == 'fail' for f in FOUND)
    FOUND[:] = before
    if bad: return {}, []
    return {shex(k): k for k in chain_.keys.all if k not in chain_.keys.checkpoint}, chain_.keys.checkpoint

def included(leaf, index, size, root, proof):
    fn, sn = index, size - 1
    if not 0 <= index < size: return False
    for one in proof:
        if sn == 0: return False
        if fn % 2 or fn == sn:
            leaf = node(one, leaf)
            while fn % 2 == 0 and fn: fn, sn = fn // 2, sn // 2
        else: leaf = node(leaf, one)
        fn, sn = fn // 2, sn // 2
    return sn == 0 and leaf == root

def epoch_keys(data, cited):
    """(event keys by id, checkpoint keys, record 0) of a keys.jsonl; None where anything of it does not hold."""
    before, (origin, size, root) = list(FOUND), cited[2]
    FOUND.clear()
    try:
        _, ledger, tenant = origin.split('/')
        chain_, opened = Chain({'ledger_id': ledger, 'tenant_id': tenant}), None
        need(data.endswith(b'\n') or not data)
        for line in data.split(b'\n')[:-1]:
            said = exact(canonical(line), 'proof', 'record')
            need(isinstance(said['proof'], list) and isinstance(said['record'], dict))
            r = Record('extras', 0, jcs(said['record']))
            need(included(sha(b'\0' + bytes.fromhex(r.hash_self)), r.seq, size, root, [b64(one, 32) for one in said['proof']]))
            if r.seq == 0: opened = r.value
            chain_.take(r)
        need(opened is not None and not any(LEVELS[f['code']]['level'] == 'fail' for f in FOUND))
        return {shex(k): k for k in chain_.keys.all if k not in chain_.keys.checkpoint}, chain_.keys.checkpoint, opened
    except (Wrong, ValueError, TypeError): return None
    finally: FOUND[:] = before

def epochs_of(files, record):
    """[(record that cites, what it cites, keys or None)], newest first."""
    epochs, seen = [], set()
    while record is not None and 'restored_from' in record and len(epochs) < 16:
        ledger, cited = text(obj(record['restored_from']).get('ledger_id')), cited_of(record)
        if ledger in seen: break
        seen.add(ledger)
        path = f'epochs/{ledger}/keys.jsonl'
        keys = epoch_keys(files.read(path), cited) if files.has(path) and cited else None
        if files.has(path) and keys is None: add('restore_keys_wrong', path)
        epochs.append((record, cited, keys))
        record = keys and keys[2]
    return epochs

def check_restored(files, since, epochs, vkeys):
    record, (_, _, (_, second, root2)), _ = epochs[-1]
    origin, first, root1 = since[0]
    if second < first: return add('restored_behind', 'extras.jsonl')
    path = f"epochs/{obj(record['restored_from']).get('ledger_id')}/consistency/{first}-{second}"
    if first < second and not files.has(path): return add('epoch_changed', 'extras.jsonl')
    try: good = consistent(first, second, root1, root2, proof_lines(files.read(path)) if first < second else [])
    except (ValueError, AttributeError): good = False
    if not good: return add('since_inconsistent', path)
    (events, logs), states = keys_of(since[1], origin), []
    for record, (said, lines, (name_, _, _)), keys in reversed(epochs):
        if keys: events, logs = {**events, **keys[0]}, logs + keys[1]
        known = [(key, value) for key in logs + [key for name, key in vkeys or [] if name == name_] for name, key_id, value in lines if name == name_ and key_id == note_id(name_, key)]
        message = {'event_key': record.get('event_key', ''), 'ledger_id': record.get('ledger_id', ''), 'restored_from': record['restored_from']}
        key, signature = events.get(record.get('old_key_id')), maybe_b64(record.get('old_key_sig'), 64)
        states.append(None if not known else all(ed25519(key, said.encode(), value) for key, value in known))
        states.append(None if key is None else signature is not None and ed25519(key, b'trailmix/restore/v1\n' + jcs(message).encode(), signature))
        if False in states: return add('restore_signature_wrong', 'extras.jsonl')
        events, logs = {}, []
    if None in states: add('restore_unsigned', 'extras.jsonl')

def cited_of(record):
    try: return parse_note(text(obj(obj(record.get('restored_from')).get('checkpoint')).get('note')).encode())
    except (Wrong, ValueError): return None

def check_since(files, since, new, epochs, vkeys):
    (origin, first, root1), (own, second, root2) = since[0], new
    for i, (_, cited, _) in enumerate(epochs):
        if origin != own and cited and cited[2][0] == origin: return check_restored(files, since, epochs[:i + 1], vkeys)
    if origin != own: return add('epoch_changed', 'checkpoint.note')
    path = f'consistency/{first}-{second}'
    if first < second and not files.has(path): return add('since_missing', path)
    try: good = first <= second and consistent(first, second, root1, root2, proof_lines(files.read(path)) if first < second else [])
    except (ValueError, AttributeError): good = False
    if not good: add('since_inconsistent', path)

# --- pack.md, Time (anchors) and Witnesses; tree.md, Cosignatures

class Witnesses:
    """Judges only with witness_policy.json; `seen`: names with a good line, by the size of the checkpoint."""
    def __init__(self, policy):
        self.k, self.keys, self.seen = None, [], {}
        if policy is None: return
        given = exact(canonical(policy), 'k', 'v', 'witnesses')
        need(given['v'] == 1 and is_int(given['k'], 1) and isinstance(given['witnesses'], list) and len(given['witnesses']) <= 64, 'witness_policy.json')
        for vkey in given['witnesses']:
            name, key_id, raw = vkey.split('+', 2)
            key = b64(raw)
            need((key[0], len(key)) in ((4, 33), (6, 1313)) and sha(name.encode() + b'\n' + key)[:4].hex() == key_id, 'vkey')
            self.keys.append((name, bytes.fromhex(key_id), key))
        self.k = given['k']
        need(self.k <= len({key[0] for key in self.keys}), 'k')
    def judge(self, line, said):
        """good, bad or unchecked (no ML-DSA here); None for a line of somebody else."""
        name, key_id, signature = line
        known = [key for *who, key in self.keys if who == [name, key_id]]
        if any(key[0] == 6 for key in known): return 'unchecked'
        seconds = int.from_bytes(signature[:8], 'big')
        message = f'cosignature/v1\ntime {seconds}\n{said}'.encode()
        good = len(signature) == 72 and 0 < seconds < 2 ** 53 and any(ed25519(key[1:], message, signature[8:]) for key in known)
        return None if not known else 'good' if good else 'bad'
    def take(self, note, where):
        said, lines, (_, size, _) = note
        for line in lines:
            judged = self.judge(line, said)
            if judged == 'good': self.seen.setdefault(size, set()).add(line[0])
            elif judged: add('witness_signature_wrong' if judged == 'bad' else 'witness_unchecked', where)
    def take_pack(self, files):
        path = 'META-INF/cosignatures.note'
        if not files.has(path): return
        try: note = parse_note(files.read(path) or b'')
        except Wrong: note = None
        if note is None or note[0].encode() != files.read('checkpoint.body'): add('witness_note_wrong', path)
        elif self.k is None: add('witness_untrusted', path)
        else: self.take(note, path)
    def finish(self, size, last):
        far = max((at for at, names in self.seen.items() if self.k and len(names) >= self.k), default=-1)
        if self.k is None or far == size or far > last and far >= 0: return
        add('witness_missing' if far < 0 else 'witness_earlier', 'META-INF/cosignatures.note')

def check_anchors(files, manifest, trust, witnesses):
    at, second, root = f"trailmix.invalid/{manifest['ledger_id']}/{manifest['tenant_id']}", manifest['checkpoint']['size'], bytes.fromhex(manifest['checkpoint']['root'])
    roots, dated = pem_certificates(trust.get('tsa-root.pem')) if trust else [], 0
    for name in sorted({re.sub(r'anchors/(\d+)\..*', r'\1', f['path']) for f in manifest['files'] if f['role'] == 'anchor'}):
        where, (raw, body, stamp) = f'anchors/{name}.note', [files.read(f'anchors/{name}.{kind}') for kind in ('note', 'body', 'tsr')]
        try:
            said, lines, (origin, size, root1) = note = parse_note(raw or b'')
            need(body == said.encode() and (stamp is not None or len(lines) > 1) and origin == at and str(size) == name and size <= second)
            proof = files.read(f'consistency/{size}-{second}')
            hashes_ = proof_lines(proof or b'') if size < second else []
        except (Wrong, ValueError):
            add('anchor_wrong', where)
            continue
        if not consistent(size, second, root1, root, hashes_):
            add('anchor_wrong', where)
            if any(witnesses.judge(line, said) == 'good' for line in lines): add('witness_inconsistent', where)
            continue
        if witnesses.k is not None: witnesses.take(note, where)
        if stamp is not None and check_stamp(stamp, sha(body), f'anchors/{name}.tsr', roots, [])[1] is not None: dated = max(dated, int(name))
    return dated

# --- pack.md, Scope and Streams

class Scope:
    def __init__(self, manifest): self.m, self.before, self.after, self.last, self.near, self.far, self.erased, self.hidden, self.closed = manifest, None, None, None, float('inf'), -1, [], 0, False
    def take(self, r):
        scope, h = self.m['scope'], r.head
        self.closed |= r.type == 'ledger.closed'
        if h['app_id'] != self.m['app_id']:
            if r.file != 'extras': add('record_foreign', r.where)
        elif r.file == 'extras':
            if h['app_seq'] == scope['first_app_seq'] - 1: self.before = h
            elif h['app_seq'] == scope['last_app_seq'] + 1: self.after = h
        elif r.role in ('before', 'after'):
            if getattr(self, r.role): add('record_form', r.where)
            setattr(self, r.role, h)
        else:
            if self.far < 0: self.near = r.seq
            self.far = r.seq
            if not scope['from'] <= h['received_at'] <= scope['to']: add('out_of_scope', r.where)
            if scope['by'] == 'received_at' and h['app_seq'] != (scope['first_app_seq'] if self.last is None else self.last + 1): add('app_seq_gap', r.where)
            self.last = h['app_seq']
            if r.body is not None: return
            self.hidden += 1
            if r.role == 'erased': self.erased.append(r.seq)
            elif r.role == 'withheld' and any((w['seq'], w['hash_self']) == (r.seq, r.hash_self) for w in self.m['withheld']): add('body_withheld', r.where)
            else: add('body_missing', r.where)
    def finish(self, erasures):
        s = self.m['scope']
        for seq in self.erased: add('body_erased' if seq in erasures else 'body_missing', f'heads.jsonl:seq {seq}')
        if s['by'] != 'received_at': return add('selection', 'manifest.json')
        asked = s['requested']
        if not (valid_time(asked['from']) and valid_time(asked['to'])) or s['from'] != padded(asked['from']) or s['to'] > asked['to'][:19] + '.' + asked['to'][20:-1][:6].ljust(6, '9') + 'Z': add('scope_wrong', 'manifest.json')
        if s['from'] > s['to']: add('scope_wrong', 'manifest.json')
        if (s['first_app_seq'] - 1 if self.last is None else self.last) != s['last_app_seq']: add('app_seq_gap', 'manifest.json')
        before, after = self.before, self.after
        if before is None: fits = s['first_app_seq'] == 1
        else: fits = before['app_seq'] == s['first_app_seq'] - 1 and before['received_at'] < s['from']
        if not fits: add('before_missing', 'heads.jsonl')
        if after is None: add('epoch_end' if self.closed else 'after_not_shown', 'heads.jsonl')
        elif after['app_seq'] != s['last_app_seq'] + 1 or after['received_at'] <= s['to']: add('after_missing', 'heads.jsonl')

def padded(when):
    digits = when[20:-1].ljust(6, '0')
    exact_time = datetime.strptime(when[:19] + '.' + digits[:6], '%Y-%m-%dT%H:%M:%S.%f') + timedelta(microseconds=1 if digits[6:].strip('0') else 0)
    return exact_time.isoformat(timespec='microseconds') + 'Z'

class Streams:
    def __init__(self): self.all = {}
    def of(self, value, name): return self.all.setdefault((text(obj(value.get('source')).get('key')), name), {'seen': set(), 'dropped': set(), 'end': None})
    def take(self, r):
        v = r.value
        gap, stream = obj(v.get('input')), obj(v.get('stream'))
        if r.type == 'gap' and isinstance(gap.get('stream'), str) and is_int(gap.get('from'), 1) and is_int(gap.get('to'), gap['from']):
            self.of(v, gap['stream'])['dropped'].add((gap['from'], gap['to']))
        if not isinstance(stream.get('id'), str) or not is_int(stream.get('n'), 1): return
        one = self.of(v, stream['id'])
        if stream['n'] in one['seen']: add('stream_duplicate', r.where)
        one['seen'].add(stream['n'])
        if r.type == 'stream.end': one['end'] = stream['n']
    def finish(self, scope):
        for one in self.all.values():
            seen, where = sorted(one['seen']), 'events.jsonl:stream'
            if one['dropped']: add('stream_dropped', where)
            lost, is_open, expected = False, one['end'] is None and scope.after is not None, 1
            for n in seen:
                for first, last in without((expected, n - 1), one['dropped']):
                    if scope.before is not None and last < seen[0]: is_open = True
                    else: lost = True
                expected = n + 1
            if one['end'] and seen[-1] > one['end']: add('stream_duplicate', where)
            if lost: add('stream_hidden' if scope.hidden else 'stream_gap', where)
            if is_open: add('stream_open', where)

def cut(value, most=120):
    units = value.encode('utf-16-le', 'surrogatepass')
    if len(units) <= 2 * most: return value
    return units[:2 * most - 2].decode('utf-16-le', 'replace') + '…'

def seconds(when):
    year, month, day = int(when[:4]), int(when[5:7]), int(when[8:10])
    days = (datetime(year + 400, month, day) - datetime(2370, 1, 1)).days
    return days * 86400 + int(when[11:13]) * 3600 + int(when[14:16]) * 60 + int(when[17:19])

class Queries:
    """queries.jsonl, made again."""
    def __init__(self): self.scope, self.late, self.behind, self.sessions, self.calls, self.streams = [], [], [], {}, {}, {}
    def stream(self, r, name):
        key = text(obj(r.value.get('source')).get('key'))
        return f'{key}/{name}', self.streams.setdefault((key, name), {'seq': r.seq, 'seen': set(), 'gaps': 0, 'ended': False})
    def take(self, r):
        if r.file == 'events' or r.role in ('erased', 'withheld'): self.scope.append(r.seq)
        v, h = r.value, r.head
        if r.type == 'outcome.recorded' and r.body is not None:
            said = obj(v.get('outcome'))
            intent = text(said.get('intent_id'))
            self.calls.pop(('allow', text(said.get('decision_id'))) if intent == '' else ('approval', intent), None)
        if r.file != 'events' or r.body is None: return
        if seconds(h['received_at']) - seconds(h['ts']) > 300: self.late.append({'received_at': h['received_at'], 'seq': r.seq, 'ts': h['ts']})
        gap, number, numbered = obj(v.get('input')), obj(v.get('stream')), None
        if r.type == 'gap' and isinstance(gap.get('stream'), str) and is_int(gap.get('from'), 1) and is_int(gap.get('to'), gap['from']): self.stream(r, gap['stream'])[1]['gaps'] += 1
        if isinstance(number.get('id'), str) and is_int(number.get('n'), 1):
            name, one = self.stream(r, number['id'])
            highest, numbered = max(one['seen'], default=0), one
            if number['n'] < highest: self.behind.append({'highest': highest, 'n': number['n'], 'seq': r.seq, 'stream': cut(name)})
            one['seen'].add(number['n'])
            one['ended'] |= r.type == 'stream.end'
        if isinstance(v.get('session_id'), str):
            s = self.sessions.setdefault(v['session_id'], {'records': 0, 'ended': False, 'stream': None})
            s.update(records=s['records'] + 1, last_at=h['received_at'], seq=r.seq, ended=s['ended'] or r.type == 'session.end', stream=numbered or s['stream'])
        said, by = obj(v.get('decision')), 'approval' if r.type == 'intent.recorded' else 'allow'
        if by == 'approval' or r.type == 'decision.recorded' and said.get('result') == 'allow' and 'failed' not in said:
            self.calls.pop((by, text(v.get('event_id'))), None)
            self.calls[by, text(v.get('event_id'))] = {'at': h['received_at'], 'by': by, 'name': cut(text(v.get('name'))), 'seq': r.seq}
    def lines(self, m):
        def line(query, results, **more):
            seqs = [r if isinstance(r, int) else r['seq'] for r in results]
            return jcs({'query': query, 'count': len(seqs), 'seqs_sha256': shex(''.join(f'{n}\n' for n in seqs).encode()), **(more or {'rows': results[:50]})}) + '\n'
        opened = [{'session_id': cut(name), **{n: s[n] for n in ('records', 'last_at', 'seq')}} for name, s in self.sessions.items() if not s['ended'] and not (s['stream'] and s['stream']['ended'])]
        streams = [{'key': key, 'id': cut(name), 'seq': s['seq'], 'first': min(s['seen'], default=0), 'last': max(s['seen'], default=0), 'received': len(s['seen']), 'gaps': s['gaps'],
                    'missing': max(s['seen']) - min(s['seen']) + 1 - len(s['seen']) if s['seen'] else 0, 'ended': s['ended']} for (key, name), s in self.streams.items()]
        def by_seq(rows): return sorted(rows, key=lambda r: r['seq'])
        return ''.join([line('scope', self.scope, app_id=m['app_id'], checkpoint=m['checkpoint'], **{n: m['scope'][n] for n in ('by', 'from', 'to')}), line('sessions_open', by_seq(opened)),
                        line('calls_without_outcome', by_seq(self.calls.values())), line('received_late', self.late), line('received_behind', self.behind), line('streams', streams)])

def without(span, others):
    parts = [span] if span[0] <= span[1] else []
    for a, b in others: parts = [p for x, y in parts for p in (((x, min(y, a - 1)), (max(x, b + 1), y)) if not (b < x or a > y) else ((x, y),)) if p[0] <= p[1]]
    return parts

# --- people.md

PERSON = re.compile(r'[a-z0-9][a-z0-9._@-]{0,63}')
ACTS = {'person.enrolled': 'enrol', 'person.changed': 'change', 'person.reset': 'reset', 'person.left': 'leave'}
STATEMENT = ('act', 'aliases', 'at', 'by', 'by_key_id', 'key_id', 'ledger_id', 'name', 'person_id', 'public_key', 'roles', 'tenant_id')
DELEGATION = ('at', 'by_key_id', 'delegation_id', 'ends_at', 'from', 'ledger_id', 'reason', 'roles', 'starts_at', 'tenant_id', 'to')

def person_ok(value): return isinstance(value, str) and PERSON.fullmatch(value) is not None and value not in ('recovery', 'local', 'collector', 'page')
def listed(value, most, form): return isinstance(value, list) and len(value) <= most and all(isinstance(v, str) and form(v) for v in value) and value == sorted(set(value), key=lambda v: v.encode('utf-16-be'))
def roles_ok(value): return listed(value, 16, lambda v: re.fullmatch('[a-z][a-z0-9_-]{0,63}', v)) and value != []
def stamp_ok(value): return valid_time(value) and len(value) == 27

class People:
    def __init__(self, manifest): self.m, self.stages, self.keys, self.delegations, self.counts, self.root, self.recovered = manifest, {}, set(), {}, [], None, []
    def at(self, person, seq): return next((s for n, s in reversed(self.stages.get(person, [])) if n < seq), None)
    def count(self, role=None): return sum(s[-1][1]['active'] and (role is None or role in s[-1][1]['roles']) for s in self.stages.values())
    def counted(self, which, seq): return next((c[which] for c in reversed(self.counts) if c[0] < seq), 0)
    def take(self, r):
        try:
            if r.type in ACTS: self.statement(r.seq, ACTS[r.type], obj(r.value.get('person')), r.where)
            elif r.type == 'person.delegated': self.delegate(r.seq, obj(r.value.get('delegation')), r.where)
            elif r.type == 'person.delegation_ended': self.end(r.seq, obj(r.value.get('delegation')))
        except (Wrong, ValueError): add('person_record_wrong', r.where)
    def here(self, v): need((v['ledger_id'], v['tenant_id']) == (self.m['ledger_id'], self.m['tenant_id']))
    def signed(self, key, purpose, said, signature, where):
        if not ed25519(key, f'trailmix/{purpose}/v1\n'.encode() + jcs(said).encode(), b64(signature, 64)): add('person_record_wrong', where)
    def statement(self, seq, act, v, where):
        is_new, who = act in ('enrol', 'reset'), v.get('person_id')
        exact(v, *STATEMENT, 'signature', *(['possession'] if is_new else []))
        self.here(v)
        need(v['act'] == act and person_ok(who) and roles_ok(v['roles']) and listed(v['aliases'], 8, lambda a: 1 <= len(a.encode()) <= 256))
        need(1 <= len(text(v['name']).encode()) <= 256 and stamp_ok(v['at']) and isinstance(v['by_key_id'], str))
        recovery, key, known = v['by'] == 'recovery', b64(v['public_key'], 32), self.stages.get(who, [(0, None)])[-1][1]
        need((recovery or person_ok(v['by'])) and v['key_id'] == shex(key) and (not recovery or act == 'reset'))
        if self.root is None: need(act == 'enrol' and v['by'] == who and v['by_key_id'] == v['key_id'] and 'admin' in v['roles'])
        if act == 'enrol': need(known is None)
        else: need(known is not None and known['active'] and v['at'] > known['at'])
        if is_new: need(v['key_id'] not in self.keys)
        else: need(known['key_id'] == v['key_id'])
        if act in ('reset', 'leave'): need(all(known[n] == v[n] for n in ('name', 'roles', 'aliases')))
        if known and 'admin' in known['roles'] and (act == 'leave' or act == 'change' and 'admin' not in v['roles']): need(self.count('admin') > 1)
        if recovery:
            need(v['by_key_id'] == v['signature'] == '')
            self.recovered.append(seq)
        else:
            signer = key
            if self.root is not None:
                admin = self.stages.get(v['by'], [(0, None)])[-1][1]
                need(admin is not None and admin['active'] and admin['key_id'] == v['by_key_id'] and 'admin' in admin['roles'])
                signer = admin['key']
            self.signed(signer, 'person', {n: v[n] for n in STATEMENT}, v['signature'], where)
        if is_new: self.signed(key, 'possession', {n: v[n] for n in ('ledger_id', 'person_id', 'public_key', 'tenant_id')}, v['possession'], where)
        if self.root is None: self.root = v['public_key']
        self.keys.add(v['key_id'])
        since = known['since'] if known and known['key_id'] == v['key_id'] else seq
        self.stages.setdefault(who, []).append((seq, {'name': v['name'], 'roles': v['roles'], 'aliases': v['aliases'], 'active': act != 'leave',
                                                      'key_id': v['key_id'], 'key': key, 'at': v['at'], 'since': since}))
        self.counts.append((seq, self.count('approver'), self.count()))
    def delegate(self, seq, v, where):
        exact(v, *DELEGATION, 'signature')
        self.here(v)
        need(re.fullmatch('[A-Za-z0-9_-]{1,64}', text(v['delegation_id'])) and all(stamp_ok(v[n]) for n in ('at', 'starts_at', 'ends_at')))
        need(person_ok(v['from']) and person_ok(v['to']) and roles_ok(v['roles']) and isinstance(v['reason'], str) and len(v['reason'].encode()) <= 2000)
        giver, taker = (self.stages.get(v[n], [(0, None)])[-1][1] for n in ('from', 'to'))
        need(giver and giver['active'] and giver['key_id'] == v['by_key_id'] and taker and taker['active'] and 'approver' in taker['roles'] and v['from'] != v['to'])
        limit = (datetime.fromisoformat(v['starts_at'][:-1]) + timedelta(days=90)).isoformat(timespec='microseconds') + 'Z'
        need(set(v['roles']) <= set(giver['roles']) and max(v['starts_at'], v['at']) < v['ends_at'] <= limit and v['delegation_id'] not in self.delegations)
        self.signed(giver['key'], 'delegation', {n: v[n] for n in DELEGATION}, v['signature'], where)
        self.delegations[v['delegation_id']] = {**v, 'seq': seq, 'ended': None}
    def end(self, seq, v):
        exact(v, 'by', 'delegation_id')
        known, who = self.delegations.get(text(v['delegation_id'])), self.stages.get(text(v['by']), [(0, None)])[-1][1]
        need(known and known['ended'] is None and who and who['active'] and (v['by'] in (known['from'], known['to']) or 'admin' in who['roles']))
        known['ended'] = seq
    def delegation(self, name, seq, at):
        d = self.delegations.get(name)
        if not d or d['seq'] >= seq or not d['starts_at'] <= at < d['ends_at'] or (d['ended'] is not None and d['ended'] < seq): return None
        giver, taker = self.at(d['from'], seq), self.at(d['to'], seq)
        if not giver or not giver['active'] or not taker or not taker['active']: return None
        return {**d, 'aliases': giver['aliases'], 'roles': [r for r in d['roles'] if r in giver['roles']]}

# --- gate.md, and pack.md, Derived files

SIGNED_MEMBERS = ('approver_id', 'binding', 'decided_at', 'key_id', 'opened_at', 'review', 'role', 'shown_digest', 'verdict')
def is_blob(value):
    ref = value.get('$blob') if isinstance(value, dict) and len(value) == 1 else None
    return isinstance(ref, dict) and sorted(ref) == ['bytes', 'sha256', 'type'] and is_hash(ref['sha256']) and is_int(ref['bytes']) and 0 < len(text(ref['type']).encode()) <= 256

def digest_fits(salt, payload, digest):
    return is_hash(salt) and hmac.new(bytes.fromhex(salt), jcs(payload).encode(), hashlib.sha256).hexdigest() == digest

class Approval:
    def __init__(self, name): self.id, self.decision_id, self.decision, self.asked, self.answers, self.opened, self.expired, self.cancelled, self.intents, self.outcome, self.in_scope = name, None, None, None, [], {}, None, None, [], None, False
    def status(self):
        if self.intents: return 'consumed'
        if any(a['said'].get('verdict') == 'deny' for a in self.answers): return 'denied'
        if self.cancelled is not None: return 'cancelled'
        if self.expired is not None: return 'expired'
        k = obj(self.asked and self.asked['binding'].get('required')).get('k', 1)
        enough = any(a['said'].get('four_eyes') is not True for a in self.answers) or len({text(a['said'].get('by')) for a in self.answers}) >= k
        return 'approved' if self.answers and enough else 'waiting'
    def line(self, people):
        said = [a['said'] for a in self.answers]
        is_signed = any('signature' in s for s in said)
        line = {'approval_id': self.id, 'decision_id': self.decision_id or '', 'status': self.status(), 'signatures': [], 'answers': []}
        if self.decision: line['decision_seq'] = self.decision['seq']
        if self.asked: line.update({n: self.asked[m] for n, m in (('asked_seq', 'seq'), ('asked_at', 'at'), ('binding', 'binding'), ('binding_hash', 'hash'))})
        for a, s in zip(self.answers, said):
            line['answers'].append({**{n: v for n, v in s.items() if n not in ('id', 'decision_id', 'binding_hash')}, 'seq': a['seq'], 'received_at': a['at']})
            st = obj(s.get('statement'))
            if 'signature' in s: line['signatures'].append({'seq': a['seq'], 'by': s.get('by', ''), 'key_id': st.get('key_id', ''), 'role': st.get('role', ''), 'signature': s['signature']})
        if is_signed:
            came = self.outcome and self.outcome['said'].get('outcome')
            line['result'] = 'not_run' if not self.intents else {'ok': 'ran', 'error': 'failed'}.get(text(came), 'never_reported')
            persons = [(text(s.get('by')), people.at(text(s.get('by')), a['seq'])) for a, s in zip(self.answers, said)]
            line['enrolments'] = list({p['key_id']: {'person_id': who, 'key_id': p['key_id'], 'name': p['name'], 'seq': p['since']} for who, p in persons if p}.values())
        if self.expired is not None: line['expired_seq'] = self.expired
        if self.cancelled is not None: line['cancelled_seq'] = self.cancelled
        if self.intents:
            one = self.intents[0]
            line['intent'] = {'intent_id': one['id'], 'seq': one['seq'], **{n: one['said'][n] for n in ('grant_expires_at',) if n in one['said']}}
        if self.outcome: line['outcome'] = {'event_id': self.outcome['id'], 'seq': self.outcome['seq'], 'outcome': self.outcome['said'].get('outcome', '')}
        return line

FOLLOWS = {'decision.recorded': ('approval_record_missing', 'approval_shown_wrong', 'intent_wrong'), 'approval.asked': ('approval_record_missing',),
           'approval.opened': ('approval_review_wrong', 'approval_shown_wrong', 'approval_too_early'), 'approval.answered': ('intent_wrong', 'approval_too_few'),
           'intent.recorded': ('outcome_wrong', 'approval_too_few', 'approval_record_missing')}

class Gate:
    def __init__(self, manifest): self.m, self.people, self.all, self.intents, self.gated, self.hidden = manifest, People(manifest), {}, {}, set(), set()
    def of(self, name, in_scope, decision=None):
        one = self.all.setdefault(name, Approval(name))
        one.in_scope |= in_scope
        if one.decision_id is None: one.decision_id = decision
        return one
    def take(self, r):
        v, in_scope, kind = r.value, r.file == 'events', r.type
        said = obj(v.get(kind.split('.')[0]))
        if kind == 'decision.recorded':
            if said.get('result') != 'allow': self.gated.add(text(v.get('event_id')))
            if not is_blob(v.get('input')) and not digest_fits(said.get('args_salt'), v.get('input', {}), said.get('args_digest')): add('args_digest_wrong', r.where)
            if not text(said.get('approval_id')): return
            one = self.of(said['approval_id'], in_scope)
            one.decision_id, one.decision = text(v.get('event_id')), {'seq': r.seq, 'record': v, 'said': said}
        elif kind.startswith('approval.'):
            if kind not in ('approval.asked', 'approval.answered', 'approval.opened', 'approval.cancelled', 'approval.expired'): return
            one = self.of(text(said.get('id')), in_scope, text(said.get('decision_id')))
            if kind == 'approval.asked': one.decision_id, one.asked = text(said.get('decision_id')), {'seq': r.seq, 'at': r.head['received_at'], 'binding': obj(said.get('binding')), 'hash': text(said.get('binding_hash'))}
            elif kind == 'approval.answered': one.answers.append({'seq': r.seq, 'at': r.head['received_at'], 'said': said, 'sample': v.get('sample') is True})
            elif kind == 'approval.opened':
                one.opened[text(said.get('review_id'))] = {**said, 'seq': r.seq}
                shown = v.get('shown')
                if is_blob(shown): return
                decided, payload = one.decision and one.decision['said'] or {}, obj(shown).get('payload', {})
                right = obj(shown).get('binding_hash') == said.get('binding_hash') and jhash({} if shown is None else shown) == said.get('shown_digest')
                if not right or not (is_blob(payload) or digest_fits(decided.get('args_salt'), payload, decided.get('args_digest'))):
                    add('approval_hidden' if not decided and 'decision.recorded' in self.hidden else 'approval_shown_wrong', r.where)
            else: setattr(one, kind.split('.')[1], r.seq)
        elif kind == 'intent.recorded':
            one = self.of(text(said.get('approval_id')), in_scope, text(said.get('decision_id')))
            one.intents.append({'seq': r.seq, 'at': r.head['received_at'], 'id': text(v.get('event_id')), 'said': said})
            self.intents[text(v.get('event_id'))] = one
        elif kind == 'outcome.recorded':
            intent = text(said.get('intent_id'))
            if not intent:
                if text(said.get('decision_id')) in self.gated: add('outcome_wrong', r.where)
                return
            one = self.intents.get(intent) or self.of('?' + intent, in_scope)
            one.in_scope |= in_scope
            if one.decision_id is None: one.decision_id = text(said.get('decision_id'))
            one.outcome = {'seq': r.seq, 'id': text(v.get('event_id')), 'said': said}
        elif kind.startswith('person.'): self.people.take(r)
    def called_for(self, v):
        name = text(obj(v.get('approval')).get('id')) or text(obj(v.get('intent')).get('approval_id')) or text(obj(v.get('decision')).get('approval_id'))
        one = self.all.get(name) or self.intents.get(text(obj(v.get('outcome')).get('intent_id')))
        return one is not None and one.in_scope
    def scoped(self): return sorted((a for a in self.all.values() if a.in_scope), key=lambda a: a.asked['seq'] if a.asked else a.decision['seq'] if a.decision else 2 ** 53)
    def finish(self, trust, policies):
        for one in self.scoped():
            before, where = len(FOUND), 'approvals.jsonl:' + one.id
            self.check(one, where)
            found = FOUND[before:]
            FOUND[before:] = [f for f in found if not any(f['code'] in FOLLOWS.get(kind, ()) for kind in self.hidden)]
            if len(found) > len(FOUND) - before: add('approval_hidden', where)
        if not policies and not any('signature' in a['said'] for one in self.scoped() for a in one.answers): return
        root = obj(trust and trust.get('root'))
        if not root: add('people_untrusted', 'trust.json')
        elif root['public_key'] != self.people.root: add('people_root_wrong', 'extras.jsonl')
        for seq in self.people.recovered: add('person_recovered', f'seq {seq}')
    def check(self, one, where):
        if not one.asked or not one.decision: return add('approval_record_missing', where)
        b, d, record, said = one.asked['binding'], one.decision, one.decision['record'], one.decision['said']
        wanted = {'v': 1, 'ledger_id': self.m['ledger_id'], 'tenant_id': self.m['tenant_id'], 'decision_id': one.decision_id, 'args_digest': said.get('args_digest', ''),
                  'policy_hash': obj(said.get('policy')).get('hash', ''), **{n: record.get(m, '') for n, m in (('app_id', 'app_id'), ('session_id', 'session_id'), ('actor_id', 'actor_id'), ('action', 'name'), ('risk', 'risk'))}}
        required = obj(b.get('required'))
        whole = sorted(b) == sorted([*wanted, 'required', 'nonce', 'expires_at']) and is_int(required.get('k')) and isinstance(required.get('roles'), list)
        if not whole or any(b[n] != v or isinstance(b[n], bool) for n, v in wanted.items()) or sorted(required) != ['k', 'roles'] or required['roles'] != sorted(required['roles']) or jhash(b) != one.asked['hash']: add('approval_binding_wrong', where)
        approvals, denied = self.judge(one, where)
        expires = text(b.get('expires_at'))
        for i, intent in enumerate(one.intents):
            s = intent['said']
            backed = (i == 0 and said.get('result') == 'approve' and not denied and any(seq < intent['seq'] for _, seq in approvals) and intent['at'] < expires
                      and all(seq is None or seq > intent['seq'] for seq in (one.expired, one.cancelled)) and s.get('binding_hash') == one.asked['hash']
                      and all(s.get(n) == b.get(n) for n in ('args_digest', 'nonce', 'policy_hash')) and s.get('decision_id') == one.decision_id)
            if not backed: add('intent_wrong', where)
        if one.outcome:
            o, first = one.outcome, one.intents[0] if one.intents else None
            if not first or o['seq'] <= first['seq'] or o['said'].get('intent_id') != first['id'] or o['said'].get('decision_id') != one.decision_id: add('outcome_wrong', where)
    def judge(self, one, where):
        """Who approved (person, seq), and whether anybody denied."""
        b, used, approvals, denied, alone, unsigned = one.asked['binding'], one.intents[0]['seq'] if one.intents else None, [], False, False, False
        required, bends = obj(b.get('required')), False
        for a in one.answers:
            said, seq = a['said'], a['seq']
            if said.get('binding_hash') != one.asked['hash'] or seq < one.asked['seq'] or a['at'] >= text(b.get('expires_at')) or (used is not None and seq > used): add('approval_answer_wrong', where)
            is_deny, code = said.get('verdict') == 'deny', None
            if 'signature' not in said:
                add('approval_unsigned' if a['sample'] or self.people.counted(2, seq) == 0 else 'approval_signature_missing', where)
                unsigned = True
            else:
                code = self.fault(one, a, required.get('roles') or ['approver'], approvals)
                if code: add(code, where)
                review = one.opened.get(text(obj(obj(said.get('statement')).get('review')).get('review_id')))
                if said.get('verdict') == 'approve' and review and a['at'] < text(review.get('not_before')): add('approval_too_early', where)
                alone |= self.people.counted(1, seq) <= 1
                person, by = self.people.at(text(said.get('by')), seq), text(said.get('by'))
                if person: bends |= b.get('actor_id') in [by, *person['aliases']] or obj(said.get('statement')).get('role') not in required.get('roles', [])
            denied |= is_deny
            if not is_deny and code is None: approvals.append((text(said.get('by')), seq))
        counted = {who for who, seq in approvals if used is None or seq < used}
        if used is not None and counted and len(counted) < required.get('k', 1) and not unsigned: add('approval_too_few' if self.people.counted(1, used) > 1 else 'four_eyes_off', where)
        elif alone and bends: add('four_eyes_off', where)
        return approvals, denied
    def fault(self, one, a, roles, before):
        """The first check of gate.md, Answers, that does not hold."""
        said, seq, by, b = a['said'], a['seq'], text(a['said'].get('by')), one.asked['binding']
        st, person = obj(said.get('statement')), self.people.at(by, seq)
        if sorted(st) != sorted(SIGNED_MEMBERS) or not all(isinstance(v, str) for n, v in st.items() if n != 'review'): return 'approval_signature_wrong'
        if not person or not person['active']: return 'approval_signer_unknown'
        r, holder = obj(st['review']), person
        behalf = 'on_behalf_of' in r or 'delegation_id' in r
        delegation = self.people.delegation(text(r.get('delegation_id')), seq, a['at']) if behalf else None
        if delegation and delegation['to'] != by: delegation = None
        if self.people.counted(1, seq) > 1:
            if b.get('actor_id') in [by, *person['aliases']] + ([delegation['from'], *delegation['aliases']] if delegation else []): return 'approval_own_request'
            if st['role'] not in roles: return 'approval_role_wrong'
        if behalf: holder = delegation if delegation and r.get('on_behalf_of') == delegation['from'] else None
        if not holder or st['role'] not in holder['roles']: return 'approval_role_wrong'
        if said.get('verdict') != 'deny' and by in [who for who, _ in before]: return 'approval_person_twice'
        review = one.opened.get(text(r.get('review_id')))
        if not review or review.get('by') != by or review['seq'] > seq or (st['shown_digest'], st['opened_at']) != (review.get('shown_digest'), review.get('opened_at')): return 'approval_review_wrong'
        if st['key_id'] != person['key_id']: return 'approval_signer_unknown'
        same = (st['binding'], st['verdict'], st['approver_id'], r.get('comment')) == (one.asked['hash'], 'deny' if said.get('verdict') == 'deny' else 'approve', by, said.get('comment'))
        if not same or obj(r.get('challenge')).get('kind') != obj(review.get('challenge')).get('kind') or not valid_time(st['decided_at']): return 'approval_signature_wrong'
        signature = maybe_b64(said.get('signature'), 64)
        if signature is None or not ed25519(person['key'], b'trailmix/approval/v1\n' + jcs(st).encode(), signature): add('approval_signature_wrong', 'approvals.jsonl:' + one.id)

# --- pack.md, policies.json and Blobs

def environment_of(policy): return policy['environment'] if isinstance(policy.get('environment'), str) else 'prod'

class Policies:
    def __init__(self): self.active, self.recorded, self.used = {}, {}, set()
    def take(self, r, policy):
        if r.type == 'policy.activated':
            if not isinstance(policy.get('hash'), str) or not is_int(policy.get('version')): return add('policy_unrecorded', r.where)
            self.active[environment_of(policy)] = self.recorded[r.seq] = policy['hash'], policy['version']
        elif r.type == 'decision.recorded' and r.file == 'events':
            said = obj(r.value.get('decision'))
            cited = obj(said.get('policy'))
            if 'failed' in said and not is_hash(cited.get('hash')): return
            self.used.add(text(cited.get('hash')))
            if self.active.get(environment_of(cited)) != (cited.get('hash'), cited.get('version')): add('policy_unrecorded', r.where)
    def finish(self, data, manifest):
        files, named, shown = {f['path']: f['sha256'] for f in manifest['files']}, set(), set()
        try:
            top = exact(canonical(data), 'policies', 'v') if data is not None else {'policies': [], 'v': 1}
            need(top['v'] == 1 and is_int(top['v']) and isinstance(top['policies'], list))
            for p in top['policies']:
                exact(p, 'capabilities_sha256', 'entrypoint', 'files', 'hash', 'versions', 'wasm_sha256')
                need(all(map(is_hash, (p['hash'], p['capabilities_sha256'], p['wasm_sha256']))) and isinstance(p['entrypoint'], str) and isinstance(p['files'], list) and isinstance(p['versions'], list))
                for f in p['files']: need(is_hash(exact(f, 'file', 'path', 'sha256')['sha256']) and isinstance(f['path'], str) and isinstance(f['file'], str))
                for version in p['versions']: need(is_int(exact(version, 'seq', 'version')['seq']) and is_int(version['version']))
            need([p['hash'] for p in top['policies']] == sorted({p['hash'] for p in top['policies']}))
        except Wrong: top = add('policy_form', 'policies.json') or {'policies': []}
        for p in top['policies']:
            shown.add(p['hash'])
            parts = sorted(({'path': f['path'], 'sha256': f['sha256']} for f in p['files']), key=lambda f: f['path'].encode('utf-16-be'))
            if jhash({'v': 1, 'entrypoint': p['entrypoint'], 'capabilities_sha256': p['capabilities_sha256'], 'wasm_sha256': p['wasm_sha256'], 'files': parts}) != p['hash']: add('policy_hash_wrong', p['hash'])
            for n, f in enumerate(p['files']):
                named.add(f['file'])
                if f['file'] != f"policies/{p['hash']}/{n}.{'json' if f['path'].endswith('.json') else 'rego'}": add('policy_form', f['file'])
                elif f['file'] not in files: add('policy_missing', f['file'])
                elif files[f['file']] != f['sha256']: add('policy_hash_wrong', f['file'])
            if not p['versions'] or any(self.recorded.get(v['seq']) != (p['hash'], v['version']) for v in p['versions']): add('policy_unrecorded', p['hash'])
        for f in manifest['files']:
            if f['role'] == 'policy' and f['path'] not in named: add('policy_form', f['path'])
        for _ in self.used - shown: add('policy_missing' if 'policies' in manifest['include'] else 'policy_files_absent', 'policies.json')

# --- policy.md, and pack.md, Policy statements

POLICY = ('act', 'at', 'by', 'by_key_id', 'environment', 'ledger_id', 'message', 'policy_hash', 'replaces', 'sources_sha256', 'tenant_id')
IMPACT = ('at', 'by', 'by_key_id', 'ledger_id', 'report_sha256', 'tenant_id')
OF_A_SET = ['policy.' + kind for kind in ('saved', 'proposed', 'withdrawn', 'candidate', 'shadowed', 'impact')]

def micros(when): return calendar.timegm(time.strptime(when[:19], '%Y-%m-%dT%H:%M:%S')) * 10 ** 6 + int(when[20:26])
def parts_of(files): return [{'path': text(obj(f).get('path')), 'sha256': text(obj(f).get('sha256')), **({'text': obj(f)['text']} if 'text' in obj(f) else {})} for f in (files if isinstance(files, list) else [])]
def by_path(parts): return sorted(({'path': f['path'], 'sha256': f['sha256']} for f in parts), key=lambda f: f['path'].encode('utf-16-be'))

class Statements:
    def __init__(self, manifest, people):
        self.m, self.people, self.four, self.saved, self.sources, self.shipped, self.active, self.proposed = manifest, people, set(), {}, {}, set(), {}, {}
        self.activated, self.extras, self.impacts, self.hidden, self.signed = set(), [], [], False, False
    def take(self, r, v):
        policy = obj(v.get('policy'))
        if r.type == 'ledger.settings' and 'policy_four_eyes' in obj(v.get('settings')):
            four = obj(v['settings'])['policy_four_eyes']
            self.four = set(filter(None, map(text, four))) if isinstance(four, list) else set()
        if r.file != 'events' and r.type in OF_A_SET:
            self.extras.append((text(obj(obj(v.get('impact')).get('report')).get('policy_hash') if r.type == 'policy.impact' else {**policy, **obj(v.get('shadow'))}.get('hash')), r.where))
        kind = r.type.split('.')[1] if r.type.startswith('policy.') else ''
        if kind == 'withdrawn': self.proposed.pop(environment_of(policy), None)
        elif kind in ('saved', 'proposed', 'activated', 'impact'): getattr(self, kind + '_record')(r, v, policy)
    def said(self, r, v, most):
        held = v.get('signed')
        if 'signed' not in v: return []
        if isinstance(held, list) and 0 < len(held) <= most and all(isinstance(s, dict) and sorted(s) == ['signature', 'signed_in', 'statement'] for s in held): return held
        return add('policy_statement_wrong', r.where) or []
    def judge(self, r, said, names, expected, proposed=None):
        self.signed, st = True, said['statement']
        try:
            exact(st, *names)
            need((st['ledger_id'], st['tenant_id']) == (self.m['ledger_id'], self.m['tenant_id']) and all(isinstance(st[n], str) and len(st[n].encode()) <= 4096 for n in names))
            for name, value in expected.items():
                if st[name] != value and name == 'report_sha256': return add('policy_impact_wrong', r.where)
                need(st[name] == value)
            need(person_ok(st['by']) and stamp_ok(st['at']))
        except Wrong: return add('policy_statement_wrong', r.where)
        person, signature = self.people.at(st['by'], r.seq if proposed is None else proposed), maybe_b64(said['signature'], 64)
        if not person or not person['active'] or person['key_id'] != st['by_key_id']: return add('policy_signer_unknown', r.where)
        if 'policy_author' not in person['roles']: return add('policy_role_wrong', r.where)
        if signature is None: return add('policy_signature_wrong', r.where)
        if proposed is None and abs(micros(st['at']) - micros(r.head['received_at'])) > 11 * 60 * 10 ** 6: add('policy_statement_wrong', r.where)
        if not ed25519(person['key'], (b'trailmix/impact/v1\n' if names is IMPACT else b'trailmix/policy/v1\n') + jcs(st).encode(), signature): add('policy_signature_wrong', r.where)
    def one(self, r, v, names, expected):
        said = self.said(r, v, 1)
        if said: self.judge(r, said[0], names, {'by': text(v.get('by')), **expected} if names is IMPACT else {**expected, 'by': text(v.get('by'))})
        elif 'signed' not in v and self.people.counted(2, r.seq): add('policy_signature_missing', r.where)
        return said
    def parts(self, r, policy, files):
        parts = parts_of(files)
        whole = {'v': 1, **{n: text(policy.get(n)) for n in ('entrypoint', 'capabilities_sha256', 'wasm_sha256')}, 'files': by_path(parts)}
        if jhash(whole) != policy.get('hash') or any('text' in f and (not isinstance(f['text'], str) or shex(f['text'].encode()) != f['sha256']) for f in parts): add('policy_hash_wrong', r.where)
        return self.sources.setdefault(text(policy.get('hash')), jhash(by_path(parts))) and jhash(by_path(parts))
    def saved_record(self, r, v, policy):
        sources = self.parts(r, policy, v.get('files'))
        if policy.get('sources_sha256') != sources: add('policy_hash_wrong', r.where)
        self.one(r, v, POLICY, {'act': 'save', 'environment': '', 'message': text(policy.get('message')), 'policy_hash': text(policy.get('hash')), 'replaces': '', 'sources_sha256': sources})
        self.saved.setdefault(text(policy.get('hash')), (r.seq, text(v.get('by'))))
    def proposed_record(self, r, v, policy):
        known = self.sources.get(text(policy.get('hash')))
        said = self.one(r, v, POLICY, {'act': 'activate', 'policy_hash': text(policy.get('hash')), **{n: text(policy.get(n)) for n in ('environment', 'message', 'replaces')}, **({'sources_sha256': known} if known else {})})
        self.proposed[environment_of(policy)] = r.seq, text(policy.get('hash')), text(said[0]['signature']) if said else ''
    def activated_record(self, r, v, policy):
        name, place, replaces, by = policy.get('hash'), environment_of(policy), text(policy.get('replaces')), text(v.get('by'))
        if not isinstance(name, str) or not is_int(policy.get('version')): return
        sources, by_app = self.parts(r, policy, policy.get('files')), 'signed' not in v and by == 'collector'
        if by_app or policy.get('built_in') is True: self.shipped.add(name)
        said, saved = self.said(r, v, 2), self.saved.get(name)
        if name not in self.shipped and not (saved and policy.get('saved_seq', saved[0]) == saved[0]):
            if 'saved_seq' in policy: self.missing(r)
            elif said: add('policy_statement_absent', r.where)
        expected = {'act': 'activate', 'environment': place, 'policy_hash': name, 'replaces': replaces, 'sources_sha256': sources}
        if said: self.judge(r, said[-1], POLICY, {**expected, 'by': by, 'message': text(policy.get('message'))})
        elif 'signed' not in v and self.people.counted(2, r.seq): add('policy_by_app' if by_app and self.active.get(place) in {None, *self.shipped} else 'policy_signature_missing', r.where)
        if len(said) == 2:
            seq, *answered = self.proposed.get(place, (None,))
            if answered != [name, said[0]['signature']]: seq = self.missing(r) or r.seq
            self.judge(r, said[0], POLICY, expected, seq)
            if by in (text(obj(said[0]['statement']).get('by')), saved and saved[1]): add('policy_own_request', r.where)
        elif said and place in self.four: add('policy_too_few', r.where)
        self.proposed.pop(place, None)
        self.active[place] = name
        self.activated.add(name)
    def impact_record(self, r, v, _):
        report = obj(obj(v.get('impact')).get('report'))
        if obj(v.get('impact')).get('report_sha256') != jhash(report) or not sums(report, r.seq): add('policy_impact_wrong', r.where)
        self.one(r, v, IMPACT, {'report_sha256': jhash(report)})
        self.impacts.append((text(report.get('policy_hash')), report.get('sources_sha256'), r.where))
    def missing(self, r): add('policy_statement_absent' if self.hidden else 'policy_record_missing', r.where)
    def finish(self):
        for name, where in self.extras:
            if name not in self.activated: add('extra_unknown', where)
        for name, sources, where in self.impacts:
            if self.sources.get(name, sources) != sources: add('policy_impact_wrong', where)

# --- erasure.md

class Erasures:
    def __init__(self, manifest, people): self.m, self.people, self.gone, self.last, self.days, self.shown, self.signed = manifest, people, {}, -1, {}, True, False
    def head(self, r):
        if r.seq > self.last: self.last, self.gone[r.seq] = r.seq, r.hash_self
    def take(self, r, v):
        days = obj(v.get('settings')).get('retention_days')
        if r.type.startswith('erasure.'): self.erasure(r, v, obj(v.get('erasure')))
        elif r.type == 'ledger.settings' and days is not None:
            self.days = obj(days)
            self.shown = self.said(r, v, 'retain', jhash(self.days), '')
    def erasure(self, r, v, gone):
        seqs, names = gone.get('seqs'), gone.get('hashes')
        whole = isinstance(seqs, list) and isinstance(names, list) and 0 < len(seqs) == len(names) and all(map(is_int, seqs)) and seqs == sorted(set(seqs)) and all(map(is_hash, names))
        if 'hashes' in gone and not (whole and all(self.gone.get(seq, name) == name for seq, name in zip(seqs, names)) and ('days' not in gone or all(self.days.get(text(app)) == gone['days'] for app in gone.get('apps') or []))): add('erasure_record_wrong', r.where)
        if 'days' in gone:
            if 'signed' in v: add('erasure_statement_wrong', r.where)
            elif not self.shown: add('erasure_signature_missing', r.where)
        elif not self.said(r, v, 'erase', shex(''.join(f'{seq} {name}\n' for seq, name in zip(seqs, names)).encode()) if whole else '', text(gone.get('reason'))): add('erasure_signature_missing', r.where)
    def said(self, r, v, act, digest, reason):
        if 'signed' not in v: return not self.people.counted(2, r.seq)
        self.signed = True
        try:
            need(isinstance(v['signed'], list) and len(v['signed']) == 1)
            said = exact(v['signed'][0], 'signature', 'signed_in', 'statement')
            st = exact(said['statement'], 'act', 'at', 'by', 'by_key_id', 'digest', 'ledger_id', 'reason', 'tenant_id')
            need(all(isinstance(one, str) and len(one.encode()) <= 4096 for one in st.values()) and person_ok(st['by']) and stamp_ok(st['at']))
            need([st[n] for n in ('act', 'by', 'digest', 'ledger_id', 'reason', 'tenant_id')] == [act, text(v.get('by')), digest, self.m['ledger_id'], reason, self.m['tenant_id']])
        except Wrong: return add('erasure_statement_wrong', r.where) or True
        person, signature = self.people.at(st['by'], r.seq), maybe_b64(said['signature'], 64)
        if not person or not person['active'] or person['key_id'] != st['by_key_id']: return add('erasure_signer_unknown', r.where) or True
        if 'admin' not in person['roles']: return add('erasure_role_wrong', r.where) or True
        if signature is None: return add('erasure_signature_wrong', r.where) or True
        if abs(micros(st['at']) - micros(r.head['received_at'])) > 11 * 60 * 10 ** 6: add('erasure_statement_wrong', r.where)
        if not ed25519(person['key'], b'trailmix/erasure/v1\n' + jcs(st).encode(), signature): add('erasure_signature_wrong', r.where)
        return True

def sums(report, seq):
    cells, skipped = report.get('cells'), list(obj(report.get('skipped')).values())
    total, decided, flipped, first, last = (report.get(n) for n in ('total', 'decided', 'flipped', 'first_seq', 'last_seq'))
    if not isinstance(cells, list) or not all(map(is_int, (total, decided, flipped, *skipped))): return False
    for c in cells:
        if {obj(c).get('from'), obj(c).get('to')} - {'allow', 'approve', 'deny', 'failed'} or not is_int(c.get('decisions')) or not is_int(c.get('runs')) or c['runs'] > c['decisions']: return False
    if decided != sum(c['decisions'] for c in cells) or flipped != sum(c['decisions'] for c in cells if c['from'] != c['to']) or total != decided + sum(skipped): return False
    return first is last is None if total == 0 else is_int(first) and is_int(last) and first <= last < seq and total <= last - first + 1

JCS_TYPE = 'application/vnd.trailmix.jcs+json'

def blob_refs(value):
    if is_blob(value): yield value['$blob']
    else:
        for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else (): yield from blob_refs(one)

def check_blobs(files, manifest, values):
    present = {f['path'][6:]: f for f in manifest['files'] if f['role'] == 'blob'}
    for digest, f in present.items():
        if f['sha256'] != digest: add('blob_wrong', f['path'])
    named, waiting = {}, [(ref, where) for value, where in values for ref in blob_refs(value)]
    while waiting:
        ref, where = waiting.pop(0)
        digest = text(ref.get('sha256'))
        if digest in named:
            if named[digest] != ref.get('bytes'): add('blob_wrong', where)
            continue
        named[digest], f = ref.get('bytes'), present.get(digest)
        if f is None: add('blob_missing', where); continue
        if f['bytes'] != ref.get('bytes'): add('blob_wrong', f['path'])
        if ref.get('type') != JCS_TYPE: continue
        try: waiting += [(inner, f['path']) for inner in blob_refs(canonical(files.read(f['path']) or b''))]
        except Wrong: add('blob_wrong', f['path'])
    for digest in set(present) - set(named): add('blob_unreferenced', f'blobs/{digest}')

# --- pack.md, summary.pdf: the totals of its figures alone

def check_figures(pdf, totals):
    found = (pdf or b'').split(b'/TrailmixFigures ')
    if len(found) == 1: return
    try:
        head = re.match(rb'1\n/Length (\d{1,9})\n>>\nstream\n', found[1])
        need(len(found) == 2 and head is not None)
        raw = found[1][head.end():head.end() + int(head[1])]
        need(len(raw) == int(head[1]) and found[1][head.end() + len(raw):].startswith(b'\nendstream'))
        said = canonical(raw)
        need(isinstance(said, dict))
        if said.get('v') != 1 or not is_int(said['v']): return add('report_figures_unchecked', 'summary.pdf')
        need(all(is_int(said.get(n)) and said[n] == v for n, v in totals.items()))
    except Wrong: add('report_figures_wrong', 'summary.pdf')

# --- pack.md, Records: one pass by rising seq

def records(files):
    sources = [source_of(files, name) for name in ('events', 'extras', 'heads')]
    current = [next(s, None) for s in sources]
    while any(current):
        i = min((i for i, r in enumerate(current) if r), key=lambda i: current[i].seq)
        yield current[i]
        current[i] = next(sources[i], None)

def check_records(files, manifest, trust, since, dated_whole):
    note = reading('checkpoint_form', 'checkpoint.note', parse_note, files.read('checkpoint.note'))
    tree, chain_, scope, streams, gate, policies, queries = Multiproof(files, manifest['checkpoint']['size']), Chain(manifest), Scope(manifest), Streams(), Gate(manifest), Policies(), Queries()
    statements, erased = Statements(manifest, gate.people), Erasures(manifest, gate.people)
    evals, erasures, extras, values, restored = b'', set(), [], [], None
    totals, runs = dict.fromkeys(('records', 'runs', 'errors', 'unverified', 'samples'), 0), set()
    for r in records(files):
        v = r.value
        tree.leaf(r); chain_.take(r); scope.take(r); queries.take(r)
        if r.body is None:
            if r.role in ('erased', 'withheld'): gate.hidden.add(r.type)
            statements.hidden |= r.role in ('erased', 'withheld') and r.type.startswith('policy.')
            if r.role == 'erased': erased.head(r)
            if r.file == 'extras': add('body_missing', r.where)
            continue
        values.append((v, r.where))
        gate.take(r)
        erased.take(r, v)
        if (r.seq == 0 or r.type == 'restore.accepted') and 'restored_from' in v and not restored: restored = add('restored', r.where) or v
        if r.file == 'events':
            if obj(v.get('source')).get('auth') == 'none': add('unkeyed_events', r.where)
            streams.take(r)
            source = obj(v.get('source'))
            for name, counts in (('records', True), ('errors', v.get('status') == 'error'), ('unverified', source.get('auth') == 'none'), ('samples', source.get('via') == 'sample')): totals[name] += counts
            if isinstance(v.get('session_id'), str): runs.add(v['session_id'])
            held = v.get('evals')
            for i, one in enumerate(held if isinstance(held, list) else [held] if is_blob(held) else []):
                evals += jcs({'app_seq': v['app_seq'], 'eval': one, 'event_id': v.get('event_id', ''), 'index': i, 'seq': r.seq, 'session_id': v.get('session_id', '')}).encode() + b'\n'
        else:
            gone = obj(v.get('erasure'))
            if r.type.startswith('erasure.'):
                named = gone['seqs'] if isinstance(gone.get('seqs'), list) else [gone.get('seq')]
                erasures.update(seq for seq in named if is_int(seq) and seq < r.seq)
                if isinstance(gone.get('types'), list): gate.hidden.update(one for one in gone['types'] if isinstance(one, str))
            if r.type.startswith(GATE): extras.append(r)
            elif not r.type.startswith(('erasure.', 'ledger.', 'key.', 'policy.', 'person.', 'restore.')): add('extra_unknown', r.where)
        whole = dict(v)
        for name in ('policy', 'files', 'impact'):
            if not r.type.startswith('policy.') or not is_blob(v.get(name)): continue
            try: whole[name] = canonical(files.read('blobs/' + v[name]['$blob']['sha256']) or b'')
            except Wrong:
                whole[name] = {}
                if name == 'policy': add('policy_unrecorded', r.where)
        policies.take(r, obj(whole.get('policy')))
        statements.take(r, whole)
    root, keys = tree.finish(), chain_.keys
    if root is not None and note and root != note[2][2]: add('root_wrong', 'proofs/multiproof.jsonl')
    if manifest['checkpoint']['size'] and not keys.all and not keys.told: add('keys_missing', 'extras.jsonl')
    epochs = epochs_of(files, restored)
    if note:
        check_checkpoint(files, manifest, keys, trust and trust['vkeys'], note)
        if since: check_since(files, since, note[2], epochs, trust and trust['vkeys'])
    pems = {f'keys/{shex(k)}.pem': b'-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA' + base64.b64encode(k) + b'\n-----END PUBLIC KEY-----\n' for k in keys.all}
    listed_keys = {f['path'] for f in manifest['files'] if f['role'] == 'key'}
    for path in listed_keys | set(pems):
        if path not in pems or path not in listed_keys or files.read(path) != pems[path]: add('key_file_wrong', path)
    cited = {text(obj(record['restored_from']).get('ledger_id')): note_ and note_[2][1] for record, note_, _ in epochs}
    for f in manifest['files']:
        if f['role'] == 'epoch' and f['path'].split('/')[1] not in cited: add('file_role_wrong', f['path'])
        if f['role'] == 'consistency':
            epoch, old, new = re.fullmatch(r'(?:epochs/(.*)/)?consistency/(\d+)-(\d+)', f['path']).groups()
            right = int(new) == (manifest['checkpoint']['size'] if epoch is None else cited.get(epoch))
            if not right or int(old) >= int(new): add('file_role_wrong', f['path'])
    witnesses = Witnesses(trust and trust.get('witness_policy.json'))
    witnesses.take_pack(files)
    dated = check_anchors(files, manifest, trust, witnesses)
    if not dated_whole: add('time_not_shown' if not scope.near < dated else 'time_partly_shown' if dated <= scope.far else 'time_by_anchors', 'anchors')
    witnesses.finish(manifest['checkpoint']['size'], scope.far)
    scope.finish(erasures)
    streams.finish(scope)
    policies.finish(files.read('policies.json'), manifest)
    statements.finish()
    gate.finish(trust, statements.signed or erased.signed)
    lines = ''.join(jcs(one.line(gate.people)) + '\n' for one in gate.scoped())
    for path, name, wanted in (('approvals.jsonl', 'approvals', lines.encode()), ('evals.jsonl', 'evals', evals)):
        if files.has(path) and files.read(path) != (wanted if name in manifest['include'] else b''): add('derived_wrong', path)
        elif not files.has(path) and wanted and name in manifest['include']: add('derived_wrong', path)
    if files.read('queries.jsonl') not in (None, b'', queries.lines(manifest).encode()): add('derived_wrong', 'queries.jsonl')
    for name in ('replays', 'disclosures'):
        if files.read(name + '.jsonl'): add('derived_wrong', name + '.jsonl')
    for r in extras:
        if not gate.called_for(r.value): add('extra_unknown', r.where)
    check_figures(files.read('summary.pdf'), {**totals, 'runs': len(runs)})
    check_blobs(files, manifest, values)

# --- pack.md, Trust and Verdicts

def read_trust(folder):
    given = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    trust = canonical(given['trust.json'])
    vkeys = []
    for vkey in trust['vkeys']:
        name, key_id, raw = vkey.split('+', 2)
        key = b64(raw, 33)
        need(key[0] == 1 and note_id(name, key[1:]).hex() == key_id, 'vkey')
        vkeys.append((name, key[1:]))
    return {**given, 'vkeys': vkeys, 'root': trust.get('people_root')}

def verify(data, trust=None, since=None, now=None):
    """The report of a pack. NoPack where it is none."""
    FOUND.clear()
    files = Files(data)
    need(files.has('checksums.txt') and files.has('manifest.json'), 'not an evidence pack', NoPack)
    sums = reading('checksums_form', 'checksums.txt', parse_checksums, files.read('checksums.txt'))
    manifest = reading('manifest_form', 'manifest.json', parse_manifest, files.read('manifest.json'))
    check_names(files, manifest, sums or {})
    dated = check_seal(files, sums, trust, time.time() * 1000 if now is None else now)
    if manifest: check_records(files, manifest, trust, since, dated)
    elif not dated: add('time_not_shown', 'META-INF')
    verdicts = {}
    for verdict in ('integrity', 'completeness', 'time', 'identity'):
        levels = {LEVELS[f['code']]['level'] for f in FOUND if LEVELS[f['code']]['verdict'] == verdict}
        verdicts[verdict] = 'fail' if 'fail' in levels else 'not_shown' if 'not_shown' in levels else 'pass'
    return {'verdicts': verdicts, 'findings': list(FOUND)}

def run(path, trust=None, since=None, now=None):
    """(exit code, report) of a pack in a file; trust: a folder; since: an older pack; now: milliseconds since 1970."""
    try:
        older = since and Files(Path(since).read_bytes())
        report = verify(Path(path).read_bytes(), trust and read_trust(trust), older and (parse_note(older.read('checkpoint.note'))[2], older), now and int(now))
    except NoPack as fault: return 2, {'refused': str(fault)}
    return 1 if 'fail' in report['verdicts'].values() else 3 if report['findings'] else 0, report

def main(words):
    if words == ['--batch']:
        # One JSON object of run's arguments a line, one report a line.
        for line in sys.stdin: print(json.dumps(run(**json.loads(line))[1]), flush=True)
        return 0
    code, report = run(words[0], **{words[i].lstrip('-'): words[i + 1] for i in range(1, len(words), 2)})
    print(json.dumps(report))
    return code

if __name__ == '__main__': sys.exit(main(sys.argv[1:]))
