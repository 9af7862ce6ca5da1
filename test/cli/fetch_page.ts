/** Fetches the page and all it names, as a browser's navigation does: `node fetch_page.ts URL`; answers JSON. */
import { get, type IncomingHttpHeaders } from 'node:http';

const fetchText = (url: string): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { accept: 'text/html,*/*' } }, answer => {
      const parts: Buffer[] = [];
      answer.on('data', part => parts.push(part));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode!,
          headers: answer.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
    }).on('error', reject);
  });

const url = process.argv[2]!;
const { headers, text: html } = await fetchText(`${url}/traces`);
const named = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(match => match[1]!);
const got = await Promise.all(named.map(async path => [path, (await fetchText(url + path)).status]));
console.log(JSON.stringify({ csp: headers['content-security-policy'], html, got }));
