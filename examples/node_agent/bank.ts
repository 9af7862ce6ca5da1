/** Stands in for a bank: moves money between accounts in memory. */
export type Wire = { amount: number; iban: string; reference?: string };

const balances = new Map([['EUR', 50_000]]);

export async function getBalance(currency: string): Promise<number> {
  return balances.get(currency) ?? 0;
}

export async function sendWire(wire: Wire): Promise<{ wire_id: string; amount: number; balance: number }> {
  const balance = (balances.get('EUR') ?? 0) - wire.amount;
  if (balance < 0) throw new Error('insufficient funds');
  balances.set('EUR', balance);
  return { wire_id: `w-${wire.iban.slice(-4)}-${wire.amount}`, amount: wire.amount, balance };
}
