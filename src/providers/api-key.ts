// Keys of providers: a text, or a function asked before every request. Invariant: no message quotes a key.
import { AgentError, toAgentError } from "../core/errors.ts";
import { unlessAborted } from "../core/waiting.ts";

/** The key, or a function asked before every request, for keys that rotate. */
export type ApiKey = string | (() => string | Promise<string>);

/** What can stand in an Authorization header: a line break read along with a key, or a typographic quote, would fail only in `fetch`. */
export const isKey = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);

/** The key for one request of `adapter`. Throws `authentication_failed` when the function throws or answers none. */
export async function keyFor(adapter: string, apiKey: ApiKey, signal: AbortSignal): Promise<string> {
  if (typeof apiKey === "string") return apiKey;
  const key: unknown = await unlessAborted(
    (async () => await apiKey())().catch((thrown) => {
      throw toAgentError(thrown, "authentication_failed", `The \`apiKey\` function given to ${adapter}() threw.`);
    }),
    signal,
  );
  if (isKey(key)) return key;
  throw new AgentError("authentication_failed", `The \`apiKey\` function given to ${adapter}() answered no key.`, {
    hint: "Let it return the key alone, in plain characters without spaces or line breaks.",
  });
}
