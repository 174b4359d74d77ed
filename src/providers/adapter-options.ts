// The options every adapter has: key, address, headers, fetch, settings. Invariant: a mistake is found when the model is made, before anything is sent.
import { AgentError } from "../core/errors.ts";
import type { ModelSettings } from "../core/model.ts";
import { type Checks, checkOptions, isFunction, isRecord, isText } from "../core/options.ts";
import { settingChecks } from "../core/settings.ts";
import { type ApiKey, isKey } from "./api-key.ts";

/** Where requests go, what they carry, and what they always ask for. */
export interface AdapterOptions {
  /** The key, or a function asked before every request, for keys that rotate. A server that needs none takes `"none"`. */
  readonly apiKey: ApiKey;
  /** Another endpoint that speaks the same API; default the provider's own. */
  readonly baseURL?: string;
  /** Sent with every request; win over the adapter's own headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Instead of the global `fetch`, e.g. for a proxy. */
  readonly fetch?: typeof fetch;
  /** What this model is always asked with; wins over the agent's `settings`. */
  readonly settings?: ModelSettings;
}

/** fetch refuses a URL with a user in it, and a path written behind a "#" or a blank leads elsewhere. */
export function isUrl(value: unknown): value is string {
  const url = typeof value === "string" && value === value.trim() ? URL.parse(value) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" && url.hash === "";
}
const isHeaders = (value: unknown) => typeof value === "object" && value !== null && Object.entries(value).every(isHeader);

function isHeader([name, value]: [string, unknown]): boolean {
  if (typeof value !== "string") return false;
  try {
    return new Headers([[name, value]]).has(name);
  } catch {
    return false;
  }
}

const sharedChecks: Readonly<Record<keyof AdapterOptions, Checks[string]>> = {
  apiKey: {
    holds: (value) => isKey(value) || isFunction(value),
    wanted:
      "the key, in plain characters without spaces or line breaks, or an async function that answers it; " +
      'nothing is read from the environment, and a local server may take "none"',
  },
  baseURL: { holds: isUrl, wanted: "an http(s) URL such as https://api.example.com/v1" },
  headers: { holds: isHeaders, wanted: "a record of header names and values" },
  fetch: { holds: isFunction, wanted: "a function like the global fetch" },
  settings: { holds: isRecord, wanted: "a record of settings like that of createAgent" },
};

/**
 * Throws `configuration_invalid`, naming the option and what it has to be. `adapter` is the function's name, `example` the id of a model;
 * `own` checks what this adapter alone has.
 */
export function checkAdapter(adapter: string, example: string, modelId: string, options: AdapterOptions, own: Checks): void {
  if (!isText(modelId)) {
    throw new AgentError("configuration_invalid", `${adapter}() needs the id of a model as its first argument, e.g. ${example}.`);
  }
  // A key that was not given is told like one that is none.
  const given: Partial<AdapterOptions> = { ...options };
  checkOptions("configuration_invalid", `${adapter}()`, { ...given, apiKey: given.apiKey ?? "" }, { ...sharedChecks, ...own });
  checkOptions("configuration_invalid", `The settings of ${adapter}()`, options.settings ?? {}, settingChecks);
}
