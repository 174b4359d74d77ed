// An agent behind a function from Request to Response. Invariant: nobody is served before it is known who asks.
import type { Clock } from "../core/clock.ts";
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Principal } from "../core/facts.ts";
import {
  type Checks,
  checkOptions,
  isAmount,
  isCount,
  isFunction,
  isPositiveCount,
  isText,
  isTextList,
  objectWith,
  oneOf,
} from "../core/options.ts";
import { systemClock } from "../resilience/system-clock.ts";
import { errorAnswer } from "./answer.ts";
import type { ServedAgent } from "./asked-again.ts";
import { createOpenWork } from "./open-work.ts";
import { readAsk } from "./read-ask.ts";
import { serveRun } from "./serve-run.ts";

export interface AgentHandlerOptions {
  /**
   * Who is asking, by the request's headers: null for nobody we know, which is answered with 401. What it throws is answered with 500.
   * `"public"`: there are no users; whoever can send a request is served, and whoever knows a run's id and input is shown it.
   */
  readonly principal: "public" | ((request: Request) => Principal | null | undefined | Promise<Principal | null | undefined>);
  /** Live objects for tools and instructions, made for each request; its body has been read by then. */
  readonly context?: (request: Request, principal: Principal | undefined) => unknown;
  /** What a client that leaves does to the run it has begun; default `continue`: asking again with the same run id shows it from the start. */
  readonly onDisconnect?: "continue" | "cancel";
  /** Longest body, in bytes; default 1,048,576. */
  readonly maxBodyBytes?: number;
  /** After so many milliseconds of silence a stream sends a comment; default 15,000. */
  readonly keepAliveMs?: number;
  /** Told what a client is not: the error, with its cause, of every answer of 500 and above. What it throws is ignored. */
  readonly onError?: (error: AgentError, request: Request) => void;
  /** For tests; default the machine's. */
  readonly clock?: Clock;
}

export interface CloseOptions {
  /** How long runs that are going on may take; then they are stopped, as `partial`. 0: at once. */
  readonly withinMs: number;
}

export interface AgentHandler {
  /** Never rejects. */
  (request: Request): Promise<Response>;
  /**
   * For a graceful shutdown: whatever comes is answered with 503, runs going on are waited for, also those nobody listens to, and their
   * answers. Resolves when all is over; leaves no timer behind. Only the first call's time counts.
   */
  close(options: CloseOptions): Promise<void>;
  /** Whether `close` has been called, for your health check. */
  isClosing(): boolean;
}

/** Every default in one place; docs/defaults.md is tested against it. */
export const handlerDefaults = { onDisconnect: "continue", maxBodyBytes: 1_048_576, keepAliveMs: 15_000 } as const;

const handlerChecks: Checks = {
  principal: { holds: (value) => value === "public" || isFunction(value), wanted: 'a function of the request, or "public"' },
  context: isFunction,
  onDisconnect: oneOf("continue", "cancel"),
  maxBodyBytes: isPositiveCount,
  keepAliveMs: isAmount,
  onError: isFunction,
  clock: objectWith("now", "after"),
};
const isServed = objectWith("run", "stream", "resume", "resumeStream", "journal");

/**
 * Serves an agent to whatever speaks `Request` and `Response`: POST with JSON `{ input, runId?, conversationId? }`, answered with JSON or,
 * for `Accept: text/event-stream`, with the run's events. Throws `configuration_invalid`. In full: docs/guides/services.md.
 */
export function agentHandler<Output>(agent: ServedAgent<Output>, options: AgentHandlerOptions): AgentHandler {
  check(agent, options);
  const { maxBodyBytes = handlerDefaults.maxBodyBytes, keepAliveMs = handlerDefaults.keepAliveMs, clock = systemClock } = options;
  const cancels = (options.onDisconnect ?? handlerDefaults.onDisconnect) === "cancel";
  const work = createOpenWork(clock);

  const answer = async (request: Request): Promise<Response> => {
    if (work.closing) return unavailable();
    if (request.method !== "POST") return errorAnswer(405, invalid("There is only POST here.", "Send a POST."), { allow: "POST" });
    const user = await principalOf(request, options);
    if (user === null) return errorAnswer(401, nobody(), { "www-authenticate": "Bearer" });
    const ask = await readAsk(request, maxBodyBytes);
    if (ask instanceof Response) return ask;
    const context = await hooked("context", async () => await options.context?.(request, user));
    if (work.closing) return unavailable();
    const onFailed = (error: AgentError) => tell(options, error, request);
    return serveRun({ agent, request, ask, user, context, cancels, onFailed, piece: work.begin(), keepAlive: { clock, keepAliveMs } });
  };
  const handle = async (request: Request) => {
    try {
      return await answer(request);
    } catch (thrown) {
      const error = toAgentError(thrown, "internal_error", "The request could not be handled.");
      tell(options, error, request);
      return errorAnswer(500, new AgentError(error.code, "The request could not be handled.", { hint: "Tell the service's owner." }));
    }
  };
  const close = async (closing: CloseOptions) => {
    checkOptions("input_invalid", "close", closing, { withinMs: isCount });
    if (closing.withinMs === undefined) throw invalid('close needs "withinMs".', "Say how long runs may go on.");
    await work.close(closing.withinMs);
  };
  return Object.assign(handle, { close, isClosing: () => work.closing });
}

function check(agent: unknown, options: AgentHandlerOptions) {
  if (!isServed(agent)) throw new AgentError("configuration_invalid", "agentHandler needs an agent, as made by createAgent.");
  checkOptions("configuration_invalid", "agentHandler", options, handlerChecks);
  if (options.principal !== undefined) return;
  throw new AgentError("configuration_invalid", 'agentHandler needs "principal": a function that says who is asking, or "public".');
}

/** Null: nobody we know. Undefined: there are no users. */
async function principalOf(request: Request, { principal }: AgentHandlerOptions): Promise<Principal | null | undefined> {
  if (principal === "public") return undefined;
  const user = (await hooked("principal", async () => await principal(request))) ?? null;
  if (user === null) return null;
  checkOptions("configuration_invalid", "The principal", user, { id: isText, roles: isTextList, tenant: isText });
  if (user.id === undefined) throw new AgentError("configuration_invalid", "The principal needs an id.");
  return user;
}

/** Whatever a hook throws stays inside the service. */
async function hooked<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new AgentError("middleware_failed", `The ${name} hook of the handler threw.`, { cause });
  }
}

function tell({ onError }: AgentHandlerOptions, error: AgentError, request: Request) {
  try {
    onError?.(error, request);
  } catch {
    // Who is told of errors has none of their own to add.
  }
}

const invalid = (message: string, hint: string) => new AgentError("input_invalid", message, { hint });
const nobody = () =>
  new AgentError("authentication_failed", "The service does not know who is asking.", { hint: "Send valid credentials." });
const unavailable = () =>
  errorAnswer(503, new AgentError("halted", "The service is shutting down.", { hint: "Ask again; another instance will answer." }), {
    "retry-after": "1",
  });
