/** Saving a download that was fetched with the session header: a blob and a click, no address with a secret in it. */

/** The name that the answer gives its file, or the fallback. */
export function fileNameOf(disposition: string | null, fallback: string): string {
  const name = /filename="([^"/\\]+)"/.exec(disposition ?? '')?.[1];
  return name === undefined || name === '' ? fallback : name;
}

export async function saveResponse(answer: Response, fallback: string): Promise<string> {
  const name = fileNameOf(answer.headers.get('content-disposition'), fallback);
  saveBlob(await answer.blob(), name);
  return name;
}

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
