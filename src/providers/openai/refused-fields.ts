// Fields of a request that some servers refuse and that an answer can do without. Invariant: no field is tried again once it was refused,
// and a refusal is an attempt that failed: what is sent next is up to whoever owns the retries.
import { AgentError } from "../../core/errors.ts";
import { objectIn, textIn } from "../wire.ts";

/** A field of the request, and what stands in it: servers that do not name the one name the other. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** What one model object has learnt about its server. */
export interface RefusedFields {
  /** Whether the field can still be sent. */
  takes(field: Field): boolean;
  /**
   * `error` itself, or the same as one that may be tried again when `thrown` refuses one of the `sent` fields: the next request goes
   * without it.
   */
  learn(error: AgentError, thrown: unknown, sent: readonly Field[]): AgentError;
}

export function createRefusedFields(): RefusedFields {
  const refused = new Set<string>();
  return {
    takes: ({ name }) => !refused.has(name),
    learn(error, thrown, sent) {
      const field = error.code === "provider_rejected" ? sent.find((one) => names(thrown, one)) : undefined;
      if (field === undefined) return error;
      refused.add(field.name);
      const { code, message, cause, details } = error;
      return new AgentError(code, message, {
        cause,
        details: { ...details, refused: field.name },
        retryable: true,
        hint: `Try again: the server does not take ${field.name}, and this model will not send it any more.`,
      });
    },
  };
}

/** The provider says which parameter is wrong, or at least has its name or value in the text. */
function names(thrown: unknown, { name, value }: Field): boolean {
  const { param, message } = objectIn(thrown);
  const wrong = textIn(param);
  if (wrong !== undefined) return wrong.split(/[.[]/)[0] === name;
  const said = textIn(message) ?? "";
  // A name of two words stands for nothing else; that of one may be any word.
  return said.includes(value) || (name.includes("_") && said.includes(name));
}
