/**
 * What a PDF carries beside its pages: metadata, bookmarks, links and the attached figures. pdf-lib has no calls for
 * most of it: these are the objects of ISO 32000-1 (12.3.3 outlines, 12.5.6.5 links, 7.11.4 embedded files, 14.3.2 XMP).
 */
import {
  type PDFArray,
  type PDFDict,
  type PDFDocument,
  PDFHexString,
  PDFName,
  type PDFPage,
  type PDFRef,
} from 'pdf-lib';
import { FIGURES_FILE, FIGURES_MARK } from '../../../core/pack/report_pdf.ts';
import { utf8 } from '../../../core/proof/bytes.ts';
import { type JsonValue, jcs } from '../../../core/proof/jcs.ts';
import type { ReportFacts } from './facts.ts';

const LANGUAGE = 'en';

/** `top`: distance of the heading from the top edge. */
export type Place = { readonly title: string; readonly page: PDFPage; readonly top: number };

export function describe(document: PDFDocument, facts: ReportFacts): void {
  const at = new Date(`${facts.checkpoint.at.slice(0, 19)}Z`);
  const title = `Evidence pack: ${facts.appId}, ${facts.from.slice(0, 10)} to ${facts.to.slice(0, 10)}`;
  const maker = `Audit TrailMix ${facts.version}`;
  document.setTitle(title, { showInWindowTitleBar: true });
  document.setSubject('Report of an Audit TrailMix evidence pack');
  document.setAuthor(`Audit TrailMix ledger ${facts.ledgerId}`);
  document.setCreator(maker);
  document.setProducer(maker);
  document.setKeywords(['evidence', 'audit', facts.appId]);
  document.setLanguage(LANGUAGE);
  document.setCreationDate(at);
  document.setModificationDate(at);
  const xmp = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">${xml(title)}</rdf:li></rdf:Alt></dc:title>
<dc:language><rdf:Bag><rdf:li>${LANGUAGE}</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>${at.toISOString()}</xmp:CreateDate><xmp:ModifyDate>${at.toISOString()}</xmp:ModifyDate>
<xmp:CreatorTool>${xml(maker)}</xmp:CreatorTool><pdf:Producer>${xml(maker)}</pdf:Producer>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>`;
  const stream = document.context.stream(utf8(xmp), { Type: 'Metadata', Subtype: 'XML' });
  document.catalog.set(PDFName.of('Metadata'), document.context.register(stream));
}

const XML: Record<string, string> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
const xml = (text: string): string =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\ufffe\uffff]/gu, ' ')
    .replaceAll(/[<>&"]/g, mark => XML[mark]!);

const destination = (document: PDFDocument, { page, top }: Place): PDFArray =>
  document.context.obj([
    page.ref,
    PDFName.of('XYZ'),
    null,
    page.getHeight() - Math.max(0, top),
    null,
  ]) as PDFArray;

/** Bookmarks, all on one level, shown when the document opens. */
export function addBookmarks(document: PDFDocument, places: readonly Place[]): void {
  const { context, catalog } = document;
  const root = context.nextRef();
  const refs = places.map(() => context.nextRef());
  for (const [i, place] of places.entries()) {
    const item: Record<string, PDFRef | PDFArray | PDFHexString> = {
      Title: PDFHexString.fromText(place.title),
      Parent: root,
      Dest: destination(document, place),
    };
    if (i > 0) item.Prev = refs[i - 1]!;
    if (i < refs.length - 1) item.Next = refs[i + 1]!;
    context.assign(refs[i]!, context.obj(item));
  }
  if (refs.length === 0) return;
  context.assign(
    root,
    context.obj({ Type: 'Outlines', First: refs[0]!, Last: refs.at(-1)!, Count: refs.length }),
  );
  catalog.set(PDFName.of('Outlines'), root);
  catalog.set(PDFName.of('PageMode'), PDFName.of('UseOutlines'));
}

/** A rectangle on a page, `y` from its top edge, that leads to a place. */
export function addLink(
  document: PDFDocument,
  page: PDFPage,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
  place: Place,
): void {
  const bottom = page.getHeight() - y - height;
  const link = document.context.obj({
    Type: 'Annot',
    Subtype: 'Link',
    Rect: [x, bottom, x + width, bottom + height],
    Border: [0, 0, 0],
    Dest: destination(document, place),
    Contents: PDFHexString.fromText(place.title),
    F: 4,
  });
  page.node.addAnnot(document.context.register(link));
}

/** The figures, as the verifier finds them again (core/pack/report_pdf.ts). */
export function attachFigures(document: PDFDocument, facts: ReportFacts): void {
  const { context, catalog } = document;
  const bytes = utf8(jcs(facts.figures as unknown as JsonValue));
  const stream = context.stream(bytes, {
    Type: 'EmbeddedFile',
    Subtype: 'application/json',
    Params: { Size: bytes.length },
    [FIGURES_MARK.name]: FIGURES_MARK.version,
  });
  const file: PDFDict = context.obj({
    Type: 'Filespec',
    F: PDFHexString.fromText(FIGURES_FILE),
    UF: PDFHexString.fromText(FIGURES_FILE),
    Desc: PDFHexString.fromText(
      'Every number of this report that was counted from records; the verifier counts again.',
    ),
    AFRelationship: 'Data',
    EF: { F: context.register(stream) },
  });
  const ref = context.register(file);
  const names = context.obj({
    EmbeddedFiles: { Names: [PDFHexString.fromText(FIGURES_FILE), ref] },
  });
  catalog.set(PDFName.of('Names'), context.register(names));
  catalog.set(PDFName.of('AF'), context.obj([ref]));
}
