/**
 * Stands in for a language model, so that the example runs without a network or a bill: it reads amounts and accounts
 * out of a mail by rule. Put your own client here; the agent needs only `chat`.
 */
export type Reply = { text: string; usage: { input_tokens: number; output_tokens: number } };

const tokens = (text: string): number => Math.ceil(text.length / 4);

export const llm = {
  model: 'rules-1',
  async chat({ prompt }: { prompt: string }): Promise<Reply> {
    const amount = /([\d,]+) EUR/.exec(prompt)?.[1]?.replaceAll(',', '');
    const iban = /\b[A-Z]{2}\d{2}[A-Z0-9]{10,30}\b/.exec(prompt)?.[0];
    const text = prompt.startsWith('Draft')
      ? 'Dear customer, the wire is on its way. Kind regards, your finance bot.'
      : JSON.stringify({ amount: amount === undefined ? null : Number(amount), iban: iban ?? null });
    return { text, usage: { input_tokens: tokens(prompt), output_tokens: tokens(text) } };
  },
};
