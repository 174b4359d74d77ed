// How often calls failed in a run, in all and one after the other: a pure count over the results of batches, rebuilt on every pass.
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { RunCaps } from "../core/journal.ts";
import type { Tried } from "../core/result.ts";

/** What a call came to. `failed`: the code of its failure, undefined when it went well; absent when it was neither. */
export interface CallResult {
  readonly tool: string;
  readonly failed?: ErrorCode | undefined;
}

export interface Failures {
  /** Of a batch that is complete, in the order of its calls. The limit-th failure stops the run, whatever went well after it in its batch. */
  count(calls: readonly CallResult[]): AgentError | undefined;
  /** By tool and code, the first to fail first. */
  tried(): readonly Tried[];
}

export function createFailures({ failures: most, failuresInARow: mostInARow }: RunCaps): Failures {
  const tried = new Map<string, Tried>();
  let inAll = 0;
  let inARow = 0;

  const add = (tool: string, code: ErrorCode): AgentError | undefined => {
    inAll += 1;
    inARow += 1;
    const key = `${code} ${tool}`;
    tried.set(key, { tool, code, times: (tried.get(key)?.times ?? 0) + 1 });
    if (mostInARow !== undefined && inARow >= mostInARow) return limit(`${inARow} tool calls in a row failed.`, mostInARow, true);
    return most !== undefined && inAll >= most ? limit(`${inAll} tool calls failed.`, most, false) : undefined;
  };

  return {
    count: (calls) => {
      let stop: AgentError | undefined;
      for (const call of calls) {
        if (call.failed !== undefined) stop = add(call.tool, call.failed) ?? stop;
        else if ("failed" in call) inARow = 0;
      }
      return stop;
    },
    tried: () => [...tried.values()],
  };
}

const limit = (message: string, allowed: number, inARow: boolean) =>
  new AgentError("failure_limit", message, { details: { limit: allowed, inARow } });
