/**
 * Annex: what of this pack bears on which record-keeping rule, and what does not. Worded with care: it supports a
 * judgement and makes none. Dates: EU AI Act as amended by Regulation (EU) 2026/1744.
 */
import type { ReportFacts } from './facts.ts';
import { type Sheet, WIDTH } from './sheet.ts';
import { type Row, table } from './table.ts';
import { number, sum } from './words.ts';

const COLUMNS = [
  { title: 'Rule', width: 112 },
  { title: 'What this pack shows towards it', width: 200 },
  { title: 'What it does not show', width: WIDTH - 312 },
];

export async function annex(sheet: Sheet, facts: ReportFacts): Promise<void> {
  await sheet.section('Annex: rules on records', 500);
  await sheet.paragraph(
    'This table helps whoever judges compliance to find evidence. It supports such a judgement; it does not certify anything, and it is not legal advice. Whether a rule applies to this system is not for this report to say.',
  );
  await table(sheet, COLUMNS, rowsOf(facts));
  sheet.y += 6;
  await sheet.paragraph(
    'EU AI Act: Regulation (EU) 2024/1689. After Regulation (EU) 2026/1744, Articles 12, 19 and 26 apply to high-risk systems of Annex III from 2 December 2027 and to those of Annex I from 2 August 2028. Article 12 asks for automatic recording of events; that records cannot be changed unseen is a property of this pack, not a demand of that article.',
    { size: 8.6, colour: 'muted' },
  );
}

function rowsOf(facts: ReportFacts): Row[] {
  const { figures } = facts;
  const decided = sum(figures.decisions);
  const asked = sum(figures.approvals.statuses);
  const window = `${facts.from.slice(0, 10)} to ${facts.to.slice(0, 10)}`;
  const rows: [rule: string, shown: string, not: string][] = [
    [
      'EU AI Act, Art. 12: record-keeping',
      `${number(figures.records)} records made automatically, with time of receipt and source, for ${window}; ${number(decided)} policy decisions with their input and reasons.`,
      'That everything the system did was sent here, or that the kinds of events recorded are those that the intended purpose calls for.',
    ],
    [
      'EU AI Act, Art. 19: logs kept by providers',
      'That these records were kept unchanged from receipt until the checkpoint, which an auditor can check alone.',
      'For how long they are kept: at least six months are asked for, unless other law says otherwise. Retention is set outside this pack.',
    ],
    [
      'EU AI Act, Art. 26: deployers',
      `Monitoring in operation: ${number(sum(figures.exception_counts))} exceptions listed. Human oversight as recorded: ${number(asked)} approvals asked, ${number(figures.approvals.answers.signed)} answers signed by a person, with reading times.`,
      'That those persons had the competence, training and authority that the article asks for, or that instructions for use were followed.',
    ],
    [
      'ISO/IEC 42001, A.6.2.8: recording of event logs',
      'Event logs of an AI system in operation, with who or what acted, the policy in force and its versions.',
      'That logging was decided on for each phase of the life cycle, or that a management system is in place.',
    ],
    [
      'SOC 2, CC7.2 and CC7.3: monitoring, evaluation of events',
      `Denied and failed calls, errors and refused approvals of the window, each with its record number; evals recorded: ${number(figures.evals)}.`,
      'That someone looked at them in time, or how incidents were handled, but for what approvals and comments record.',
    ],
    [
      'GDPR, Art. 5(1)(f) and 5(2): integrity, accountability',
      `Integrity and origin of the records can be demonstrated. ${facts.erased === 0 ? 'No record of the window was erased.' : `${number(facts.erased)} records were erased, and their places stay proved.`}`,
      'Lawfulness, purpose limitation, minimisation or storage limitation of personal data that records may hold. The pack itself may hold such data: handle it so.',
    ],
    [
      'GDPR, Art. 30: records of processing',
      'Facts that can feed such a record: which app, when, which kinds of calls.',
      'Purposes, categories of data and of recipients, transfers and time limits: a record of processing activities is a separate document.',
    ],
  ];
  return rows.map(([rule, shown, not]) => ({
    cells: [
      { text: rule, face: 'medium', keep: 8 },
      { text: shown, keep: 12 },
      { text: not, colour: 'muted', keep: 12 },
    ],
  }));
}
