import { describe, expect, test } from 'vitest';
import { fileNameOf } from '../../renderer/features/settings/save_file.ts';
import { buildDisk, buildKeys, readTab } from '../../renderer/features/settings/settings_view.ts';
import { appIdFault, buildSnippets, presentedKey } from '../../renderer/features/settings/snippets.ts';
import {
  buildCustodyOptions,
  passphraseFault,
  phraseForPaper,
  placesToRetype,
  sameWord,
  wordsOf,
} from '../../renderer/features/setup/setup_steps.ts';

describe('first start', () => {
  test('a key file is offered first, a keystore where there is one; each says what it does not protect', () => {
    expect(buildCustodyOptions(false).map(option => option.kind)).toEqual(['key_file', 'passphrase']);
    expect(buildCustodyOptions(true)[0]).toMatchObject({ kind: 'safe_storage', mark: 'Recommended' });
    expect(buildCustodyOptions(true).filter(option => option.mark)).toHaveLength(1);
    for (const option of buildCustodyOptions(true)) {
      expect(option.protects.length).toBeGreaterThan(0);
      expect(option.exposes.length).toBeGreaterThan(0);
    }
  });

  test('a passphrase has twelve characters, counted as people do, and is typed twice', () => {
    expect(passphraseFault('short', 'short')).toContain('7 more');
    expect(passphraseFault('🙂'.repeat(12), '🙂'.repeat(12))).toBeUndefined();
    expect(passphraseFault('correct horse', 'correct house')).toBeDefined();
  });

  test('two different words are asked, in order, whatever chance says', () => {
    for (const first of [0, 0.3, 0.999]) {
      for (const second of [0, 0.5, 0.999]) {
        const chances = [first, second];
        const [a, b] = placesToRetype(24, () => chances.shift()!);
        expect(a).toBeGreaterThanOrEqual(0);
        expect(b).toBeLessThan(24);
        expect(a).toBeLessThan(b);
      }
    }
    expect(sameWord(' Garbage ', 'garbage')).toBe(true);
    expect(sameWord('garbages', 'garbage')).toBe(false);
  });

  test('paper holds every word with its number', () => {
    const phrase = Array.from({ length: 24 }, (_, i) => `word${i + 1}`).join(' ');
    const paper = phraseForPaper(phrase, {
      url: 'http://127.0.0.1:4318',
      person: 'Maria',
      date: '2026-11-22',
    });
    expect(wordsOf(phrase)).toHaveLength(24);
    expect(paper).toContain(' 1. word1\n');
    expect(paper).toContain('24. word24\n');
  });
});

describe('snippets', () => {
  const key = 'tm1.aaaa.bbbb.cccc';

  test('the SDK gets the whole key, the wire only what may travel', () => {
    const [typescript, otel, curl] = buildSnippets({
      endpoint: 'http://127.0.0.1:4318',
      appId: 'finance-bot',
      apiKey: key,
    });
    const text = (tab: typeof typescript) => tab!.steps.map(step => step.code).join('\n');
    expect(text(typescript)).toContain(`TRAILMIX_API_KEY=${key}`);
    expect(text(typescript)).toContain("appId: 'finance-bot'");
    expect(text(typescript)).not.toContain('TRAILMIX_ENDPOINT');
    for (const tab of [otel, curl]) {
      expect(text(tab)).toContain('tm1.aaaa.bbbb');
      expect(text(tab)).not.toContain('cccc');
    }
    expect(presentedKey(key)).toBe('tm1.aaaa.bbbb');
  });

  test('another port is said to the program', () => {
    const [typescript] = buildSnippets({ endpoint: 'http://127.0.0.1:5000', appId: 'a' });
    expect(typescript!.steps[1]!.code).toContain('TRAILMIX_ENDPOINT=http://127.0.0.1:5000');
    expect(typescript!.steps[1]!.code).toContain('PASTE_YOUR_KEY');
  });

  test('an app id is checked as the collector does', () => {
    expect(['my-agent', 'a', '0.x_y', 'a'.repeat(64)].map(appIdFault)).toEqual(Array(4).fill(undefined));
    for (const bad of ['', 'My-Agent', '-a', 'a b', 'otlp:x', 'a'.repeat(65)])
      expect(appIdFault(bad)).toBeDefined();
  });
});

describe('settings', () => {
  test('unknown tabs open the first', () => {
    expect(readTab('keys')).toBe('keys');
    expect(readTab('nonsense')).toBe('connect');
  });

  test('keys: usable ones newest first, revoked apart', () => {
    const made = (id: string, created_at: string, revoked_at?: string) => ({
      id,
      app_id: 'a',
      tenant_id: 'default',
      scopes: [],
      created_at,
      ...(revoked_at === undefined ? {} : { revoked_at }),
    });
    const { usable, revoked } = buildKeys([
      made('1', '2026-01'),
      made('2', '2026-02', '2026-03'),
      made('3', '2026-04'),
    ]);
    expect(usable.map(one => one.id)).toEqual(['3', '1']);
    expect(revoked.map(one => one.id)).toEqual(['2']);
  });

  test('disk use as people read it', () => {
    const rows = buildDisk({
      folder: '',
      ledger_bytes: 1_234_000,
      blob_bytes: 0,
      log_bytes: 800,
      free_bytes: 41e9,
      disk_low: false,
    });
    expect(rows.map(row => row.text)).toEqual(['1.2 MB', '0 B', '800 B', '41 GB']);
  });

  test('a download keeps the name it was given, and never a path', () => {
    expect(fileNameOf('attachment; filename="pack.zip"', 'x')).toBe('pack.zip');
    expect(fileNameOf('attachment; filename="../evil"', 'x')).toBe('x');
    expect(fileNameOf(null, 'x')).toBe('x');
  });
});
