// Documents and inboxes in memory. Invariant: values are kept as text, so that nobody's hands stay on them.
import { assertJson, type Json } from "../core/json.ts";
import type { Inbox, Records } from "../core/store.ts";

interface Document {
  readonly version: number;
  readonly text: string;
}

export function memoryRecords(): Records {
  const kinds = new Map<string, Map<string, Document>>();
  const documents = (kind: string) => kinds.get(kind) ?? new Map<string, Document>();
  const versioned = (id: string, { version, text }: Document) => ({ id, version, value: decoded(text) });

  return {
    get: (kind, id) => {
      const document = documents(kind).get(id);
      return Promise.resolve(document && versioned(id, document));
    },
    put: (kind, id, value, version) =>
      answered(() => {
        const text = encoded(value);
        const known = documents(kind);
        if ((known.get(id)?.version ?? 0) !== version) return false;
        kinds.set(kind, known.set(id, { version: version + 1, text }));
        return true;
      }),
    list: (kind, { limit, after }) => {
      const ids = [...documents(kind)].filter(([id]) => after === undefined || id > after);
      const sorted = ids.toSorted(([one], [other]) => (one < other ? -1 : 1));
      return Promise.resolve(sorted.slice(0, limit).map(([id, document]) => versioned(id, document)));
    },
    remove: (kind, id, version) => {
      const known = documents(kind);
      return Promise.resolve(known.get(id)?.version === version && known.delete(id));
    },
  };
}

interface Message {
  readonly position: number;
  readonly text: string;
}

/** `forget` lets go of what was left for a run. */
export function memoryInbox(): Inbox & { readonly forget: (runId: string) => void } {
  const inboxes = new Map<string, Map<string, Message>>();
  return {
    forget: (runId) => void inboxes.delete(runId),
    post: (runId, id, value) =>
      answered(() => {
        const text = encoded(value);
        const messages = inboxes.get(runId) ?? new Map<string, Message>();
        if (messages.has(id)) return false;
        inboxes.set(runId, messages.set(id, { position: messages.size + 1, text }));
        return true;
      }),
    read: (runId, position = 0) => {
      const left = [...(inboxes.get(runId) ?? [])].filter(([, message]) => message.position > position);
      return Promise.resolve(left.map(([id, message]) => ({ id, position: message.position, value: decoded(message.text) })));
    },
  };
}

/** What it throws is a rejection. */
const answered = <T>(work: () => T): Promise<T> => new Promise((resolve) => resolve(work()));

const decoded = (text: string): Json => JSON.parse(text);

function encoded(value: Json): string {
  assertJson(value);
  return JSON.stringify(value);
}
