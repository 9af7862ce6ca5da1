/**
 * Messages between people and models, in the forms that SDKs and OpenTelemetry send them. Pure.
 * Only a value that is wholly understood becomes a conversation; anything else stays JSON.
 */

export type Message = { role: string; text: string; calls: { name: string; args: unknown }[] };

/** The messages in a value, or undefined when it is not a conversation. */
export function buildConversation(value: unknown): Message[] | undefined {
  const list = Array.isArray(value) ? value : membersOf(value)?.messages;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const messages: Message[] = [];
  for (const item of list) {
    const message = messageOf(item);
    if (message === undefined) return undefined;
    messages.push(message);
  }
  return messages;
}

function membersOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function messageOf(item: unknown): Message | undefined {
  const members = membersOf(item);
  if (members === undefined || typeof members.role !== 'string') return undefined;
  const content = members.content ?? members.parts ?? members.text;
  const calls: Message['calls'] = [];
  const texts: string[] = [];
  if (typeof content === 'string') texts.push(content);
  else if (Array.isArray(content)) {
    for (const part of content) {
      if (typeof part === 'string') {
        texts.push(part);
        continue;
      }
      const piece = membersOf(part);
      if (piece === undefined) return undefined;
      const text = piece.text ?? piece.content;
      if (typeof text === 'string') texts.push(text);
      else if (typeof piece.name === 'string')
        calls.push({ name: piece.name, args: piece.arguments ?? piece.input ?? piece.args });
      else return undefined;
    }
  } else if (content !== undefined && content !== null) return undefined;
  if (Array.isArray(members.tool_calls)) {
    for (const call of members.tool_calls) {
      const fn = membersOf(membersOf(call)?.function) ?? membersOf(call);
      if (typeof fn?.name !== 'string') return undefined;
      calls.push({ name: fn.name, args: parsed(fn.arguments ?? fn.args) });
    }
  }
  return { role: members.role, text: texts.join('\n\n'), calls };
}

/** Arguments often travel as JSON in a string. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

const TEXT_MEMBERS = [
  'prompt',
  'text',
  'content',
  'query',
  'question',
  'model_output',
  'output',
  'answer',
  'message',
];

/** The text in a value that a person would read first, or undefined. */
export function readableText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const conversation = buildConversation(value);
  if (conversation !== undefined) return conversation.findLast(message => message.text !== '')?.text;
  const members = membersOf(value);
  if (members === undefined) return undefined;
  for (const name of TEXT_MEMBERS) if (typeof members[name] === 'string') return members[name];
  return undefined;
}

/** A text cut at a word, for a sentence. */
export function excerpt(text: string, most = 220): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat.length <= most) return flat;
  const cut = flat.slice(0, most);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(' '), most - 24))}…`;
}
