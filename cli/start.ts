/**
 * `trailmix start`: the collector and the page, until SIGTERM or SIGINT. With --key-file on an empty data folder it
 * sets everything up without asking and prints the recovery phrase once, on stderr.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type Collector, startCollector } from '../collector/compose.ts';
import { osUserName } from '../collector/data-folder.ts';
import { errorTable, TrailmixError } from '../core/api/errors.ts';
import { passphraseFromEnvironment } from './collector_for.ts';
import { type Command, type Output, signalled, textOf } from './command.ts';
import { runningCollector } from './running.ts';

export const DEFAULT_PORT = 4318;

function portOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (port < 0 || port > 65_535) {
    throw new TrailmixError('usage', { where: '--port', message: `${text} is not a port` });
  }
  return port;
}

/** Who answers at an address: a TrailMix says its version. */
async function whoAnswers(host: string, port: number): Promise<string> {
  const { get } = await import('node:http'); // Not at the start: see collector/http/server.ts.
  return new Promise(resolve => {
    const asked = get(
      { host, port, path: '/api/health', timeout: 1500, headers: { host: `127.0.0.1:${port}` } },
      answer => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text = (text + chunk).slice(0, 4096);
        });
        answer.on('end', () => {
          try {
            const { version, status } = JSON.parse(text) as { version?: string; status?: string };
            resolve(
              version === undefined || status === undefined
                ? 'another program'
                : `another TrailMix (${version})`,
            );
          } catch {
            resolve('another program');
          }
        });
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve('another program'));
  });
}

const freePort = (host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, host, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

async function portBusy(host: string, port: number): Promise<TrailmixError> {
  const [who, free] = await Promise.all([whoAnswers(host, port), freePort(host).catch(() => 0)]);
  const offer = free === 0 ? '' : `; ${free} is free: --port ${free}`;
  return new TrailmixError('port_busy', {
    where: `${host}:${port}`,
    message: `Port ${port} is held by ${who}${offer}`,
  });
}

function openBrowser(url: string): void {
  const [program, args]: [string, string[]] =
    process.platform === 'darwin'
      ? ['open', [url]]
      : process.platform === 'win32'
        ? ['rundll32', ['url.dll,FileProtocolHandler', url]]
        : ['xdg-open', [url]];
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}

function showPhrase(out: Output, phrase: string): void {
  out.note('');
  out.note(
    'Recovery phrase: write it down now, it is not shown again. It opens every backup of this ledger.',
  );
  const words = phrase.split(' ');
  for (let at = 0; at < words.length; at += 6) out.note(`  ${words.slice(at, at + 6).join(' ')}`);
  out.note('');
}

function greet(out: Output, collector: Collector, uiUrl: string): void {
  const refusal = collector.refusal();
  out.say(`Audit TrailMix is ready at ${collector.url}`);
  out.say(`  open     ${uiUrl}`);
  out.say('           (signs in once, within 60 seconds; `trailmix doctor` gives a new link)');
  out.say(`  data     ${collector.folder}`);
  const custody = collector.custody();
  if (custody !== undefined) out.say(`  custody  ${custody.label}`);
  if (collector.phase() === 'setup') out.say('  next     finish the first start in the page');
  if (collector.phase() === 'locked') out.say('  next     unlock the vault in the page');
  if (refusal !== undefined) {
    out.say(`  ${collector.phase() === 'locked' ? 'locked ' : 'refused'}  ${refusal.message}`);
    out.say(`  next     ${errorTable[refusal.code].next}`);
  }
}

export const startCommand: Command = {
  summary: 'Runs the collector and its page until it is told to stop (Ctrl-C, SIGTERM).',
  usage: '[--port 4318] [--host 127.0.0.1] [--no-open] [--key-file FILE]',
  examples: ['trailmix start', 'trailmix start --no-open --key-file ~/.config/trailmix/main.key --json'],
  options: {
    port: { type: 'string' },
    host: { type: 'string' },
    'no-open': { type: 'boolean' },
    'key-file': { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
  },
  help: {
    '--port N': `where to listen (default ${DEFAULT_PORT}, OTLP/HTTP's own); 0 takes a free port`,
    '--host H': 'default 127.0.0.1 and ::1; beyond this machine needs --tls-cert and --tls-key',
    '--no-open': 'do not open a browser',
    '--key-file F': "the vault's key file, outside the data folder; made on the first start",
    '--tls-cert F, --tls-key F': 'PEM files',
  },
  async run({ data, values, out }) {
    const port = portOf(textOf(values, 'port'));
    const host = textOf(values, 'host') ?? '127.0.0.1';
    const keyFile = textOf(values, 'key-file');
    const [cert, key] = [textOf(values, 'tls-cert'), textOf(values, 'tls-key')];
    if ((cert === undefined) !== (key === undefined)) {
      throw new TrailmixError('usage', {
        where: '--tls-cert',
        message: '--tls-cert and --tls-key go together',
      });
    }
    const read = (file: string): Promise<string> =>
      readFile(file, 'utf8').catch(() => {
        throw new TrailmixError('usage', { where: file, message: `${file} cannot be read` });
      });
    const tls =
      cert === undefined || key === undefined
        ? {}
        : { tls: { cert: await read(cert), key: await read(key) } };
    const stop = signalled();
    let collector: Collector;
    try {
      collector = await startCollector({
        folder: data,
        port,
        host,
        ...tls,
        ...passphraseFromEnvironment(),
        ...(keyFile === undefined ? {} : { keyFile }),
      });
    } catch (error) {
      if (error instanceof TrailmixError && error.code === 'port_busy') throw await portBusy(host, port);
      if (error instanceof TrailmixError && error.code === 'ledger_in_use') {
        const running = await runningCollector(data);
        if (running !== undefined) {
          throw new TrailmixError('ledger_in_use', {
            where: data,
            message: `${error.message}; it answers at ${running.url}`,
          });
        }
      }
      throw error;
    }
    try {
      if (collector.phase() === 'setup' && keyFile !== undefined) {
        const { recoveryPhrase } = await collector.initialise(
          { kind: 'key_file', file: keyFile },
          osUserName(),
        );
        showPhrase(out, recoveryPhrase);
      }
      // A refused ledger keeps its page, which says why; with --key-file or --json somebody waits for an exit code.
      const refusal = collector.refusal();
      if (refusal !== undefined && (keyFile !== undefined || out.asJson)) throw refusal;
      const uiUrl = collector.uiUrl();
      out.json({
        url: collector.url,
        port: collector.port,
        ui_url: uiUrl,
        data: collector.folder,
        custody: collector.custody()?.kind ?? null,
        pid: process.pid,
      });
      greet(out, collector, uiUrl);
      if (values['no-open'] !== true && !out.asJson) openBrowser(uiUrl);
      const signal = await stop;
      out.say(`\n${signal}: finishing what is under way...`);
    } finally {
      await collector.close();
    }
    out.say('Closed; everything that was acknowledged is on disk.');
    return 0;
  },
};
