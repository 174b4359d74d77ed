// Ids of calls as a request has them. Invariant: within one request every call has an id of its own, and its result has the same.

/**
 * The ids of one request. What a model gave is kept unless the API does not take it (`isTaken`) or it has been used: ids repeat within
 * a run, and calls of one model may be told to another.
 */
export function createCallIds(isTaken: (id: string) => boolean) {
  const used = new Set<string>();
  /** The ids of calls whose results are due, by the id the model gave. */
  const due = new Map<string, string[]>();
  return {
    ofCall(callId: string): string {
      let id = callId;
      for (let number = used.size; !isTaken(id) || used.has(id); number++) id = `call_${number}`;
      used.add(id);
      due.set(callId, [...(due.get(callId) ?? []), id]);
      return id;
    },
    /** Results of calls with the same id come in the order of the calls. */
    ofResult: (callId: string): string => due.get(callId)?.shift() ?? callId,
  };
}

export type CallIds = ReturnType<typeof createCallIds>;

/** As a request may name a tool: a model may have called what does not exist by any name. */
export const sentToolName = (name: string): string => name.replaceAll(/[^\w-]/g, "_").slice(0, 64) || "unnamed";
