/**
 * A small agent that pays invoices from its mailbox: the seed's quickstart, grown up a little. Each mail is a session.
 * Small wires pass; those above 10,000 wait until someone approves them in the app; see policies/wires.rego.
 *
 *   TRAILMIX_API_KEY=tm1... node agent.ts        (Node 22.18 or later runs TypeScript itself)
 */
import { GateError, policyCheck, span, tr } from '@trailmix/ts';
import { getBalance, sendWire } from './bank.ts';
import { llm } from './llm.ts';

tr.init({
  appId: process.env.TRAILMIX_APP_ID ?? 'finance-bot',
  onDecision: ({ state, action, reasons, expires_at }) => {
    if (state === 'waiting')
      console.log(`  ${action}: waiting for approval until ${expires_at} (${reasons.join('; ')})`);
  },
});

const guardedWire = policyCheck(sendWire, {
  action: 'send_wire',
  risk: 'high',
  metadata: { currency: 'EUR' },
});

const mailbox = [
  { id: 'mail-1', text: 'Please pay 250 EUR to DE44500105175407324931 for the new chairs.' },
  { id: 'mail-2', text: 'Please pay 12,000 EUR to FR1420041010050500013M02606 for the audit.' },
  { id: 'mail-3', text: 'Can you tell me how much is left?' },
];

const ask = (prompt: string, name: string) =>
  span(name, { risk: 'low', type: 'llm.call' }, async s => {
    s.recordInput({ prompt });
    const { text, usage } = await llm.chat({ prompt });
    s.recordModel({ name: llm.model, provider: 'example', usage });
    s.recordOutput({ model_output: text });
    return text;
  });

async function handle(mail: { id: string; text: string }): Promise<string> {
  return span('handle_mail', { risk: 'medium', labels: { mail: mail.id } }, async s => {
    s.recordInput({ mail: mail.text });
    const order = JSON.parse(await ask(`Read the order in this mail: ${mail.text}`, 'read_order')) as {
      amount: number | null;
      iban: string | null;
    };
    s.attachEval({
      name: 'order_complete',
      score: order.amount === null || order.iban === null ? 0 : 1,
      threshold: 1,
    });
    if (order.amount === null || order.iban === null) {
      const balance = await span('get_balance', { type: 'tool.call' }, () => getBalance('EUR'));
      return `nothing to pay; ${balance} EUR left`;
    }
    try {
      const sent = await guardedWire({ amount: order.amount, iban: order.iban, reference: mail.id });
      await ask('Draft a confirmation of the wire.', 'draft_reply');
      return `paid ${sent.amount} EUR (${sent.wire_id})`;
    } catch (error) {
      // Anything that is not a refusal is the bank's fault, and the span shows it.
      if (!(error instanceof GateError)) throw error;
      return `not paid: ${error.message}`;
    }
  });
}

for (const mail of mailbox) {
  console.log(`${mail.id}: ${mail.text}`);
  console.log(`  ${await tr.session({ id: `${mail.id}-${Date.now()}` }, () => handle(mail))}`);
}
await tr.shutdown();
