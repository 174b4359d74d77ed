// The options of openai() and their check. Invariant: a mistake is found when the model is made, before anything is sent or spent.
import { AgentError } from "../core/errors.ts";
import { type Checks, checkOptions, isFunction, isText } from "../core/options.ts";

export interface OpenAIOptions {
  /** The key, or a function asked before every request, for keys that rotate. A local server that needs none takes `"none"`. */
  readonly apiKey: string | (() => string | Promise<string>);
  /** Any endpoint that speaks Chat Completions; default `https://api.openai.com/v1`. */
  readonly baseURL?: string;
  readonly organization?: string;
  readonly project?: string;
  /** Sent with every request; wins over the adapter's own headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the global `fetch`, e.g. for a proxy. */
  readonly fetch?: typeof fetch;
}

const isUrl = (value: unknown) => typeof value === "string" && /^https?:$/.test(URL.parse(value)?.protocol ?? "");
const isHeaders = (value: unknown) => typeof value === "object" && value !== null && Object.entries(value).every(isHeader);

function isHeader([name, value]: [string, unknown]): boolean {
  if (typeof value !== "string") return false;
  try {
    return new Headers([[name, value]]).has(name);
  } catch {
    return false;
  }
}

/** What can stand in an Authorization header: a line break read along with a key, or a typographic quote, would fail only in `fetch`. */
export const isKey = (value: unknown): value is string => typeof value === "string" && /^[\x21-\x7e]+$/.test(value);

const checks: Readonly<Record<keyof OpenAIOptions, Checks[string]>> = {
  apiKey: {
    holds: (value) => isKey(value) || isFunction(value),
    wanted:
      "the key, in plain characters without spaces or line breaks, or an async function that answers it; " +
      'nothing is read from the environment, and a local server may take "none"',
  },
  baseURL: { holds: isUrl, wanted: "an http(s) URL such as https://api.openai.com/v1" },
  organization: { holds: isText, wanted: "a non-empty string" },
  project: { holds: isText, wanted: "a non-empty string" },
  headers: { holds: isHeaders, wanted: "a record of header names and values" },
  fetch: { holds: isFunction, wanted: "a function like the global fetch" },
};

/** Throws `configuration_invalid`, naming the option and what it has to be. */
export function checkOpenAIOptions(modelId: string, options: OpenAIOptions): void {
  if (!isText(modelId)) {
    throw new AgentError("configuration_invalid", "openai() needs the id of a model as its first argument, e.g. gpt-5-mini.");
  }
  // A key that was not given is told like one that is none.
  const given: Partial<OpenAIOptions> = { ...options };
  checkOptions("configuration_invalid", "openai()", { ...given, apiKey: given.apiKey ?? "" }, checks);
}
